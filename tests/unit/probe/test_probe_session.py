import asyncio
from pathlib import Path

import pytest

from broker.capture.reader import CaptureReader
from broker.clock import SECOND, ManualClock
from broker.mesh.timeline import Timeline
from broker.operate.commands import AskOnce, Record, StopRecording
from broker.probe.door import MemoryDoor
from broker.probe.offline import load
from broker.probe.options import SessionOptions
from broker.probe.session import ProbeSession
from broker.protocol.codec import channel_of, encode
from broker.protocol.packets import Heartbeat, Request, Response
from broker.transport.memory import MemoryBus

NS = "prod"


def options(folder: Path, **more: object) -> SessionOptions:
    return SessionOptions.from_plain(
        {"url": "memory://", "capture_folder": str(folder / "captures"), "state_folder": str(folder / "state")} | more
    )


class Sitting:
    """A session on a bus in memory, with a timeline, and a clock that a test sets."""

    def __init__(self, folder: Path, **more: object) -> None:
        self.clock = ManualClock(1_000 * SECOND)
        self.bus = MemoryBus(self.clock)
        self.timeline = Timeline()
        self.session = ProbeSession(options(folder, **more), clock=self.clock, door=MemoryDoor(self.bus))
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Sitting":
        self._running = asyncio.create_task(self.session.run(self.timeline.take))
        await self.until(lambda: bool(self.bus._sinks))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.session.stop()
        assert self._running is not None
        await self._running

    async def until(self, is_so, timeout_s: float = 5.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not is_so():  # noqa: ASYNC110  polls a condition, with a deadline
                await asyncio.sleep(0.005)

    def call(self, number: int) -> None:
        request = Request(ver="5", sender="a", id=f"id-{number}", action="users.get", params={"id": number})
        self.bus.publish(channel_of(request, NS, "b"), encode(request))
        self.clock.at_ns += 5_000_000
        response = Response(ver="5", sender="b", id=f"id-{number}", success=True, data={"name": "n"})
        self.bus.publish(channel_of(response, NS, "a"), encode(response))


async def test_calls_reach_the_timeline_and_their_bodies_can_be_fetched(tmp_path: Path) -> None:
    async with Sitting(tmp_path) as sitting:
        for number in range(3):
            sitting.call(number)
        await sitting.until(lambda: sitting.timeline.snapshot().call_count == 3)
        block = sitting.timeline.snapshot().call_blocks[0]
        body = sitting.session.body(int(block.column("request_frame")[2]))
        assert body is not None
        assert b'"id-2"' in body
        assert sitting.session.status().state == "listening"
        assert sitting.session.status().namespaces == (NS,)
    assert list((tmp_path / "captures").iterdir()) == []


async def test_with_see_nothing_is_published_and_asking_is_refused(tmp_path: Path) -> None:
    async with Sitting(tmp_path) as sitting:
        sitting.call(1)
        before = len(sitting.bus.published)
        assert sitting.session.submit(AskOnce()).outcome == "refused"
        await sitting.until(lambda: sitting.timeline.snapshot().call_count == 1)
    assert len(sitting.bus.published) == before


async def test_with_ask_one_discover_goes_out_once_the_protocol_is_known(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="ask") as sitting:
        await sitting.until(lambda: bool(sitting.session.status().node_id))
        assert sitting.session.submit(AskOnce()).outcome == "unknown"
        assert sitting.bus.published == []
        beat = Heartbeat(ver="5", sender="a", cpu=1)
        sitting.bus.publish(channel_of(beat, NS), encode(beat))
        await sitting.until(lambda: len(sitting.bus.published) == 2)
        assert sitting.bus.published[1][0] == b"MOL-prod.DISCOVER"
        assert b'"ver":"5"' in sitting.bus.published[1][1]
        sitting.call(1)
        await sitting.until(lambda: sitting.timeline.snapshot().call_count == 1)
        assert len(sitting.bus.published) == 4
        assert sitting.session.submit(AskOnce()).outcome == "done"
        assert len(sitting.bus.published) == 5


async def test_a_recording_can_be_read_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "kept.mcap"
    async with Sitting(tmp_path) as sitting:
        sitting.call(1)
        assert sitting.session.submit(Record(str(path))).outcome == "done"
        assert sitting.session.submit(Record(str(path))).outcome == "refused"
        sitting.call(2)
        report = sitting.session.submit(StopRecording())
        assert report.outcome == "done"
        assert sitting.session.submit(Record(str(path))).outcome == "failed"
    timeline = Timeline()
    reader = load(path, timeline.take)
    assert reader.stopped == ""
    assert timeline.snapshot().call_count == 1


def test_a_file_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "x.mcap").write_bytes(b"hello, world")
    with pytest.raises(Exception, match=r"x.mcap is no capture: it begins with b'hello, w', expected"):
        list(CaptureReader(tmp_path / "x.mcap").groups())
