"""What the tests of the Redis transport need beside a server: ears, a hand on it, Sentinels, a cluster."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

from broker.clock import SystemClock
from broker.protocol.frame import GAP_CHANNEL, RawFrame
from broker.transport import open_tap
from broker.transport.url import ConnectionSettings
from tests.e2e.redis_server import RedisServer, free_port


class Heard:
    """A sink that keeps everything.

    Attributes:
        frames: Channel and body of what was published, oldest first.
        gaps: The gap frames among it.
        moments: Of each feed, in ns since the epoch.
    """

    def __init__(self) -> None:
        self.frames: list[RawFrame] = []
        self.gaps: list[dict[str, Any]] = []
        self.moments: list[int] = []

    def feed(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in what arrived together."""
        self.moments.append(at_ns)
        for channel, body in frames:
            if channel == GAP_CHANNEL:
                self.gaps.append(json.loads(body))
            else:
                self.frames.append((channel, body))

    @property
    def is_open(self) -> bool:
        """Whether the last that was said of a gap is that it ended."""
        return bool(self.gaps) and self.gaps[-1]["phase"] == "end"

    @property
    def reasons(self) -> list[str]:
        """Why nothing was heard, each reason once, oldest first."""
        return list(dict.fromkeys(gap["reason"] for gap in self.gaps if gap["phase"] == "begin"))

    def saying(self, text: str) -> dict[str, Any] | None:
        """The first gap whose reason holds a text."""
        return next((gap for gap in self.gaps if text in gap.get("reason", "")), None)


async def until(is_true: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait until something is true; fail when it is not in time."""
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline, f"not true within {within_s} s"
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def tapping(
    url: str, namespaces: Sequence[str] | None = None, *, tls_ca: Path | None = None, heard: Heard | None = None
) -> AsyncIterator[Heard]:
    """A tap that runs; ends with the block, and leaves no task behind."""
    settings = ConnectionSettings.parse(url, tls_ca=str(tls_ca) if tls_ca else None)
    ears = heard or Heard()
    before = asyncio.all_tasks()
    running = asyncio.create_task(open_tap(settings, SystemClock(), namespaces).run(ears), name="tap under test")
    try:
        yield ears
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        assert asyncio.all_tasks() <= before


@contextlib.contextmanager
def hand(server: RedisServer) -> Iterator[redis.Redis]:
    """A connection of the test's own, that may do anything."""
    tls: dict[str, Any] = {}
    if server.certificates is not None:
        tls = {"ssl": True, "ssl_ca_certs": str(server.certificates.authority)}
    client = redis.Redis(port=server.port, host="127.0.0.1", password=server.password, protocol=2, **tls)
    try:
        yield client
    finally:
        client.close()


def order(server: RedisServer, *command: str) -> Any:
    """Let a server do something."""
    with hand(server) as client:
        return client.execute_command(*command)


async def until_tapped(server: RedisServer, count: int = 1) -> None:
    """Wait until so many taps listen."""
    with hand(server) as client:
        await until(lambda: client.execute_command("PUBSUB", "NUMPAT") == count)


@contextlib.contextmanager
def frozen(server: RedisServer) -> Iterator[None]:
    """The server stands still, its connections open."""
    process_id = int(order(server, "INFO", "server")["process_id"])
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


class Sentinels:
    """A master, a replica and one Sentinel that watches them and fails over within a second or two."""

    def __init__(self, folder: Path, start_redis: Callable[..., RedisServer]) -> None:
        self.master = start_redis()
        self.replica = start_redis(options=(("replicaof", f"127.0.0.1 {self.master.port}"),))
        self.port = free_port()
        settings = folder / "sentinel.conf"
        settings.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\nsentinel monitor shop 127.0.0.1 {self.master.port} 1\n"
            "sentinel down-after-milliseconds shop 500\nsentinel failover-timeout shop 3000\n"
        )
        program = shutil.which("redis-server") or pytest.fail("redis-server is not on PATH")
        self._process = subprocess.Popen(
            [program, str(settings), "--sentinel", "--logfile", str(folder / "sentinel.log")], stdout=subprocess.DEVNULL
        )

    @property
    def url(self) -> str:
        """Of the Sentinel; the first that it names does not answer."""
        return f"redis+sentinel://127.0.0.1:1,127.0.0.1:{self.port}/shop"

    async def until_it_knows_the_replica(self) -> None:
        """Wait until a failover is possible."""
        with contextlib.closing(redis.Redis(port=self.port, protocol=2)) as client:

            def is_known() -> bool:
                with contextlib.suppress(redis.ConnectionError):
                    replicas = client.sentinel_slaves("shop")
                    return any(each["is_slave"] and not each["is_disconnected"] for each in replicas)
                return False

            await until(is_known, 20.0)

    def stop(self) -> None:
        """End the Sentinel."""
        self._process.kill()
        self._process.wait()


def make_cluster(start_redis: Callable[..., RedisServer], folder: Path) -> list[RedisServer]:
    """Three primaries that share all slots."""
    nodes = []
    for number in range(3):
        own = (("cluster-enabled", "yes"), ("cluster-config-file", str(folder / f"nodes-{number}.conf")))
        nodes.append(start_redis(options=(*own, ("cluster-node-timeout", "2000"), ("cluster-port", str(free_port())))))
    addresses = [f"127.0.0.1:{node.port}" for node in nodes]
    subprocess.run(["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"], check=True, capture_output=True)
    deadline = time.monotonic() + 20.0
    while any(b"cluster_state:ok" not in _cluster_info(node) for node in nodes):
        assert time.monotonic() < deadline, "the cluster is not ready"
        time.sleep(0.05)
    return nodes


def _cluster_info(server: RedisServer) -> bytes:
    with hand(server) as client:
        client.set_response_callback("CLUSTER INFO", lambda answer: answer)
        answer = client.execute_command("CLUSTER INFO")
        return answer if isinstance(answer, bytes) else repr(answer).encode()
