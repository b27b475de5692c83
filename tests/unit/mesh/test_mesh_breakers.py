"""Questions about breakers: the board, the matrix, changes, holds, helpers, and what is guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from broker.mesh.breaker_guess import guesses
from broker.mesh.breaker_matrix import CELLS, Caller, Endpoint
from broker.mesh.breaker_states import Breaker, BreakerKey, breaker_at, breakers_at, changes_in, coverage, key_of
from broker.mesh.breakers import breakers
from broker.mesh.filter import parse
from broker.mesh.timeline import Timeline
from broker.observe.journal import Batch, Outcome
from tests.unit.mesh.mesh_builder import Mesh, at, between, random_timeline

SPAN = between(0, 60)
ERROR = "503|DOWN|ServiceError"
HELD = {"state": "held-open", "under": "closed", "hold": "h1", "by": "ann@desk", "reason": "maintenance"}


def shop() -> Mesh:
    """Two callers of a bank with two nodes; one of its nodes fails."""
    mesh = Mesh()
    mesh.calls(60, "bank.transfer", source="shop-1", target="bank-1")
    mesh.calls(30, "bank.transfer", source="shop-1", target="bank-1", outcome=Outcome.FAILED, error=ERROR, ms=50)
    mesh.calls(120, "bank.transfer", source="shop-1", target="bank-2")
    mesh.calls(12, "bank.transfer", source="shop-2", target="bank-2")
    return mesh.calls(6, "$node.list", source="shop-2", target="bank-2")


def way(owner: str, node_id: str = "bank-1", action: str = "bank.transfer") -> BreakerKey:
    """A caller's breaker."""
    return BreakerKey("", owner, node_id, action)


def test_a_row_for_each_caller_and_endpoint_with_calls_error_then_volume() -> None:
    rows = breakers(shop().snapshot(60), SPAN).rows
    assert [(row.breaker.key, row.breaker.state, row.figures.calls, row.callers) for row in rows] == [
        (way("shop-1"), "unknown", 90, 1),
        (way("shop-1", "bank-2"), "unknown", 120, 2),
        (way("shop-2", "bank-2"), "unknown", 12, 2),
    ]
    assert round(rows[0].figures.error_share, 3) == 0.333
    assert rows[0].curve[-30:].tolist() == [1.5] * 30


def test_what_stops_traffic_comes_first_and_has_a_row_though_nothing_is_seen_of_it() -> None:
    mesh = shop().change(10, "breaker", "shop-2|bank-1:bank.transfer", HELD | {"until_ns": at(300)}, "helper")
    mesh.change(11, "breaker", "shop-1|bank-2:bank.transfer", {"state": "open", "failures": 21, "count": 50}, "event")
    mesh.change(12, "breaker", "shop-9|bank-2:bank.transfer", {"state": "closed"}, "helper")
    rows = breakers(mesh.snapshot(60), SPAN).rows
    assert [(row.breaker.key.owner, row.breaker.key.node_id, row.breaker.state) for row in rows] == [
        ("shop-1", "bank-2", "open"),
        ("shop-2", "bank-1", "held-open"),
        ("shop-1", "bank-1", "unknown"),
        ("shop-2", "bank-2", "unknown"),
    ]
    assert rows[0].breaker == Breaker(way("shop-1", "bank-2"), "open", "event", at(11), failures=21, count=50)


def test_the_endpoints_own_breaker_has_the_calls_of_all_its_callers() -> None:
    mesh = shop().change(5, "breaker", "bank-2|bank-2:bank.transfer", {"state": "half-open"}, "event")
    row = breakers(mesh.snapshot(60), SPAN).rows[0]
    assert (row.breaker.key.is_own, row.figures.calls) == (True, 132)


def test_the_board_is_sorted_and_shows_what_is_wanted() -> None:
    mesh = shop().change(11, "breaker", "shop-2|bank-2:bank.transfer", {"state": "open"}, "event")
    mesh.change(12, "breaker", "shop-1|bank-2:bank.transfer", {"state": "closed"}, "helper")
    snapshot = mesh.snapshot(60)

    def owners(**wanted: Any) -> list[str]:
        rows = breakers(snapshot, SPAN, **wanted).rows
        return [f"{row.breaker.key.owner}>{row.breaker.key.node_id}" for row in rows]

    assert owners(sort="volume") == ["shop-1>bank-2", "shop-1>bank-1", "shop-2>bank-2"]
    assert owners(sort="name") == ["shop-1>bank-1", "shop-1>bank-2", "shop-2>bank-2"]
    assert owners(sort="slow") == ["shop-1>bank-1", "shop-2>bank-2", "shop-1>bank-2"]
    assert owners(sort="changed") == ["shop-1>bank-2", "shop-2>bank-2", "shop-1>bank-1"]
    assert owners(show="closed") == ["shop-1>bank-2"]
    assert owners(show="not seen") == ["shop-1>bank-1"]
    assert owners(show="not closed") == ["shop-2>bank-2"]
    assert owners(filter=parse("source = shop-2")) == ["shop-2>bank-2"]
    assert breakers(snapshot, SPAN, limit=1).total == 3


