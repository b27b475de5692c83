"""What the tap costs: packets/s and CPU a packet, ours beside a bare reader and a baseline that keeps nothing.

All four read the same packets from a real redis-server over loopback. The
packets are published while the reader's loop stands still, so that the server
holds them all; then the reader drains them as fast as it can. So it is the
reader that is measured, and not the publisher or the server. Runs alternate.

The baseline is asyncio's streams, hiredis, header decode and REQ/RES pairing
in one flat loop: what any listener must do that wants to know a duration. The
same over a protocol of its own, with hiredis fed in slices as our tap does it,
is printed too: nothing that keeps what it hears can come near that one.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import hiredis
import msgspec

from bench.servers import redis_server
from bench.tap_load import Publisher
from broker.capture.writer import CaptureWriter
from broker.clock import SystemClock
from broker.observe.pipeline import Pipeline
from broker.protocol.frame import RawFrame
from broker.protocol.headers import RequestHeader, ResponseHeader
from broker.transport.redis.tap import RedisTap
from broker.transport.url import ConnectionSettings

PAIRS = 30_000
ROUNDS = 5
PACED_PER_S = 100_000
PACED_TIMES = 4
TICK_S = 0.1
READ_BYTES = 1 << 16
SLICE_BYTES = 1 << 14
SUBSCRIBE = b"PSUBSCRIBE MOL*\r\n"
LIMIT_S = 20.0


class Run(NamedTuple):
    """One run: how long it took and what CPU this process used, capture thread included."""

    wall_s: float
    cpu_s: float
    calls: int


class Reader:
    """Counts packets until all have come."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.count = 0
        self.calls = 0
        self.done = asyncio.Event()

    def finish(self) -> None:
        """What is still to do when all have come."""


class Flat(Reader):
    """A flat loop over what hiredis gives; with pairing the baseline, without it hiredis alone."""

    def __init__(self, expected: int, *, pairs: bool) -> None:
        super().__init__(expected)
        self.replies = hiredis.Reader()
        self._pairs = pairs
        self._open: dict[str, float] = {}
        self._read_request = msgspec.json.Decoder(RequestHeader).decode
        self._read_response = msgspec.json.Decoder(ResponseHeader).decode

    def take(self) -> None:
        """Take what hiredis has complete."""
        now = time.perf_counter()
        next_reply, waiting = self.replies.gets, self._open
        read_request, read_response = self._read_request, self._read_response
        while (reply := next_reply()) is not False:
            if len(reply) != 4:
                continue
            self.count += 1
            if not self._pairs:
                continue
            if reply[2][4:7] == b"REQ":
                waiting[read_request(reply[3]).id] = now
            elif waiting.pop(read_response(reply[3]).id, None) is not None:
                self.calls += 1
        if self.count >= self.expected:
            self.done.set()

    async def read(self, stream: asyncio.StreamReader) -> None:
        """Read until cancelled."""
        while data := await stream.read(READ_BYTES):
            self.replies.feed(data)
            self.take()


class Sliced(asyncio.BufferedProtocol):
    """The baseline without asyncio's streams, hiredis fed in slices that it can move quickly."""

    def __init__(self, flat: Flat) -> None:
        self._flat = flat
        self._feed: Callable[[memoryview, int, int], None] = flat.replies.feed  # type: ignore[assignment]
        self._block = memoryview(bytearray(1 << 18))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's name
        """Where to put what arrives."""
        return self._block

    def buffer_updated(self, nbytes: int) -> None:
        """So many bytes arrived."""
        for begin in range(0, nbytes, SLICE_BYTES):
            self._feed(self._block, begin, min(SLICE_BYTES, nbytes - begin))
            self._flat.take()


