"""Answers that tell a node's options, or may do so, reach no file: of whatever is heard, however it is written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from broker.capture.masking import EVERYTHING, Masking, Policy
from broker.capture.reader import read
from broker.capture.writer import CHUNK_BYTES, CaptureWriter
from broker.clock import SECOND
from broker.operate.commands import Record
from broker.probe.intake import Intake
from broker.probe.recording import Recorder
from broker.protocol.codec import channel_of, decode, encode
from broker.protocol.frame import RawFrame
from broker.protocol.packets import Request, Response

SECRET = "plain-sight"


def question(number: str, action: str, serializer: str = "JSON", **fields: Any) -> RawFrame:
    packet = Request(ver="5", sender="a", id=number, action=action, params={}, **fields)
    return channel_of(packet, "", "x"), encode(packet, serializer)


def answer(number: str, serializer: str = "JSON", **fields: Any) -> RawFrame:
    packet = Response(ver="5", sender="x", id=number, success=True, data={"odd": [SECRET]}, **fields)
    return channel_of(packet, "", "a"), encode(packet, serializer)


class Session:
    """A ring, a recording, and what takes frames to both."""

    def __init__(self, folder: Path, policy: Policy = "everything", recorder: Recorder | None = None) -> None:
        self.path = folder / "recorded.mcap"
        self.recorder = recorder or Recorder(Masking(policy))
        self.ring = CaptureWriter.ring(folder / "ring", masking=Masking(policy))
        self.intake = Intake(0, EVERYTHING, self.ring, self.recorder)
        self._folder = folder

    def record(self, opening: Iterable[RawFrame] = ()) -> None:
        assert self.recorder.begin(Record(str(self.path)), 0, list(opening)).outcome == "done"

    def kept(self) -> list[bytes]:
        """The bodies of answers in all files, once all is written."""
        self.recorder.end(9 * SECOND, "", is_told=True)
        self.ring.close()
        files = [self.path, *sorted((self._folder / "ring").rglob("*.mcap"))]
        assert len(files) == 2
        return [frame.body for file in files for frame in read(file) if frame.channel == b"MOL.RES.a"]


@pytest.mark.parametrize("is_run", [True, False])
@pytest.mark.parametrize("serializer", ["JSON", "MsgPack", "CBOR"])
@pytest.mark.parametrize("policy", ["everything", "masked"])
def test_an_answer_whose_question_was_not_heard_is_kept_without_what_it_carries(
    tmp_path: Path, policy: Policy, serializer: str, is_run: bool
) -> None:
    session = Session(tmp_path, policy)
    session.record()
    frames = [answer("1", serializer), question("2", "a.b", serializer), answer("2", serializer)]
    if is_run:
        session.intake.feed_run([1, 2, 3], frames)
    else:
        session.intake.feed(1, frames)
    early = [session.ring.body(int(number)) for number in session.intake.take(4).calls["response_frame"]]
    kept = session.kept()
    assert kept[:2] == kept[2:] == early
    assert [SECRET.encode() in body for body in kept[:2]] == [False, True]
    told = decode(b"MOL.RES.a", kept[0])
    assert isinstance(told, Response)
    assert (told.id, told.success, told.sender) == ("1", True, "x")


def test_a_recording_begun_between_question_and_answer_holds_no_options(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.intake.feed(1, [question("1", "$node.options"), question("2", "a.b")])
    session.record()
    session.intake.feed(2, [answer("1"), answer("2")])
    assert [SECRET.encode() in body for body in session.kept()] == [False, True] * 2


def test_nor_does_one_of_answers_only(tmp_path: Path) -> None:
    recorder = Recorder(EVERYTHING, wanted=lambda _at_ns, channel, _body: channel == b"MOL.RES.a")
    session = Session(tmp_path, recorder=recorder)
    session.record()
    frames = [question("1", "$node.options"), question("2", "a.b"), answer("1"), answer("2")]
    session.intake.feed_run([1, 2, 3, 4], frames)
    assert [frame.channel for frame in read_of(session)] == [b"MOL.RES.a"] * 2
    assert [SECRET.encode() in body for body in session.kept()] == [False, True] * 2


def read_of(session: Session) -> list[Any]:
    session.recorder.end(9 * SECOND, "", is_told=True)
    return list(read(session.path))


def test_late_and_second_answers_are_kept_as_the_first_would_be(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.record()
    session.intake.feed(1, [question("1", "$node.options", timeout_ms=50), question("2", "a.b", timeout_ms=50)])
    session.intake.feed(SECOND, [answer("1"), answer("2"), answer("1"), answer("2")])
    assert session.intake.take(2 * SECOND).tally.responses_late == 2
    assert [SECRET.encode() in body for body in session.kept()] == [False, True] * 4


def test_each_packet_of_a_streamed_answer_is_withheld(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.record()
    stream = [answer("1", stream=True, seq=number) for number in range(3)] + [answer("1", stream=False, seq=3)]
    session.intake.feed(1, [question("1", "$node.options"), *stream])
    session.intake.feed(2, stream)
    assert [SECRET.encode() in body for body in session.kept()] == [False] * 16


def test_what_filled_a_chunk_has_not_left_before_it_is_looked_at(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.record()
    much = (b"MOL.REQ.x", bytes(CHUNK_BYTES))
    session.intake.feed_run([1, 2, SECOND, 2 * SECOND], [answer("1"), much, answer("2"), question("3", "a.b")])
    assert [SECRET.encode() in body for body in session.kept()] == [False] * 4


def test_a_question_that_nobody_heard_of_a_channel_without_a_number_is_withheld(tmp_path: Path) -> None:
    writer = CaptureWriter.file(tmp_path / "a.mcap")
    channel = b"MOL.RES." + b"n" * 3_000
    _, body = answer("1")
    [number] = writer.write(1, [(channel, body)])
    writer.withhold([number, 0])
    kept = writer.body(number)
    writer.close()
    assert kept is not None
    assert SECRET.encode() not in kept
    assert [(frame.channel, frame.body) for frame in read(tmp_path / "a.mcap")] == [(channel, kept)]