def test_settings_are_the_helpers_else_those_of_the_actions_definition() -> None:
    mesh = shop().service(0, "bank", ["bank-1"], ["transfer"])
    offer = {"enabled": True, "threshold": 0.4, "minRequestCount": 8, "windowTime": 30, "halfOpenTime": 4000}
    actions = {"bank.transfer": {"circuitBreaker": offer}}
    mesh.change(1, "service", "bank", {"name": "bank", "nodes": {"bank-1": {"actions": actions, "events": {}}}})
    snapshot = mesh.snapshot(60)
    found = breaker_at(snapshot, way("shop-1"), at(60))
    assert found == Breaker(
        way("shop-1"),
        threshold=0.4,
        min_count=8,
        window_ms=30_000,
        half_open_ms=4000,
        settings_from="schema",
        is_enabled=True,
    )
    mesh.change(1, "service", "bank", {"name": "bank", "nodes": {"bank-1": {"actions": actions, "events": {}}}})
    mesh.change(10, "breaker", "shop-1|bank-1:bank.transfer", {"state": "open"}, "event")
    assert breaker_at(mesh.snapshot(60), way("shop-1"), at(60)).until_ns == at(14)
    told = {"state": "closed", "threshold": 0.6, "min": 5, "window_ms": 1, "half_open_ms": 2, "enabled": True}
    mesh.change(20, "breaker", "shop-1|bank-1:bank.transfer", told, "helper")
    snapshot = mesh.snapshot(60)
    assert breaker_at(snapshot, way("shop-1"), at(60)).settings_from == "helper"


def test_the_matrix_has_every_caller_by_every_endpoint_or_by_its_node() -> None:
    mesh = shop().calls(5, "bank.balance", source="shop-2", target="bank-2")
    mesh.change(5, "breaker", "shop-2|bank-2:bank.transfer", {"state": "closed"}, "helper")
    mesh.change(5, "breaker", "shop-2|bank-2:bank.balance", {"state": "open"}, "helper")
    mesh.change(5, "breaker", "shop-1|bank-1:bank.transfer", {"state": "closed", "enabled": False}, "helper")
    mesh.change(5, "breaker", "shop-9|bank-9:never.called", {"state": "closed", "count": 0}, "helper")
    mesh.change(5, "breaker", "shop-3|bank-1:bank.transfer", {"state": "held-closed"}, "helper")
    snapshot = mesh.snapshot(60)
    found = breakers(snapshot, SPAN).matrix
    assert found.callers == (Caller("", "shop-1"), Caller("", "shop-2"), Caller("", "shop-3"))
    assert found.endpoints == (
        Endpoint("", "bank-1", "bank.transfer"),
        Endpoint("", "bank-2", "bank.balance"),
        Endpoint("", "bank-2", "bank.transfer"),
    )
    assert [[found.state(row, column) for column in range(3)] for row in range(3)] == [
        ["off", "", "unknown"],
        ["", "open", "closed"],
        ["held-closed", "", ""],
    ]
    by_node = breakers(snapshot, SPAN, by_node=True).matrix
    assert by_node.endpoints == (Endpoint("", "bank-1", ""), Endpoint("", "bank-2", ""))
    assert [[by_node.state(row, column) for column in range(2)] for row in range(3)] == [
        ["off", "unknown"],
        ["", "open"],
        ["held-closed", ""],
    ]


def test_every_change_is_told_newest_first_and_what_was_found_closed_is_none() -> None:
    mesh = Mesh().change(1, "breaker", "a|b:x.y", {"state": "closed"}, "helper")
    mesh.change(2, "breaker", "a|b:x.y", {"state": "open", "failures": 3, "count": 4}, "event")
    mesh.change(3, "breaker", "a|b:x.y", {"state": "open", "failures": 4, "count": 5}, "event")
    mesh.change(4, "breaker", "a|b:x.y", HELD, "helper")
    mesh.change(5, "breaker", "a|b:x.y", HELD | {"hold": "h2"}, "helper").change(6, "breaker", "a|b:x.y", None)
    found = changes_in(mesh.snapshot(60), SPAN)
    assert [(one.at_ns, one.was, one.state, one.reason, one.by) for one in found] == [
        (at(6), "held-open", "gone", "", ""),
        (at(5), "held-open", "held-open", "maintenance", "ann@desk"),
        (at(4), "open", "held-open", "maintenance", "ann@desk"),
        (at(2), "closed", "open", "3 of 4 failed", ""),
    ]


