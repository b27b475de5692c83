"""The timeline keeps what it is told, bounded, and never changes what it has shown."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.clock import SECOND
from broker.mesh.blocks import BLOCK_ROWS, CallBlock, RowStore
from broker.mesh.span import Cursor, Span
from broker.mesh.state import StateWriter
from broker.mesh.timeline import Timeline
from broker.observe.journal import CALL_COLUMNS, OTHER_NAME, Batch, Name, NameKind, StateChange
from tests.unit.mesh.mesh_builder import START_NS, Mesh, at, between, random_calls, random_timeline


def test_an_empty_timeline_answers_with_nothing():
    snapshot = Timeline().snapshot()
    assert snapshot.call_blocks == ()
    assert snapshot.namespaces() == []
    assert snapshot.everything() == Span(0, 1)


def test_rows_go_into_blocks_of_65536_and_addresses_never_move():
    snapshot = random_timeline(BLOCK_ROWS * 2 + 10, batch_rows=50_000).snapshot()
    assert [block.count for block in snapshot.call_blocks] == [BLOCK_ROWS, BLOCK_ROWS, 10]
    assert [block.id for block in snapshot.call_blocks] == [0, 1, 2]
    spans = np.concatenate([block.column("span") for block in snapshot.call_blocks])
    assert (spans == np.arange(1, BLOCK_ROWS * 2 + 11)).all()


def test_a_row_costs_at_most_80_bytes():
    snapshot = random_timeline(BLOCK_ROWS).snapshot()
    assert sum(block.held_bytes for block in snapshot.call_blocks) <= 80 * BLOCK_ROWS
    assert snapshot.held_bytes <= 80 * BLOCK_ROWS


def test_a_snapshot_does_not_change_when_more_comes():
    mesh = Mesh()
    timeline = Timeline()
    timeline.take(mesh.call(1.0, "a.x").node(1.0, "n").packets(1, "REQ", 3).batch())
    before = timeline.snapshot()
    block = before.call_blocks[0]
    timeline.take(mesh.call(2.0, "b.y").node(2.0, "n", "offline").packets(1, "REQ", 4).batch())
    assert (before.revision, timeline.revision) == (1, 2)
    assert block.count == 1
    assert block.to_ns == at(1.0)
    assert before.names.find(NameKind.ACTION, "", "b.y") is None
    assert timeline.snapshot().names.find(NameKind.ACTION, "", "b.y") == 2
    assert before.state.at("node", "", "n", at(3.0)).value["state"] == "online"
    assert sum(before.counters.total(between(0, 9), "packets").values()) == 3
    assert sum(timeline.snapshot().counters.total(between(0, 9), "packets").values()) == 7


def test_columns_cannot_be_written():
    block = Mesh().call(1.0, "a.x").snapshot().call_blocks[0]
    with pytest.raises(ValueError, match="read-only"):
        block.column("action")[0] = 7


def test_forgetting_drops_the_oldest_block_and_says_so():
    names, rows = random_calls(10_000)
    timeline = Timeline(max_calls=4_000)
    for first in range(0, 10_000, 500):
        part = rows[first : first + 500]
        timeline.take(Batch(through_ns=int(part["end_ns"][-1]), names=names, calls=part))
        assert timeline.snapshot().call_count <= 4_000
    snapshot = timeline.snapshot()
    assert snapshot.forgotten_calls == 10_000 - snapshot.call_count
    assert snapshot.call_count > 3_000
    assert snapshot.begin_ns == int(rows["end_ns"][snapshot.forgotten_calls - 1]) + 1


@given(st.lists(st.integers(0, 700), max_size=12), st.integers(1, 1500))
def test_a_store_never_holds_more_than_it_may_and_forgets_only_the_oldest(sizes, most):
    store = RowStore(CallBlock, CALL_COLUMNS, "end_ns", most)
    total = 0
    for size in sizes:
        rows = np.zeros(size, CALL_COLUMNS)
        rows["end_ns"] = np.arange(total, total + size)
        store.append(rows)
        total += size
        assert len(store) <= most
        held = [int(value) for block in store.blocks() for value in block.times]
        assert held == list(range(total - len(held), total))
        assert store.forgotten == total - len(held)


def test_blocks_out_of_order_still_find_their_rows():
    mesh = Mesh().call(5.0, "a.x")
    timeline = Timeline()
    timeline.take(mesh.batch())
    timeline.take(mesh.call(3.0, "a.x").call(9.0, "a.x").batch())
    (block,) = timeline.snapshot().call_blocks
    assert (block.is_sorted, block.from_ns, block.to_ns) == (False, at(3.0), at(9.0))
    assert list(block.rows_in(between(2, 6))) == [0, 1]


def test_snapshots_are_whole_while_another_thread_takes_in():
    names, rows = random_calls(200_000)
    timeline = Timeline(max_calls=50_000)
    seen = []

    def read() -> None:
        while timeline.revision < 100:
            snapshot = timeline.snapshot()
            ends = [block.times for block in snapshot.call_blocks]
            seen.append(all((end[1:] >= end[:-1]).all() for end in ends))
            seen.append(not ends or int(ends[-1][-1]) == snapshot.through_ns)

    reader = Thread(target=read)
    reader.start()
    for first in range(0, 200_000, 2_000):
        part = rows[first : first + 2_000]
        timeline.take(Batch(through_ns=int(part["end_ns"][-1]), names=names, calls=part))
    reader.join(timeout=30)
    assert seen
    assert all(seen)


def test_names_that_had_no_room_are_other():
    timeline = Timeline()
    timeline.take(Batch(through_ns=1, names=[Name(NameKind.ACTION, 1, 0, "a.x"), Name(NameKind.NAMESPACE, 0, 0, "")]))
    names = timeline.snapshot().names
    assert names.text(NameKind.ACTION, 1) == "a.x"
    assert names.text(NameKind.ACTION, OTHER_NAME) == "(other)"
    assert names.texts(NameKind.ACTION) == ["", "a.x", "(other)"]
    assert timeline.snapshot().namespaces() == [""]


def test_namespaces_are_listed_and_kept_apart():
    snapshot = Mesh("a").call(1, "x.y").call(1, "x.y", namespace="b").snapshot()
    assert snapshot.namespaces() == ["a", "b"]
    assert snapshot.names.find(NameKind.ACTION, "a", "x.y") != snapshot.names.find(NameKind.ACTION, "b", "x.y")


def test_an_action_belongs_to_the_service_that_lists_it_then_to_the_longest_prefix_then_to_its_last_dot():
    mesh = Mesh()
    mesh.service(0, "v2.orders", ["n"], ["get"])
    mesh.change(0, "service", "math", {"name": "math", "nodes": {"n": {"actions": {"add": {}}, "events": {}}}})
    for action in ("v2.orders.get", "v2.orders.lines.list", "add", "users.admin.get", "lonely"):
        mesh.call(1, action)
    snapshot = mesh.snapshot()
    services = [snapshot.directory.service_of_action(number) for number in range(1, 6)]
    assert services == ["v2.orders", "v2.orders", "math", "users.admin", "lonely"]
    declared = {snapshot.directory.services[index][1] for index in np.flatnonzero(snapshot.directory.declared)}
    assert declared == {"v2.orders", "math"}


def test_asked_at_a_moment_the_answer_is_the_interval_that_holds_it():
    state = Mesh().node(1, "n").node(5, "n", "offline").node(9, "n").snapshot().state
    states = [state.at("node", "", "n", at(second)) for second in (0, 1, 4.9, 5, 8, 9, 99)]
    assert [one and one.value["state"] for one in states] == [
        None, "online", "online", "offline", "offline", "online", "online"
    ]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50), st.booleans()), max_size=40), st.integers(0, 60))
def test_forgetting_keeps_of_each_key_the_interval_that_holds_the_cut(changes, cut):
    writer = StateWriter()
    changes = sorted(changes, key=lambda change: change[1])
    writer.take(StateChange("node", "", key, when, {"v": v}, "info") for key, when, v in changes)
    before = writer.book()
    writer.forget(cut)
    after = writer.book()
    assert before.of_kind("node").keys() == after.of_kind("node").keys()
    for key, history in before.of_kind("node").items():
        kept = after.of_kind("node")[key]
        assert kept == history[len(history) - len(kept) :]
        for moment in range(cut, 62):
            assert after.at("node", *key, moment) == before.at("node", *key, moment)


def test_intervals_are_bounded_too():
    writer = StateWriter(max_intervals=100)
    for when in range(1_000):
        writer.take([StateChange("breaker", "", "a|b", when, {"state": str(when % 2)}, "event")])
    history = writer.book().history("breaker", "", "a|b")
    assert len(history) <= 100
    assert history[-1].from_ns == 999


def test_a_service_that_a_thousand_nodes_introduce_at_once_is_one_interval():
    mesh = Mesh()
    for index in range(1_000):
        mesh.service(index / 10_000, "$node", [f"n-{one}" for one in range(index + 1)])
    (interval,) = mesh.snapshot().state.history("service", "", "$node")
    assert len(interval.value["nodes"]) == 1_000
    assert interval.from_ns == at(0)


def test_counters_of_one_second_add_up_over_batches():
    mesh, timeline = Mesh(), Timeline()
    for second in (1, 1, 2, 9, 1):
        timeline.take(mesh.packets(second, "REQ", 10).packets(second, "RES", 1).batch())
    counters = timeline.snapshot().counters
    assert sorted(counters.total(between(0, 10), "packets").values()) == [5, 50]
    edges = np.array([at(second) for second in (0, 1, 2, 3, 10)])
    assert counters.by_time(edges, "packets").tolist() == [0, 33, 11, 11]


def test_waiting_calls_are_bounded_and_go_when_they_end():
    mesh = Mesh()
    timeline = Timeline(max_waiting=3)
    for span in range(1, 6):
        mesh.waits(1, "a.x", span=span)
    timeline.take(mesh.batch())
    assert [call.span for call in timeline.snapshot().waiting] == [1, 2, 3]
    timeline.take(mesh.waits(1, "a.x", span=2, end=4.0).batch())
    assert [call.span for call in timeline.snapshot().waiting] == [1, 3]


def test_a_cursor_that_follows_shows_the_newest_row():
    snapshot = Mesh().call(1.0, "a.x").snapshot(through=1.0)
    span = Cursor(length_ns=0).span(snapshot.begin_ns, snapshot.through_ns)
    assert span == snapshot.everything()
    assert span.holds(at(1.0))
    assert Cursor(length_ns=60 * SECOND).span(snapshot.begin_ns, snapshot.through_ns).seconds == 60


@settings(max_examples=25)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_first_and_last_seen_do_not_depend_on_batches(sizes):
    names, rows = random_calls(sum(sizes), actions=20)
    timeline, first = Timeline(), 0
    for size in sizes:
        timeline.take(Batch(through_ns=START_NS, names=names, calls=rows[first : first + size]))
        first += size
    seen = timeline.snapshot().seen
    for action in np.unique(rows["action"]).tolist():
        own = rows["end_ns"][rows["action"] == action]
        assert seen.first_ns(NameKind.ACTION, action) == own.min()
        assert seen.last_ns(NameKind.ACTION, action) == own.max()
    assert seen.first_ns(NameKind.ACTION, 999) == -1
