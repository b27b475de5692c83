"""A session on a bus in memory, for the tests of probes."""

import asyncio
from pathlib import Path

from broker.clock import SECOND, ManualClock
from broker.mesh.timeline import Timeline
from broker.probe.door import MemoryDoor
from broker.probe.options import SessionOptions
from broker.probe.session import ProbeSession
from broker.protocol.codec import channel_of, encode
from broker.protocol.packets import Request, Response
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