def test_a_move_is_told_when_its_event_came_and_why_when_the_helper_says_so() -> None:
    mesh = Mesh().change(1, "breaker", "a|b:x.y", {"state": "closed"}, "helper")
    mesh.change(2, "breaker", "a|b:x.y", {"state": "open", "failures": 0, "count": 0}, "event")
    mesh.change(3, "breaker", "a|b:x.y", {"state": "open", "reason": "tripped by ann"}, "helper")
    mesh.change(4, "breaker", "a|b:x.y", {"state": "half-open"}, "event")
    found = changes_in(mesh.snapshot(60), SPAN)
    assert [(one.at_ns, one.was, one.state, one.reason, one.source) for one in found] == [
        (at(4), "open", "half-open", "", "event"),
        (at(2), "closed", "open", "tripped by ann", "helper"),
    ]


def test_a_state_that_was_passed_through_at_one_moment_is_told_too() -> None:
    mesh = Mesh().change(1, "breaker", "a|b:x.y", {"state": "closed"}, "helper")
    mesh.change(2, "breaker", "a|b:x.y", {"state": "open"}, "event")
    for state in ("half-open", "closed"):  # as two packets that the kernel joined before they were read
        mesh.change(3, "breaker", "a|b:x.y", {"state": state}, "event")
    mesh.change(3, "breaker", "a|b:x.y", {"state": "closed", "reason": "the trial call was answered"}, "helper")
    snapshot = mesh.snapshot(60)
    assert [(one.at_ns, one.was, one.state, one.reason) for one in changes_in(snapshot, SPAN)] == [
        (at(3), "half-open", "closed", "the trial call was answered"),
        (at(3), "open", "half-open", ""),
        (at(2), "closed", "open", ""),
    ]
    key = BreakerKey("", "a", "b", "x.y")
    assert [breaker_at(snapshot, key, at(second)).state for second in (2, 3, 4)] == ["open", "closed", "closed"]
    assert breaker_at(snapshot, key, at(4)).since_ns == at(3)


