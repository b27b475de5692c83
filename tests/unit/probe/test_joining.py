"""Two probes, one after the other, tell one story: the same names, one gap, totals of both."""

from __future__ import annotations

from broker.clock import SECOND
from broker.mesh.timeline import Timeline
from broker.observe.journal import Batch, NameKind, StateChange, frame_number
from broker.observe.pipeline import Pipeline
from broker.probe.joining import UNHEARD_NS, Joiner
from tests.script import START_NS, Script, at


def told_by_a_probe(story: Script) -> Batch:
    """What one probe tells of a story that it heard."""
    pipeline = Pipeline(begin_ns=START_NS)
    at_ns, number = START_NS, 1
    for at_ns, frames in story.feeds():
        pipeline.feed(at_ns, frames, [frame_number(1, number + place) for place in range(len(frames))])
        number += len(frames)
    return pipeline.take(at_ns)


def calls(timeline: Timeline) -> list[tuple[str, str, str]]:
    """Action, caller's node and target of each call."""
    snapshot = timeline.snapshot()
    found = []
    for block in snapshot.call_blocks:
        for row in range(block.count):
            action, source, target = (int(block.column(name)[row]) for name in ("action", "source", "target"))
            names = snapshot.names
            found.append(
                (
                    names.text(NameKind.ACTION, action),
                    names.text(NameKind.NODE, source),
                    names.text(NameKind.NODE, target),
                )
            )
    return found


def joined(*steps: Batch | None) -> tuple[Timeline, Joiner]:
    """A timeline of several probes; None where one was lost."""
    timeline, joiner = Timeline(), Joiner()
    for step in steps:
        timeline.take(joiner.take(step) if step is not None else joiner.lose("the cable was pulled", "Wait.", 1.0))
    return timeline, joiner


def first() -> Batch:
    return told_by_a_probe(Script().request(1.0, "users.get", sender="a", target="b").response(1.1))


def second() -> Batch:
    story = Script().request(200.0, "mail.send", sender="c", target="a").response(200.1)
    return told_by_a_probe(story.request(201.0, "users.get", sender="a", target="b").response(201.1))


def test_names_keep_their_numbers_whatever_the_second_probe_calls_them() -> None:
    timeline, _ = joined(first(), None, second())
    assert calls(timeline) == [("users.get", "a", "b"), ("mail.send", "c", "a"), ("users.get", "a", "b")]
    names = timeline.snapshot().names
    assert sorted(names.texts(NameKind.NODE)[1:-1]) == ["a", "b", "c"]
    assert sorted(names.texts(NameKind.ACTION)[1:-1]) == ["mail.send", "users.get"]


def test_between_them_is_one_gap() -> None:
    timeline, _ = joined(first(), None, second())
    snapshot = timeline.snapshot()
    gaps = [one for one in snapshot.state.history("gap", "", "") if one.value is not None]
    assert [(one.value["reason"], one.from_ns < one.to_ns) for one in gaps if one.value] == [
        ("the cable was pulled", True)
    ]


def test_totals_are_those_of_both() -> None:
    timeline, _ = joined(first(), None, second())
    snapshot = timeline.snapshot()
    assert snapshot.tally.packets == 6
    assert sum(snapshot.counters.total(snapshot.everything(), "packets").values()) == 6


def test_frames_of_the_first_probe_are_not_looked_for_at_the_second() -> None:
    timeline, joiner = joined(first(), None, second())
    [block] = timeline.snapshot().call_blocks
    frames = [int(number) for number in block.column("request_frame")]
    assert len(set(frames)) == 3
    assert [joiner.number_there(number) for number in frames] == [None, frame_number(1, 1), frame_number(1, 3)]


def test_nodes_that_are_not_heard_after_the_gap_are_gone_in_the_end() -> None:
    def beats(*senders: str, at_s: float) -> Batch:
        story = Script()
        for sender in senders:
            story.heartbeat(at_s, sender)
        return told_by_a_probe(story)

    timeline, joiner = joined(beats("a", "b", at_s=1.0), None, beats("b", at_s=50.0))
    assert states(timeline) == {"a": "online", "b": "online"}
    timeline.take(joiner.take(Batch(through_ns=at(50.0) + UNHEARD_NS)))
    assert states(timeline) == {"a": "offline", "b": "online"}


def states(timeline: Timeline) -> dict[str, str]:
    snapshot = timeline.snapshot()
    return {key[1]: value["state"] for key, value, _ in snapshot.state.values_at("node", snapshot.through_ns)}


def test_time_goes_on_while_nobody_tells_anything() -> None:
    joiner = Joiner()
    joiner.take(Batch(through_ns=5 * SECOND))
    change = StateChange("gap", "", "", 5 * SECOND, {"reason": "r", "advice": "", "retry_in_s": 1.0}, "source")
    assert joiner.lose("r", "", 1.0).changes == [change]
    assert joiner.pass_time(9 * SECOND).through_ns == 9 * SECOND
    assert joiner.take(Batch(through_ns=8 * SECOND)).through_ns == 9 * SECOND
