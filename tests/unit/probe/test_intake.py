"""Frames that arrived one after the other are taken in as if those of each moment came by themselves."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from broker.capture.masking import EVERYTHING
from broker.capture.reader import CaptureReader, read
from broker.capture.writer import CaptureWriter
from broker.clock import SECOND, ManualClock
from broker.operate.commands import Lock, Record, Unlock
from broker.operate.permissions import Permission
from broker.probe.door import MemoryDoor
from broker.probe.intake import Intake
from broker.probe.operating import Operating
from broker.probe.options import SessionOptions
from broker.probe.recording import Recorder
from broker.probe.streams import NO_STREAMS
from broker.protocol.frame import RawFrame
from broker.protocol.peeling import Peeling
from broker.transport.memory import MemoryBus

REQ, RES = b"MOL.REQ.b", b"MOL.RES.a"


def packet(**fields: object) -> bytes:
    return json.dumps({"ver": "5", "sender": "a"} | fields).encode()


RUN = [
    (5 * SECOND, (REQ, packet(id="1", action="x.y", level=1, timeout=100))),
    (6 * SECOND, (REQ, packet(id="2", action="x.y", level=1))),
    (6 * SECOND, (RES, packet(sender="b", id="2", success=True))),
    (7 * SECOND, (b"MOL.HEARTBEAT", packet(cpu=5))),
    (7 * SECOND + 1, (b"MOL.HEARTBEAT", packet(sender="b", cpu=6))),
]
MOMENTS, FRAMES = [at_ns for at_ns, _ in RUN], [frame for _, frame in RUN]


@pytest.mark.parametrize("is_in_run", [True, False])
def test_what_lies_before_the_moment_that_was_reached_is_kept_as_of_it(tmp_path: Path, is_in_run: bool) -> None:
    recorder = Recorder(EVERYTHING, wanted=lambda _at_ns, channel, _body: channel == REQ)
    recorder.begin(Record(str(tmp_path / "b.mcap")), 0, [])
    intake = Intake(0, EVERYTHING, CaptureWriter.file(tmp_path / "a.mcap"), recorder)
    intake.take(6 * SECOND)
    if is_in_run:
        intake.feed_run(MOMENTS, FRAMES)
    else:
        for at_ns, frame in RUN:
            intake.feed(at_ns, [frame])
    batch = intake.take(8 * SECOND)
    recorder.end(8 * SECOND, "", is_told=True)
    assert intake.capture is not None
    intake.capture.close()

    raised = [max(6 * SECOND, at_ns) for at_ns in MOMENTS]
    assert [(frame.at_ns, frame[1:]) for frame in read(tmp_path / "a.mcap")] == list(zip(raised, FRAMES, strict=True))
    assert [(frame.at_ns, frame[1:]) for frame in read(tmp_path / "b.mcap")] == [(6 * SECOND, it) for it in FRAMES[:2]]
    assert batch.calls["end_ns"].tolist() == [6 * SECOND, 6 * SECOND + SECOND // 10]
    numbers = [number for group in CaptureReader(tmp_path / "a.mcap").groups() for number in group.numbers]
    assert batch.calls["request_frame"].tolist() == [numbers[1], numbers[0]]
    assert batch.calls["response_frame"].tolist() == [numbers[2], 0]


class Hearing(Operating):
    """Writes down what it hears; the first time it hears, more comes.

    Attributes:
        told: Moment and frames of each feed that was heard.
    """

    def __init__(self, may: Permission) -> None:
        door, clock = MemoryDoor(MemoryBus(ManualClock())), ManualClock()
        super().__init__(
            SessionOptions(may=may),
            "us",
            door,
            clock,
            Peeling(),
            begins=lambda: None,
            told_may=lambda _may, _until_ns: None,
            note_asked=lambda _note: None,
        )
        self.told: list[tuple[int, Sequence[RawFrame]]] = []

    def _hear(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        super()._hear(at_ns, frames)
        self.told.append((at_ns, frames))
        if len(self.told) == 1:
            self.hear(8 * SECOND, [(REQ, b"more")])


def test_who_speaks_hears_all_in_order_though_more_comes_meanwhile() -> None:
    hearing = Hearing("ask")
    hearing.hear_run(MOMENTS, FRAMES)
    assert hearing.told == [
        (5 * SECOND, FRAMES[:1]),
        (6 * SECOND, FRAMES[1:3]),
        (7 * SECOND, FRAMES[3:4]),
        (7 * SECOND + 1, FRAMES[4:]),
        (8 * SECOND, [(REQ, b"more")]),
    ]


def test_who_may_only_see_hears_one_of_each_channel() -> None:
    hearing = Hearing("see")
    hearing.told.append((0, []))
    hearing.hear_run(MOMENTS, FRAMES)
    hearing.hear_run(MOMENTS, FRAMES)
    assert [frames[0][0] for _, frames in hearing.told[1:]] == [REQ, RES, b"MOL.HEARTBEAT"]


async def test_of_what_is_known_nothing_need_be_heard_but_while_a_voice_is_lent_or_waits_for_answers() -> None:
    hearing = Hearing("see")
    hearing.told.append((0, []))
    hearing.hear_run(MOMENTS, FRAMES)
    assert hearing.known() == {REQ, RES, b"MOL.HEARTBEAT"}
    unlocked = hearing.submit(Unlock("act"), 0, lambda _progress: None, NO_STREAMS)
    assert (await unlocked).outcome == "done"
    assert hearing.known() is None
    assert hearing.submit(Lock(), 0, lambda _progress: None, NO_STREAMS).result().outcome == "done"
    assert hearing.known() is None  # it may still be answered
    await hearing.end()
    assert hearing.known() == {REQ, RES, b"MOL.HEARTBEAT"}


def test_who_speaks_from_the_begin_hears_all() -> None:
    assert Hearing("ask").known() is None
