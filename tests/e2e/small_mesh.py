"""Two nodes of ours on a real server, in a loop of their own, and somebody who hears all that passes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import redis

from broker.node import Broker, BrokerOptions
from broker.node.context import Context
from broker.node.errors import MoleculerClientError
from broker.protocol.codec import decode

PATIENCE_S = 30


class SmallMesh:
    """``desk-1`` and ``desk-2``, both with a service ``desk``.

    Attributes:
        url: Of its bus.
        namespace: Its own.
        events: Those that came: node, event, data.
        calls: The params of all that came.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self.url, self.namespace = url, namespace
        self.events: list[tuple[str, str, Any]] = []
        self.calls: list[Any] = []
        self._called = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="small mesh", daemon=True)
        self._nodes: list[Broker] = []

    def _schema(self) -> dict[str, Any]:
        return {
            "name": "desk",
            "actions": {
                "echo": self._echo,
                "refuse": self._refuse,
                "slow": self._slow,
                "mirror": self._mirror,
            },
            "events": {"desk.*": self._take},
        }

    async def _echo(self, ctx: Context) -> Any:
        self.calls.append(ctx.params)
        return ctx.params

    async def _mirror(self, ctx: Context) -> Any:
        return ctx.stream

    async def _refuse(self, ctx: Context) -> None:
        self.calls.append(ctx.params)
        raise MoleculerClientError("no such order, token=hunter2", 404, "NO_ORDER", {"id": 7, "password": "hunter2"})

    async def _slow(self, ctx: Context) -> None:
        self.calls.append(ctx.params)
        self._called.set()
        await asyncio.sleep(PATIENCE_S)

    async def _take(self, ctx: Context) -> None:
        self.events.append((ctx.broker.node_id, ctx.event_name or "", ctx.params))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Something done in the loop of the nodes."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def start(self) -> None:
        """Both nodes, in sight of each other."""
        self._thread.start()
        self.run(self._start())

    async def _start(self) -> None:
        options = BrokerOptions(settle_s=0.05, stop_delay_s=0.0, heartbeat_interval_s=0.2)
        self._nodes = [Broker(f"desk-{n}", self.url, self.namespace, options=options) for n in (1, 2)]
        for node in self._nodes:
            await node.add(self._schema())
            await node.start()

    async def _stop(self) -> None:
        for node in self._nodes:
            await node.stop()

    def wait_for_call(self) -> None:
        """Wait until ``desk.slow`` was called."""
        assert self._called.wait(PATIENCE_S), "desk.slow was never called"

    def forget(self) -> None:
        """Nothing came yet."""
        self.calls.clear()
        self.events.clear()
        self._called.clear()

    def stop(self) -> None:
        """End it."""
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()


class Watch:
    """Hears every message of a server, as a bare subscriber."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._pubsub = self._client.pubsub()
        self._pubsub.psubscribe("*")
        self._pubsub.get_message(timeout=PATIENCE_S)

    def senders_until(self, mark: str) -> list[str]:
        """Who sent what passed until now: the watch publishes a mark and reads up to it."""
        self._client.publish(mark, b"mark")
        senders = []
        while True:
            message = self._pubsub.get_message(timeout=PATIENCE_S)
            assert message is not None, "the mark was never heard"
            if message["channel"] == mark.encode():
                return senders
            senders.append(getattr(decode(message["channel"], message["data"]), "sender", "nobody"))

    def close(self) -> None:
        """Hear no more."""
        self._pubsub.close()
        self._client.close()


@contextmanager
def watching(url: str) -> Iterator[Callable[[], list[str]]]:
    """A function that tells which packets of Meshscope passed since it was last asked, by their senders."""
    watch = Watch(url)
    count = 0

    def ours() -> list[str]:
        nonlocal count
        count += 1
        return [sender for sender in watch.senders_until(f"mark-{count}") if sender.startswith("meshscope-")]

    try:
        yield ours
    finally:
        watch.close()