class Ours(Reader):
    """The program's own path: tap, capture if there is one, pipeline, a batch ten times a second."""

    def __init__(self, expected: int, capture: CaptureWriter | None, clock: SystemClock) -> None:
        super().__init__(expected)
        self._clock = clock
        self._capture = capture
        self._pipeline = Pipeline(begin_ns=clock.now_ns())
        self._next_tick_ns = 0

    def feed(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in frames; a FrameSink."""
        self.feed_run([at_ns] * len(frames), frames)

    def feed_run(self, moments: list[int], frames: Sequence[RawFrame]) -> None:
        """Take in frames that arrived one after the other; a RunSink."""
        numbers = self._capture.write_run(moments, frames) if self._capture is not None else None
        self._pipeline.feed_run(moments, frames, numbers)
        at_ns = moments[-1]
        self.count += len(frames)
        if at_ns >= self._next_tick_ns:
            self._next_tick_ns = at_ns + int(TICK_S * 1e9)
            self._take()
        if self.count >= self.expected:
            self.done.set()

    def _take(self) -> None:
        now_ns = self._clock.now_ns()
        if self._capture is not None:
            self._capture.tick(now_ns)
        self.calls += int((self._pipeline.take(now_ns).calls["outcome"] == 0).sum())

    def finish(self) -> None:
        """The last batch."""
        self._take()
        if self._capture is not None:
            self._capture.flush()


@contextlib.asynccontextmanager
async def listening(kind: str, reader: Reader, port: int) -> AsyncIterator[None]:
    """The reader subscribed to everything."""
    if isinstance(reader, Ours):
        settings = ConnectionSettings.parse(f"redis://127.0.0.1:{port}")
        task = asyncio.create_task(RedisTap(settings, SystemClock()).run(reader), name="tap")
    elif kind == "sliced" and isinstance(reader, Flat):
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: Sliced(reader), "127.0.0.1", port)
        transport.write(SUBSCRIBE)
        task = asyncio.create_task(asyncio.sleep(LIMIT_S), name="sliced")
    elif isinstance(reader, Flat):
        stream, sending = await asyncio.open_connection("127.0.0.1", port)
        sending.write(SUBSCRIBE)
        transport = sending.transport  # type: ignore[assignment]
        task = asyncio.create_task(reader.read(stream), name="flat")
    try:
        await subscribed(port)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if isinstance(reader, Flat):
            transport.close()


async def drain(kind: str, reader: Reader, port: int, load: Callable[[], Awaitable[None]]) -> Run:
    """Subscribe, let the packets be published, and read them all.

    Raises:
        TimeoutError: Not all packets came.
    """
    async with asyncio.timeout(LIMIT_S), listening(kind, reader, port):
        await load()
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        await reader.done.wait()
        reader.finish()
        return Run(time.perf_counter() - wall_s, time.process_time() - cpu_s, reader.calls)


async def subscribed(port: int) -> None:
    """Wait until the server has exactly one subscription to a pattern."""
    stream, sending = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    while answer != b":1\r\n":
        sending.write(b"PUBSUB NUMPAT\r\n")
        answer = await stream.readline()
        await asyncio.sleep(0.01)
    sending.close()


def measure(kind: str, port: int, publisher: Publisher, folder: Path) -> Run:
    """One run of one kind of reader."""
    expected, clock = 2 * PAIRS, SystemClock()
    capture = CaptureWriter.ring(folder) if kind == "capture" else None

    async def load() -> None:
        publisher.begin()
        publisher.wait()  # the loop stands still, and the server holds what comes

    async def run() -> Run:
        is_ours = kind in ("rows", "capture")
        reader = Ours(expected, capture, clock) if is_ours else Flat(expected, pairs=kind != "bare")
        return await drain(kind, reader, port, load)

    gc.collect()
    try:
        return asyncio.run(run())
    finally:
        if capture is not None:
            capture.close(keep=False)


def paced(port: int, publisher: Publisher, folder: Path) -> dict[str, Any]:
    """PACED_PER_S packets a second while we read, with capture: all must be counted."""
    expected, clock = 2 * PAIRS * PACED_TIMES, SystemClock()
    capture = CaptureWriter.ring(folder)
    reader_calls = 0

    async def run() -> Run:
        nonlocal reader_calls

        async def load() -> None:
            for _ in range(PACED_TIMES):
                publisher.begin(PACED_PER_S)
                await asyncio.to_thread(publisher.wait)

        reader = Ours(expected, capture, clock)
        done = await drain("capture", reader, port, load)
        reader_calls = reader.calls
        return done

    begin = time.perf_counter()
    try:
        asyncio.run(run())
    finally:
        capture.close(keep=False)
    seconds = time.perf_counter() - begin
    return {"packets": expected, "calls": reader_calls, "seconds": round(seconds, 2), "kept_frames": capture.frames}


KINDS = {
    "bare": "hiredis alone",
    "baseline": "baseline: decode, pair, keep nothing",
    "sliced": "the same, hiredis fed in slices",
    "rows": "ours with rows",
    "capture": "ours with rows and capture",
}
NEEDED = {"rows": 0.5, "capture": 0.4}


def run() -> dict[str, Any]:
    """All rounds; prints a table.

    Returns:
        By kind: packets/s, CPU µs a packet, and both as ratios to the baseline (medians of the rounds; the
        ratios are of runs in one round); and whether the ratios are what is needed.
    """
    runs: dict[str, list[Run]] = {kind: [] for kind in KINDS}
    with redis_server() as port, tempfile.TemporaryDirectory() as folder:
        unlimited(port)
        publisher = Publisher(port, PAIRS)
        try:
            for _ in range(ROUNDS):
                for kind in KINDS:
                    runs[kind].append(measure(kind, port, publisher, Path(folder)))
            steady = paced(port, publisher, Path(folder))
        finally:
            publisher.stop()
    for kind, done in runs.items():
        assert {each.calls for each in done} == {0 if kind == "bare" else PAIRS}, f"{kind} lost calls"
    results = {kind: _figures(runs[kind], runs["baseline"]) for kind in KINDS}
    _print(results, steady)
    return {
        **results,
        "rounds": ROUNDS,
        "packets_a_run": 2 * PAIRS,
        "paced": steady,
        "enough": all(min(results[kind]["ratio"], results[kind]["ratio_of_cpu"]) >= n for kind, n in NEEDED.items()),
    }


def unlimited(port: int) -> None:
    """Let the server hold all that a reader has not read yet: it is read only after it was published."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b'CONFIG SET client-output-buffer-limit "pubsub 0 0 0"\r\n')
        assert connection.recv(100).startswith(b"+OK")


def _figures(runs: list[Run], baseline: list[Run]) -> dict[str, float]:
    count = 2 * PAIRS
    pairs = list(zip(runs, baseline, strict=True))
    return {
        "packets_per_s": round(statistics.median(count / run.wall_s for run in runs)),
        "cpu_us": round(statistics.median(run.cpu_s / count * 1e6 for run in runs), 3),
        "ratio": round(statistics.median(base.wall_s / run.wall_s for run, base in pairs), 3),
        "ratio_of_cpu": round(statistics.median(base.cpu_s / run.cpu_s for run, base in pairs), 3),
    }


def _print(results: dict[str, dict[str, float]], steady: dict[str, Any]) -> None:
    print(f"{'':<38}{'packets/s':>12}{'CPU µs':>9}{'ratio':>8}{'of CPU':>8}{'needed':>8}")
    for kind, title in KINDS.items():
        one = results[kind]
        needed = f"{NEEDED[kind]:.2f}" if kind in NEEDED else ""
        print(
            f"{title:<38}{one['packets_per_s']:>12,.0f}{one['cpu_us']:>9.2f}"
            f"{one['ratio']:>8.2f}{one['ratio_of_cpu']:>8.2f}{needed:>8}"
        )
    print(
        f"{steady['packets']:,} packets at {PACED_PER_S:,}/s with capture: {steady['calls']:,} calls of "
        f"{steady['packets'] // 2:,} counted, {steady['kept_frames']:,} frames kept, in {steady['seconds']:.1f} s"
    )


if __name__ == "__main__":
    run()