@given(st.lists(st.sampled_from(["closed", "open", "half-open"]), max_size=12), st.integers(1, 12))
def test_packets_that_come_to_have_one_stamp_lose_no_move(states: list[str], joined: int) -> None:
    def told(joined: int) -> list[tuple[str, str]]:
        mesh = Mesh().calls(1, "x.y")
        for place, state in enumerate(states):
            mesh.change(1 + place // joined, "breaker", "a|b:x.y", {"state": state}, "event")
        return [(change.was, change.state) for change in changes_in(mesh.snapshot(60), SPAN)]

    assert told(joined) == told(1)


def test_the_end_of_a_hold_says_whether_its_time_was_over_and_not_what_happened_before_it() -> None:
    held, closed = HELD | {"until_ns": at(9)}, {"state": "closed", "reason": "the trial call was answered"}
    mesh = Mesh().change(1, "breaker", "a|b:x.y", held, "helper").change(5, "breaker", "a|b:x.y", closed, "helper")
    mesh.change(6, "breaker", "a|b:x.y", held, "helper").change(9, "breaker", "a|b:x.y", closed, "helper")
    found = changes_in(mesh.snapshot(60), SPAN)
    assert [one.reason for one in found if one.state == "closed"] == ["its time was over", "the hold was released"]


def test_counts_go_on_in_one_interval_and_looking_back_they_are_not_told_before_they_were() -> None:
    value = {"state": "closed", "failures": 1, "count": 9, "counted_ns": at(5)}
    mesh = Mesh().change(5, "breaker", "a|b:x.y", value, "helper")
    mesh.change(20, "breaker", "a|b:x.y", value | {"failures": 2, "counted_ns": at(20)}, "helper")
    snapshot = mesh.snapshot(60)
    assert len(snapshot.state.history("breaker", "", "a|b:x.y")) == 1
    key = BreakerKey("", "a", "b", "x.y")
    assert breaker_at(snapshot, key, at(30)) == Breaker(key, "closed", "helper", at(5), failures=2, count=9)
    assert breaker_at(snapshot, key, at(10)) == Breaker(key, "closed", "helper", at(5))


def test_holds_in_force_end_when_they_say_so() -> None:
    mesh = Mesh().change(1, "breaker", "a|b:x.y", HELD | {"until_ns": at(30)}, "helper")
    mesh.change(1, "breaker", "c|b:x.y", HELD | {"until_ns": at(90)}, "helper")
    snapshot = mesh.snapshot(60)
    assert [one.key.owner for one in breakers(snapshot, between(0, 20)).holds] == ["a", "c"]
    assert [one.key.owner for one in breakers(snapshot, SPAN).holds] == ["c"]


def test_coverage_tells_which_nodes_have_a_helper_and_which_may_act() -> None:
    mesh = Mesh().node(0, "a").node(0, "b", services=["$meshscope"]).node(0, "c").node(0, "me", ours=True)
    mesh.node(0, "d", "offline")
    helper = {"instance": "1", "program": "p", "acts": True, "refused": {"late": 2}, "heard_ns": at(50)}
    found = coverage(mesh.change(5, "helper", "a", helper, "helper").snapshot(60), at(60))
    assert (found.nodes, len(found.helpers), found.acting, found.refused) == (3, 1, 1, 2)
    assert (found.without, found.unheard) == ((("", "b"), ("", "c")), (("", "b"),))
    assert not found.helpers["", "a"].is_silent
    assert coverage(mesh.change(5, "helper", "a", helper, "helper").snapshot(60), at(150)).helpers["", "a"].is_silent


def test_node_ids_may_hold_colons() -> None:
    assert key_of("", "a:1|b:2:v2.x.y") == BreakerKey("", "a:1", "b:2", "v2.x.y")


def left_out(*, error: str = ERROR, until: float = 30.0, tries: int = 0, others: str = "bank-2") -> Mesh:
    """A caller whose calls to one endpoint fail for half a minute, then stop, while it calls on the other."""
    mesh = Mesh().node(0, "bank-1").node(0, "bank-2")
    mesh.calls(30, "bank.transfer", 0, until, source="shop-1", target="bank-1", outcome=Outcome.FAILED, error=error)
    mesh.calls(tries, "bank.transfer", 55, 60, source="shop-1", target="bank-1", outcome=Outcome.FAILED, error=error)
    return mesh.calls(60, "bank.transfer", source="shop-1", target=others)


def test_traffic_that_stops_after_failures_while_others_go_on_is_guessed_to_be_an_open_breaker() -> None:
    snapshot = left_out().snapshot(60)
    assert guesses(snapshot, at(60)) == {("", "shop-1", "bank-1", "bank.transfer"): at(29)}
    assert [(one.state, one.source) for one in breakers_at(snapshot, at(60))] == [("open", "guess")]
    assert guesses(left_out(tries=1).snapshot(60), at(60)) != {}


def test_nothing_is_guessed_where_something_else_explains_it() -> None:
    assert guesses(left_out(error="404|X|Y").snapshot(60), at(60)) == {}  # no breaker counts these
    assert guesses(left_out(until=60).snapshot(60), at(60)) == {}  # it goes on
    assert guesses(left_out(tries=2).snapshot(60), at(60)) == {}
    assert guesses(left_out(others="bank-1").snapshot(60), at(60)) == {}
    assert guesses(left_out().node(31, "bank-1", "offline").snapshot(60), at(60)) == {}
    mesh = left_out().change(40, "breaker", "shop-1|bank-1:bank.transfer", {"state": "closed"}, "asked")
    assert [one.source for one in breakers_at(mesh.snapshot(60), at(60))] == ["asked"]  # somebody knows better


def test_five_hundred_nodes_and_two_thousand_endpoints_give_bounded_answers() -> None:
    timeline: Timeline = random_timeline(200_000, actions=100, nodes=500)
    found = breakers(timeline.snapshot(), timeline.snapshot().everything())
    assert len(found.rows) == 1_000 < found.total
    assert found.matrix.cells.shape == (len(found.matrix.callers), len(found.matrix.endpoints))
    assert found.matrix.left_out == max(0, found.matrix.left_out)
    assert int(np.count_nonzero(found.matrix.cells)) <= found.total
    assert CELLS[int(found.matrix.cells.max())] == "unknown"


def test_nothing_heard_gives_an_empty_answer() -> None:
    timeline = Timeline()
    timeline.take(Batch(through_ns=at(1)))
    found = breakers(timeline.snapshot(), SPAN)
    assert (found.rows, found.total, found.matrix.callers, found.changes, found.holds) == ((), 0, (), (), ())
    assert replace(found.coverage) == found.coverage
