"""What holds for every story, looked for by machine."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.clock import SECOND
from broker.observe.journal import COUNTED_OUTCOMES, Batch, CallFlag, NameKind
from broker.observe.limits import OVERTAKEN_NS, Limits
from broker.observe.pipeline import Pipeline
from broker.protocol.channels import parse_channel
from broker.protocol.headers import NODE_OPTIONS, Malformed, read_request, read_response
from tests.script import START_NS, Script, at, failure, service
from tests.unit.observe.reading import final, seconds

IDS = st.sampled_from("abcd")
MOMENTS = st.sampled_from([0, 0, 0.01, 0.1, 0.5, 1, 1.5])
TIMEOUTS = st.sampled_from([0, None, -1, True, "x", 0.001, 20, 500, 1000, 1500, 1000.0])
NODES = st.sampled_from(["n1", "n1", "n.3"])
SPACES = st.sampled_from(["", "", "", "a.b"])
ACTIONS = st.sampled_from(["users.get", "users.get", NODE_OPTIONS])
STREAMS = st.sampled_from([(False, None), (True, 0), (True, 1), (False, 2), (False, 0), (True, None)])

REQUESTS = st.tuples(st.just("request"), MOMENTS, IDS, NODES, SPACES, TIMEOUTS, STREAMS, ACTIONS)
RESPONSES = st.tuples(st.just("response"), MOMENTS, IDS, NODES, SPACES, st.booleans(), STREAMS)
NODE_STEPS = st.tuples(
    st.sampled_from(["info", "heartbeat", "disconnect", "empty info", "restart"]), MOMENTS, NODES, SPACES
)
OTHERS = st.tuples(
    st.sampled_from(
        [
            "event",
            "gap",
            "end of gap",
            "ours",
            "channels",
            "no channels",
            "raw",
            "breaker",
            "long wait",
            "helper",
            "asked",
        ]
    ),
    MOMENTS,
    NODES,
    SPACES,
)
STEPS = st.lists(st.one_of(REQUESTS, REQUESTS, RESPONSES, RESPONSES, NODE_STEPS, OTHERS), max_size=40)

STREAMED = CallFlag.REQUEST_STREAM | CallFlag.RESPONSE_STREAM


def told(steps: list[tuple[Any, ...]], story: Script | None = None) -> Script:
    """The story of these steps; each comes so many seconds after the one before."""
    story, now = story or Script(), 0.0
    for what, pause, *rest in steps:
        now = round(now + pause * (40 if what == "long wait" else 1), 6)
        if what == "request":
            call_id, node, space, timeout, (stream, seq), action = rest
            story.request(
                now, action, id=call_id, target=node, namespace=space, timeout=timeout, stream=stream, seq=seq
            )
        elif what == "response":
            call_id, node, space, is_ok, (stream, seq) = rest
            error = None if is_ok else failure(504, "REQUEST_TIMEOUT")
            story.response(now, id=call_id, sender=node, namespace=space, error=error, stream=stream, seq=seq)
        else:
            tell_other(story, what, now, *rest)
    return story


def tell_other(story: Script, what: str, now: float, node: str, space: str) -> None:
    """One step that is no call."""
    services = [service(f"v2.{node}", "get", events=["x.*"])]
    breaker = {"nodeID": node, "action": "a.b", "failures": 5, "count": 10, "rate": 0.5}
    gap = b"@gap"
    one = {"node": node, "action": "a.b", "state": "open", "failures": int(now) % 3, "count": 4, "since": 1, "until": 9}
    listed = {"node": node, "instance": "i", "at": int(now * 1000), "breakers": [one], "acts": True}
    asked = {"what": "endpoints", "namespace": space, "node": node, "open": [], "closed": [[node, "a.b"]]}
    {
        "info": lambda: story.info(now, node, services, namespace=space, seq=2),
        "empty info": lambda: story.info(now, node, [], namespace=space, seq=3),
        "restart": lambda: story.info(now, node, services, namespace=space, instance_id=str(now)),
        "heartbeat": lambda: story.heartbeat(now, node, now, namespace=space),
        "long wait": lambda: story.heartbeat(now, node, 1, namespace=space),
        "disconnect": lambda: story.disconnect(now, node, namespace=space),
        "event": lambda: story.event(now, sender=node, namespace=space, groups=["b", "a"]),
        "breaker": lambda: story.event(now, "$circuit-breaker.opened", sender=node, namespace=space, data=breaker),
        "helper": lambda: story.event(now, "$meshscope.breakers", sender=node, namespace=space, data=listed),
        "asked": lambda: story.note(now, b"@asked", **asked),
        "gap": lambda: story.note(now, gap, phase="begin", reason="cut"),
        "end of gap": lambda: story.note(now, gap, phase="end"),
        "ours": lambda: story.ours(now, node),
        "channels": lambda: story.channels(now, "MOL.REQ.n1", "MOL-a.REQ.n.3", "MOL.RES.n1"),
        "no channels": lambda: story.channels(now),
        "raw": lambda: story.raw(now, f"MOL.REQ.{node}", b"\xff"),
    }[what]()


PAUSES = st.lists(st.tuples(st.integers(0, 40), st.sampled_from([0.001, 0.03, 0.4, 0.7, 1.1, 3, 31, 200, 601])))


def watch(
    story: Script, cuts: list[int], pauses: list[float], until: float, limits: Limits | None = None
) -> list[Batch]:
    """What a pipeline makes of a story when it is fed in other pieces, and asked in between."""
    pipeline = Pipeline(begin_ns=START_NS, limits=limits)
    batches = []
    frames = story.frames
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(frames)}), len(frames)]
    moments = sorted(at(pause) for pause in pauses)
    for begin, end in pairwise(edges):
        for at_ns in sorted({frame.at_ns for frame in frames[begin:end]}):
            while moments and moments[0] < at_ns:
                batches.append(pipeline.take(moments.pop(0)))
            pipeline.feed(at_ns, [frame[1:] for frame in frames[begin:end] if frame.at_ns == at_ns])
        if begin % 2:
            batches.append(pipeline.take(frames[end - 1].at_ns))
    return [*batches, *map(pipeline.take, [*moments, at(until)])]


def joined(batches: list[Batch]) -> dict[str, Any]:
    """Batches as one; counters of the same second added up."""
    counters: dict[tuple[int, ...], np.ndarray[Any, Any]] = {}
    for batch in batches:
        for row in batch.counters.tolist():
            key = row[:3]
            counters[key] = counters.get(key, np.zeros(4, int)) + np.array(row[3:])
    tally = batches[-1].tally
    return {
        "calls": [row for batch in batches for row in batch.calls.tolist()],
        "events": [row for batch in batches for row in batch.events.tolist()],
        "names": [name for batch in batches for name in batch.names],
        "waiting": [call for batch in batches for call in batch.waiting],
        "changes": [change for batch in batches for change in batch.changes],
        "counters": {key: list(row) for key, row in counters.items()},
        "tally": tally,
    }


@settings(max_examples=300)
@given(STEPS, st.lists(st.tuples(st.integers(0, 40), st.sampled_from([0, 0.01, 0.4, 1.1, 31]))))
def test_a_run_tells_what_its_frames_tell_moment_by_moment(
    steps: list[tuple[Any, ...]], cuts: list[tuple[int, float]]
) -> None:
    frames = told(steps).frames
    pauses = {cut: pause for cut, pause in cuts if 0 < cut < len(frames)}
    ours, theirs = Pipeline(begin_ns=START_NS), Pipeline(begin_ns=START_NS)
    taken: tuple[list[Batch], list[Batch]] = ([], [])
    for begin, end in pairwise([0, *sorted(pauses), len(frames)]):
        some = frames[begin:end]
        ours.feed_run([frame.at_ns for frame in some], [frame[1:] for frame in some])
        for at_ns in sorted({frame.at_ns for frame in some}):
            theirs.feed(at_ns, [frame[1:] for frame in some if frame.at_ns == at_ns])
        now_ns = frames[end - 1].at_ns + int(pauses.get(end, 601) * SECOND) if frames else START_NS
        taken[0].append(ours.take(now_ns))  # what comes next may lie before it
        taken[1].append(theirs.take(now_ns))
    assert joined(taken[0]) == joined(taken[1])


@settings(max_examples=300)
@given(STEPS)
def test_every_call_ends_once_whatever_the_order(steps: list[tuple[Any, ...]]) -> None:
    story = told(steps)
    requests = opened_calls(story)
    batch = story.batch(until=story.end_s() + 10_000)
    counted = int(np.sum(batch.calls["outcome"] < COUNTED_OUTCOMES))
    tally = batch.tally
    assert tally.requests_open == 0
    assert tally.requests_forgotten == 0
    assert counted + tally.requests_unheard <= requests
    assert np.all(batch.calls["duration_s"] >= 0)
    ends_ns = batch.calls["end_ns"]
    late_ns = np.maximum.accumulate(ends_ns) - ends_ns  # a stream whose end overtook packets is told of later
    assert np.all(late_ns[batch.calls["flags"] & STREAMED == 0] == 0)
    assert np.all(late_ns <= OVERTAKEN_NS)
    assert {call.span for call in batch.waiting if call.end_ns} == {call.span for call in batch.waiting}


def opened_calls(story: Script) -> int:
    """How many REQ packets may open a call."""
    return sum(b".REQ." in frame.channel and frame.body[:1] == b"{" for frame in story.frames)


SIMPLE = st.lists(
    st.one_of(
        st.tuples(st.just("request"), MOMENTS, IDS, NODES, SPACES, TIMEOUTS, st.just((False, None)), ACTIONS),
        st.tuples(st.just("response"), MOMENTS, IDS, NODES, SPACES, st.booleans(), st.just((False, None))),
    ),
    max_size=60,
)


@given(SIMPLE, st.integers(1, 6))
def test_calls_are_those_ended_open_and_forgotten(steps: list[tuple[Any, ...]], most: int) -> None:
    story = told(steps)
    batch = story.batch(until=story.end_s(), limits=Limits(open_calls=most))
    tally = batch.tally
    requests = opened_calls(story) - tally.requests_repeated
    ended = int(np.sum(batch.calls["outcome"] < COUNTED_OUTCOMES))
    assert ended == requests - tally.requests_open - tally.requests_forgotten
    assert tally.requests_open <= most
    answers = len(story.frames) - opened_calls(story)
    others = tally.responses_late + tally.responses_doubled + tally.responses_orphaned
    answered = int(np.sum(np.isin(batch.calls["outcome"], [0, 1]))) + answered_timeouts(batch)
    assert answers == others + answered


def answered_timeouts(batch: Batch) -> int:
    """Calls whose callee said that they timed out, at their deadline."""
    return int(np.sum((batch.calls["outcome"] == 2) & (batch.calls["error"] != 0)))


@settings(max_examples=400)
@given(STEPS, st.lists(st.integers(0, 40)), PAUSES)
def test_cutting_into_other_feeds_and_asking_in_between_changes_nothing(
    steps: list[tuple[Any, ...]], cuts: list[int], after: list[tuple[int, float]]
) -> None:
    story = told(steps)
    begins = [seconds(frame.at_ns) for frame in story.frames] or [0.0]
    pauses = [begins[index % len(begins)] + pause for index, pause in after]
    until = max([story.end_s(), *pauses]) + 700
    whole = joined(watch(story, [], [], until))
    pieces = joined(watch(story, cuts, pauses, until))
    for what, expected in whole.items():
        assert pieces[what] == expected, what


@given(STEPS)
def test_one_frame_at_a_time_gives_the_same_states(steps: list[tuple[Any, ...]]) -> None:
    story = told(steps)
    whole = story.batch(until=story.end_s())
    single = joined(watch(story, list(range(len(story.frames))), [], story.end_s()))
    assert final(single["changes"]) == final(whole.changes)


COMMANDS = [b"REQ.x", b"RES.x", b"EVENT.x", b"REQB.a.b", b"EVENTB.g.e", b"INFO", b"HEARTBEAT", b"DISCONNECT", b"PING"]
CHANNELS = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([b"MOL." + command for command in COMMANDS] + [b"MOL-\xff." + command for command in COMMANDS]),
    st.sampled_from([b"@session", b"@gap", b"@channels", b"@clock", b"@catalogue", b"@key/", b"@asked", b"@other"]),
    st.sampled_from([b"@key/MOL-DSCVR-INFO:n", b"@key/MOL-x-DSCVR-BEAT:n|12345678|1", b"@key/\xff"]),
)
FIELDS = ["id", "action", "sender", "timeout", "level", "tracing", "parentID", "requestID", "caller", "stream", "seq"]
FIELDS += ["event", "groups", "broadcast", "success", "error", "services", "instanceID", "cpu", "ver", "data", "client"]
FIELDS += ["phase", "channels", "packets", "nodes", "node_id", "step_ns", "metadata", "ipList", "saved_ns", "info"]
FIELDS += ["what", "namespace", "node", "list", "open", "closed", "breakers"]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["begin", "end", "lost", "ours", "$circuit-breaker.opened", "x", "\ud83d", "MOL.REQ.a"]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.lists(st.tuples(CHANNELS, st.one_of(st.binary(max_size=40), VALUES)), max_size=8), st.booleans())
def test_no_input_raises_and_each_packet_is_counted(frames: list[tuple[bytes, Any]], is_known: bool) -> None:
    pipeline = Pipeline(begin_ns=START_NS)
    bodies = [(channel, body if isinstance(body, bytes) else wire(body, is_known)) for channel, body in frames]
    for index, frame in enumerate(bodies):
        pipeline.feed(START_NS + index * SECOND, [frame])
    batch = pipeline.take(START_NS + 3600 * SECOND)
    packets = [channel for channel, _ in bodies if not channel.startswith(b"@")]
    assert batch.tally.packets == len(packets) == sum(batch.counters["packets"])
    assert batch.tally.undecodable == sum(batch.tally.undecodable_reasons.values())
    for name in batch.names:
        name.text.encode()


def wire(value: Any, is_known: bool) -> bytes:
    """A value as JSON, with the fields that make it a packet if it is to be one."""
    if is_known and isinstance(value, dict):
        value = {"id": "1", "sender": "n", "action": "a.b", "event": "e", "ver": "5", **value}
    return json.dumps(value).encode()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=50, max_size=200))
def test_the_stores_never_exceed_their_limits(pairs: list[tuple[int, int]]) -> None:
    limits = Limits(
        open_calls=8, ended_calls=8, short_names=5, long_names=7, channels=6, nodes=4, reasons=3, name_characters=200
    )
    pipeline = Pipeline(begin_ns=START_NS, limits=limits)
    names = []
    for index, (first, second) in enumerate(pairs):
        story = Script().request(0, f"a{first}.x", id=str(index), sender=f"n{second}", target=f"m{first}")
        story.response(0, id=str(second)).raw(0, f"MOL-{first}.REQ.x", b"\xff" * (second % 5)).info(0, f"n{first}")
        pipeline.feed(START_NS + index, [frame[1:] for frame in story.frames])
        batch = pipeline.take(START_NS + index)
        names += batch.names
        assert batch.tally.requests_open <= limits.open_calls
        assert len(batch.tally.undecodable_reasons) <= limits.reasons
    for kind in (NameKind.NODE, NameKind.NAMESPACE):
        assert sum(name.kind is kind and name.number != 0 for name in names) <= limits.short_names
    assert sum(name.kind is NameKind.ACTION for name in names) <= limits.long_names
    assert sum(len(name.text) for name in names) <= limits.name_characters


@given(SIMPLE)
def test_json_and_msgpack_tell_the_same(steps: list[tuple[Any, ...]]) -> None:
    rows = []
    for serializer in ("JSON", "MsgPack"):
        batch = told(steps, Script(serializer=serializer)).batch(until=700.0)
        names = [name for name in batch.calls.dtype.names or () if not name.endswith("_size")]
        rows.append((batch.calls[names].tolist(), batch.names, batch.changes))
    assert rows[0] == rows[1]


@settings(max_examples=300)
@given(STEPS)
def test_what_may_tell_a_nodes_options_is_withheld_whatever_comes_between(steps: list[tuple[Any, ...]]) -> None:
    frames = told(steps).frames
    withheld: list[bytes] = []
    pipeline = Pipeline(begin_ns=START_NS, withhold=withheld.append)
    asked: dict[tuple[str, str], set[str]] = {}
    for at_ns, channel, body in frames:
        before = len(withheld)
        pipeline.feed(at_ns, [(channel, body)])
        name = parse_channel(channel)
        command, space = ("", "") if name is None else (name.command, name.namespace)
        if command == "REQ" and not isinstance(request := read_request(body), Malformed):
            asked.setdefault((space, request.id), set()).add(request.action)
        if command != "RES":
            assert len(withheld) == before
            continue
        answer = read_response(body)
        assert not isinstance(answer, Malformed)
        if asked.get((space, answer.id), set()) <= {NODE_OPTIONS}:
            assert withheld[before:] == [body]
