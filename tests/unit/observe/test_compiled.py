"""The compiled module and its twins in Python tell the same."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.clock import MILLISECOND
from broker.native import compiled
from broker.observe.ids import id64
from broker.observe.journal import CALL_COLUMNS, Batch
from broker.observe.limits import Limits
from broker.observe.pipeline import Pipeline
from broker.observe.routes import between
from broker.observe.rows import CallRow, Entry, Rows, call_columns, take_columns
from broker.observe.young import Young, YoungCalls
from broker.protocol.frame import Frame, RawFrame
from tests.script import START_NS
from tests.unit.observe.test_laws import STEPS, joined, told

pytestmark = pytest.mark.usefixtures("compiled_module")


Withhold = Callable[[bytes], None] | None


def watched(
    frames: Sequence[Frame], *, is_compiled: bool, limits: Limits | None = None, withhold: Withhold = None
) -> list[Batch]:
    """What a pipeline makes of frames, each with a number, taken every 50 of them."""
    pipeline = Pipeline(begin_ns=START_NS, limits=limits, is_compiled=is_compiled, withhold=withhold)
    batches = []
    for begin in range(0, len(frames), 50):
        some = frames[begin : begin + 50]
        for at_ns in sorted({frame.at_ns for frame in some}):
            numbers = [begin + place for place, frame in enumerate(some, 1) if frame.at_ns == at_ns]
            pipeline.feed(at_ns, [frame[1:] for frame in some if frame.at_ns == at_ns], numbers)
        batches.append(pipeline.take(some[-1].at_ns))
    return [*batches, pipeline.take(START_NS + 10_000_000 * MILLISECOND)]


def watched_in_runs(frames: Sequence[Frame], limits: Limits | None = None, withhold: Withhold = None) -> list[Batch]:
    """As `watched`, with one feed for all frames between two batches."""
    pipeline = Pipeline(begin_ns=START_NS, limits=limits, is_compiled=True, withhold=withhold)
    batches = []
    for begin in range(0, len(frames), 50):
        some = frames[begin : begin + 50]
        numbers = list(range(begin + 1, begin + 1 + len(some)))
        pipeline.feed_run([frame.at_ns for frame in some], [frame[1:] for frame in some], numbers)
        batches.append(pipeline.take(some[-1].at_ns))
    return [*batches, pipeline.take(START_NS + 10_000_000 * MILLISECOND)]


def agree(frames: Sequence[Frame], limits: Limits | None = None) -> dict[str, Any]:
    """What both tell, and ours in runs."""
    withheld: tuple[list[bytes], list[bytes], list[bytes]] = ([], [], [])
    ours = joined(watched(frames, is_compiled=True, limits=limits, withhold=withheld[0].append))
    assert ours == joined(watched(frames, is_compiled=False, limits=limits, withhold=withheld[1].append))
    assert ours == joined(watched_in_runs(frames, limits, withheld[2].append))
    assert withheld[0] == withheld[1] == withheld[2]
    return ours


@settings(max_examples=300)
@given(STEPS)
def test_every_story_is_told_the_same(steps: list[tuple[Any, ...]]) -> None:
    agree(sorted(told(steps).frames, key=lambda frame: frame.at_ns))


@settings(max_examples=100)
@given(STEPS, st.integers(1, 5), st.integers(1, 60))
def test_limits_hold_in_the_same_way(steps: list[tuple[Any, ...]], open_calls: int, id_length: int) -> None:
    limits = Limits(open_calls=open_calls, ended_calls=4, id_length=id_length, channels=3)
    agree(sorted(told(steps).frames, key=lambda frame: frame.at_ns), limits)


REQUEST = {
    "ver": "5",
    "sender": "node-1",
    "id": "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
    "action": "users.get",
    "params": {"id": 7, "name": "Åsa \u2028", "list": [1.5, -2e3, None, True, {"a": {}}, [], ""]},
    "meta": {"user": 'x "quoted" \\ \n'},
    "headers": {},
    "timeout": 5000,
    "level": 1,
    "tracing": None,
    "parentID": None,
    "requestID": "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
    "caller": "v2.orders",
    "stream": False,
}
RESPONSE = {
    "ver": "5",
    "sender": "node-2",
    "id": REQUEST["id"],
    "success": True,
    "data": {"ok": [1, 2, "three"]},
    "meta": {},
    "headers": {},
    "stream": False,
}
EVENT = {
    "ver": "5",
    "sender": "node-1",
    "id": REQUEST["id"],
    "event": "order.created",
    "data": {"id": 7, "name": "Åsa"},
    "groups": ["mail", "stock"],
    "broadcast": False,
    "meta": {},
    "level": 1,
    "tracing": None,
    "parentID": None,
    "requestID": REQUEST["id"],
    "caller": "v2.orders",
    "needAck": None,
}
KINDS = {
    "request": (b"MOL.REQ.node-2", REQUEST),
    "response": (b"MOL.RES.node-1", RESPONSE),
    "event": (b"MOL.EVENT.node-2", EVENT),
    "balanced event": (b"MOL.EVENTB.mail.order.created", EVENT),
}
ODD_TEXTS = ["", "x", "é", "\ud800", "a\u0000b", "x" * 41, "x" * 600, "1B4E28BA-2FA1-11d2-883f~", "node-2"]
ODD = st.sampled_from(
    [None, True, False, 0, 1, -1, 2.0, 1e300, 10**30, 86_400_001, 900, *ODD_TEXTS, [], {}, ["a"], ["a", 'b"'], {"a": 1}]
)
FIELDS = sorted({*REQUEST, *RESPONSE, *EVENT, "seq", "error", "other"})
CHANGES = st.lists(st.tuples(st.sampled_from(FIELDS), st.one_of(ODD, st.just("(none)"))), max_size=2)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n")])
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from([b"", b'"', b"\\", b"{", b"}", b",", b"\xff", b"0", b" "]))
)


def body(packet: dict[str, Any], changes: Iterable[tuple[str, Any]], separators: tuple[str, str], damage: Any) -> bytes:
    """A packet with other fields, other blanks, and bytes that are replaced by others."""
    changed = dict(packet)
    for field, value in changes:
        if value == "(none)":
            changed.pop(field, None)
        else:
            changed[field] = value
    text = json.dumps(changed, separators=separators).encode("utf-8", "surrogatepass")
    for where, other in damage:
        place = int(where * len(text))
        text = text[:place] + other + text[place + 1 :]
    return text


PACKETS = st.lists(
    st.tuples(st.sampled_from(sorted(KINDS)), CHANGES, SEPARATORS, st.one_of(st.just([]), st.just([]), DAMAGE)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=1_000)
@given(PACKETS)
def test_odd_packets_among_ordinary_ones_are_told_the_same(packets: list[Any]) -> None:
    ordinary = [(channel, body(packet, [], (",", ":"), [])) for channel, packet in KINDS.values()]
    frames: list[RawFrame] = [*ordinary, *ordinary]
    for kind, changes, separators, damage in packets:
        channel, packet = KINDS[kind]
        frames.append((channel, body(packet, changes, separators, damage)))
    frames += ordinary
    agree([Frame(START_NS + place * MILLISECOND, *frame) for place, frame in enumerate(frames)])


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inside: st.one_of(st.lists(inside), st.dictionaries(st.text(), inside)),
)


@settings(max_examples=300)
@given(VALUES, st.booleans(), SEPARATORS)
def test_any_payload_is_passed_over(value: Any, is_ascii: bool, separators: tuple[str, str]) -> None:
    text = json.dumps({**REQUEST, "params": value}, ensure_ascii=is_ascii, separators=separators)
    frames = [(b"MOL.REQ.node-2", body(REQUEST, [("id", "first")], separators, []))]
    frames += [(b"MOL.REQ.node-2", text.encode("utf-8", "surrogatepass"))]
    agree([Frame(START_NS + place, *frame) for place, frame in enumerate(frames)])


@given(st.lists(st.one_of(ODD, st.text(max_size=5)), max_size=4), SEPARATORS)
def test_groups_of_events_are_told_the_same(groups: list[Any], separators: tuple[str, str]) -> None:
    text = body(EVENT, [("groups", groups)], separators, [])
    agree([Frame(START_NS + place, b"MOL.EVENT.node-2", text) for place in range(3)])


def test_a_busy_mesh_is_told_the_same() -> None:
    random, frames, waiting = Random(1), [], list[tuple[str, int]]()
    for place in range(20_000):
        at_ns = START_NS + place * random.choice([0, 1, 50_000])
        if len(waiting) < 40 or random.random() < 0.5:
            call_id = str(uuid.UUID(int=random.getrandbits(128)))
            node = random.randrange(5)
            packet = {**REQUEST, "id": call_id, "action": f"a.{random.randrange(20)}", "level": random.randrange(1, 4)}
            packet["requestID"] = random.choice([call_id, REQUEST["id"], "trace-1", None])
            packet["timeout"] = random.choice([0, 0, 3_000, 1])
            frames.append(Frame(at_ns, b"MOL-a.REQ.node-%d" % node, json.dumps(packet).encode()))
            waiting.append((call_id, node))
        else:
            call_id, node = waiting.pop(random.randrange(len(waiting)))
            packet = {**RESPONSE, "id": call_id, "sender": f"node-{node}", "success": random.random() < 0.9}
            frames.append(Frame(at_ns, b"MOL-a.RES.node-1", json.dumps(packet).encode()))
    told_of = agree(sorted(frames, key=lambda frame: frame.at_ns))
    assert len(told_of["calls"]) > 9_000


KEYS = st.sampled_from(["a", "b", "1\0a", "é", "\ud800", "x" * 56, "x" * 57, "x" * 200])
OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["setdefault", "set", "pop", "del", "get", "in", "until", "endless", "oldest", "forget", "many"]
        ),
        KEYS,
        st.integers(0, 3),
    ),
    max_size=60,
)


def entry(begin_ns: int, node: int, text: str, trace: Any = None) -> Entry:
    return (begin_ns, between(1, node, 0), 10, text, trace, None, 7, node % 2 * 5)


def operated(young: YoungCalls, what: str, key: str, number: int, now: int) -> Any:
    """What an operation gives."""
    one = entry(now, number, key, [key])
    match what:
        case "setdefault":
            return young.setdefault(key, one)
        case "set":
            young[key] = one if key not in young else (*(young.get(key) or one)[:2], 99, *one[3:])
        case "many":
            for place in range(600):
                young.setdefault(f"{now}-{place}", one)
        case "del" if key in young:
            del young[key]
        case "pop":
            return young.pop(key, None)
        case "get":
            return young.get(key)
        case "until":
            return young.begun_until(now - number)
        case "endless":
            return young.endless_to(number)
        case "oldest":
            return young.oldest_ns()
        case "forget":
            return young.forget_oldest(number * 100)
    return key in young, len(young)


@settings(max_examples=300)
@given(OPERATIONS)
def test_young_calls_are_kept_the_same(operations: list[tuple[str, str, int]]) -> None:
    ours, twin, now = compiled.Young(), Young(), 0
    for what, key, number in operations:
        now += number
        assert operated(ours, what, key, number, now) == operated(twin, what, key, number, now)
    assert ours.all() == twin.all()


IDS = st.one_of(
    st.none(), st.just(5), st.uuids().map(str), st.text(max_size=40), st.just("00000000-0000-0000-0000-000000000000")
)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2**62),
        st.binary(min_size=16, max_size=16),
        st.integers(0, 2**33),
        st.one_of(st.uuids().map(str), st.text(min_size=1)),
        IDS,
        IDS,
        st.integers(0, 2**63),
        st.just(0),
        st.integers(0, 2**62),
        st.integers(0, 2**24 - 1),
        st.integers(0, 2**33),
        st.integers(0, 2**63),
    ),
    min_size=1,
)


@given(ROWS)
def test_rows_become_the_same_columns(rows: list[CallRow]) -> None:
    ours, twin = compiled.Rows(id64), Rows(rows)
    for row in rows:
        ours.append(row)
    for first in (0, len(rows) // 2, len(rows)):
        assert ours.answers(first) == twin.answers(first)
    expected, expected_routes = call_columns(rows)
    table, routes = take_columns(ours)
    assert routes == expected_routes
    for name in CALL_COLUMNS.names or ():
        np.testing.assert_array_equal(table[name], expected[name], name)
    assert len(ours) == 0


def test_a_row_is_as_wide_as_its_columns() -> None:
    assert CALL_COLUMNS.itemsize == compiled.ROW_BYTES
