"""Streams from and to files: whole, in order, and no more of them under way than there is room for."""

import asyncio
import hashlib
import io
import threading
from pathlib import Path
from typing import Any

import pytest

from broker.operate.commands import Call, Report
from broker.probe.acting import act
from broker.probe.client_streams import WINDOW_BYTES, Download, Upload
from broker.probe.streams import CHUNK_BYTES, DownloadEnd, UploadEnd
from tests.unit.probe.sitting import NS, Sitting
from tests.unit.probe.test_acting import mesh

MEGABYTES = bytes(range(251)) * 20_000


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def test_a_file_goes_along_with_a_call(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        command = Call(NS, "desk.take", '{"name": "n"}', uploads=True)
        report = await act(sitting.session, command, upload=io.BytesIO(MEGABYTES))
        assert (report.outcome, report.message) == ("done", report.message)
        assert report.answer is not None
        assert report.answer.data == f'{{"name":"n","sha256":"{digest(MEGABYTES)}"}}'


async def test_a_streamed_answer_fills_a_file(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        file = io.BytesIO()
        report = await act(sitting.session, Call(NS, "desk.give", f'{{"bytes": {len(MEGABYTES)}}}'), download=file)
        assert report.answer is not None
        assert (report.outcome, report.answer.stream_bytes) == ("done", len(MEGABYTES))
        assert digest(file.getvalue()) == digest(MEGABYTES)
        assert report.answer.size_bytes > len(MEGABYTES)


async def test_a_stream_of_values_is_a_line_of_json_each(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        file = io.BytesIO()
        await act(sitting.session, Call(NS, "desk.rows"), download=file)
        assert file.getvalue() == '{"row":0,"é":null}\n{"row":1,"é":null}\n'.encode()


async def test_the_probe_sends_no_more_than_there_is_room_for() -> None:
    sent: list[bytes] = []
    end = DownloadEnd(sent.append)
    taking = asyncio.create_task(end.take(MEGABYTES))
    await asyncio.sleep(0.01)
    assert sum(map(len, sent)) == WINDOW_BYTES
    end.grant(CHUNK_BYTES)
    await asyncio.sleep(0.01)
    assert sum(map(len, sent)) == WINDOW_BYTES + CHUNK_BYTES
    end.grant(len(MEGABYTES))
    await taking
    assert b"".join(sent) == MEGABYTES


async def test_the_probe_grants_room_for_what_was_used() -> None:
    granted: list[int] = []
    end = UploadEnd(granted.append)
    end.take(b"abc", more=True)
    end.take(b"de", more=True)
    assert [await anext(end), granted[:]] == [b"abc", []]
    assert [await anext(end), granted[:]] == [b"de", [3]]
    end.take(b"", more=False, error="the file could not be read")
    with pytest.raises(Exception, match="could not be read"):
        await anext(end)


class Pipe:
    """What a client's end sends."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Any]] = []
        self.came = threading.Condition()

    def send(self, kind: str, body: Any) -> None:
        with self.came:
            self.messages.append((kind, body))
            self.came.notify()

    def until(self, is_so: Any) -> None:
        with self.came:
            assert self.came.wait_for(is_so, 5)

    def sent_bytes(self) -> int:
        return sum(len(body["data"]) for kind, body in self.messages if kind == "chunk")


def test_the_window_sends_no_more_than_there_is_room_for() -> None:
    pipe = Pipe()
    upload = Upload(3, io.BytesIO(MEGABYTES), pipe.send)
    upload.start()
    pipe.until(lambda: pipe.sent_bytes() == WINDOW_BYTES)
    upload.grant(len(MEGABYTES))
    pipe.until(lambda: pipe.messages[-1][1]["more"] is False)
    upload.end()
    assert b"".join(body["data"] for _, body in pipe.messages) == MEGABYTES


def test_an_upload_ends_when_nobody_wants_the_rest() -> None:
    pipe = Pipe()
    upload = Upload(3, io.BytesIO(MEGABYTES), pipe.send)
    upload.start()
    pipe.until(lambda: pipe.sent_bytes() == WINDOW_BYTES)
    upload.end()
    assert pipe.sent_bytes() == WINDOW_BYTES


class FullDisk(io.BytesIO):
    def write(self, _data: object, /) -> int:
        raise OSError("no space left")


def test_a_full_disk_gives_the_call_up_and_is_told() -> None:
    pipe, given_up = Pipe(), threading.Event()
    download = Download(4, FullDisk(), pipe.send, given_up.set)
    download.take(b"abc")
    assert given_up.wait(5)
    report = download.end(Report("cancelled"))
    assert (report.outcome, report.message) == ("failed", "The file could not be written: no space left")
