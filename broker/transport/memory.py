"""A bus in memory, for tests: what is published is delivered before `publish` returns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from broker.clock import SECOND, Clock, SystemClock
from broker.protocol.frame import FrameSink
from broker.transport.base import Deliver, TransportError, gap_frame


class MemoryBus:
    """Everybody who was given it hears everybody else.

    Attributes:
        published: Everything that was published, oldest first.
        stored: Keys that `MemoryLooker.keys` finds.
        gone_at_ns: When keys go by themselves.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.published: list[tuple[bytes, bytes]] = []
        self.stored: dict[str, bytes] = {}
        self.gone_at_ns: dict[str, int] = {}
        self._sinks: list[FrameSink] = []
        self._subscriptions: list[MemorySubscription] = []
        self.is_down = False

    def publish(self, channel: bytes, body: bytes) -> None:
        """Deliver to all who hear the channel, at once; nobody hears while the bus is down."""
        if self.is_down:
            return
        self.published.append((channel, body))
        for sink in list(self._sinks):
            sink.feed(self.clock.now_ns(), [(channel, body)])
        for subscription in list(self._subscriptions):
            subscription.take(channel, body)

    def go_down(self, reason: str = "the bus was taken down") -> None:
        """Nobody hears anybody from now on; taps are told so."""
        self.is_down = True
        for sink in list(self._sinks):
            sink.feed(self.clock.now_ns(), [gap_frame("begin", reason=reason)])
        for subscription in list(self._subscriptions):
            subscription.lost()

    def come_back(self) -> None:
        """All hear again."""
        self.is_down = False
        for sink in list(self._sinks):
            sink.feed(self.clock.now_ns(), [gap_frame("end")])
        for subscription in list(self._subscriptions):
            subscription.reconnected()

    def tap(self) -> MemoryTap:
        """Something that hears everything."""
        return MemoryTap(self)

    def looker(self) -> MemoryLooker:
        """Something that sees who listens."""
        return MemoryLooker(self)

    def keys(self) -> MemoryKeys:
        """Keys that nodes write."""
        return MemoryKeys(self)

    def publisher(self) -> MemoryPublisher:
        """Something that sends."""
        return MemoryPublisher(self)

    async def subscribe(
        self,
        channels: Sequence[bytes],
        deliver: Deliver,
        on_reconnect: Callable[[], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> MemorySubscription:
        """Hear some channels."""
        subscription = MemorySubscription(self, channels, deliver, on_reconnect, on_lost)
        self._subscriptions.append(subscription)
        return subscription

    def add_sink(self, sink: FrameSink) -> None:
        """Give it everything from now on."""
        self._sinks.append(sink)

    def remove_sink(self, sink: FrameSink) -> None:
        """Give it nothing any more."""
        self._sinks.remove(sink)

    def remove_subscription(self, subscription: MemorySubscription) -> None:
        """It hears nothing any more."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def heard(self) -> list[str]:
        """The channels that somebody hears."""
        names = {name for subscription in self._subscriptions for name in subscription.channels}
        return sorted(name.decode("utf-8", "surrogateescape") for name in names)


class MemoryTap:
    """Hears everything."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus

    async def run(self, sink: FrameSink) -> None:
        """Listen until cancelled."""
        self._bus.add_sink(sink)
        try:
            await asyncio.Event().wait()
        finally:
            self._bus.remove_sink(sink)

    def catch_up(self) -> None:
        """Everything is delivered at once."""

    def hurry(self, is_hurried: bool) -> None:
        """Everything is delivered at once."""


class MemoryLooker:
    """Sees who listens, and what is stored."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus

    async def channels(self) -> list[str]:
        """The channels that somebody hears."""
        return self._bus.heard()

    async def keys(self, pattern: str) -> dict[str, bytes]:
        """Keys that match a glob pattern."""
        return {name: value for name, value in self._bus.stored.items() if fnmatchcase(name, pattern)}

    async def clients(self) -> list[dict[str, str]]:
        """None: there are no connections."""
        return []

    async def server_info(self) -> dict[str, Any]:
        """That it is memory."""
        return {"server": "memory"}

    async def close(self) -> None:
        """Nothing to end."""


class MemoryKeys:
    """Keys of the bus; they live on until they are removed or their time is over."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus

    async def put(self, name: str, value: bytes, ttl_s: float, instead_of: str = "") -> None:
        """Write a key."""
        self._check()
        self._bus.stored.pop(instead_of, None)
        self._bus.stored[name] = value
        await self.keep(name, ttl_s)

    async def keep(self, name: str, ttl_s: float) -> None:
        """Let a key live on."""
        self._check()
        if name in self._bus.stored:
            self._bus.gone_at_ns[name] = self._bus.clock.now_ns() + round(ttl_s * SECOND)

    async def remove(self, names: list[str]) -> None:
        """Take keys away."""
        self._check()
        for name in names:
            self._bus.stored.pop(name, None)

    async def names(self, pattern: str) -> list[str]:
        """Names of keys that match."""
        self._check()
        now_ns = self._bus.clock.now_ns()
        for name in [name for name, at_ns in self._bus.gone_at_ns.items() if at_ns <= now_ns]:
            del self._bus.gone_at_ns[name]
            self._bus.stored.pop(name, None)
        return [name for name in self._bus.stored if fnmatchcase(name, pattern)]

    async def values(self, names: list[str]) -> list[bytes | None]:
        """The values of keys."""
        self._check()
        return [self._bus.stored.get(name) for name in names]

    async def close(self) -> None:
        """Nothing to end."""

    def _check(self) -> None:
        if self._bus.is_down:
            raise TransportError("The bus in memory is down.", "Let it come back.")


class MemoryPublisher:
    """Sends."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus

    def publish(self, channel: bytes, body: bytes) -> None:
        """Deliver at once."""
        self._bus.publish(channel, body)

    async def drain(self) -> None:
        """Nothing waits."""

    async def confirm(self) -> None:
        """It was taken at once. Raises TransportError while the bus is down."""
        if self._bus.is_down:
            raise TransportError("The bus in memory is down.", "Let it come back.")

    async def close(self) -> None:
        """Nothing to end."""


class MemorySubscription:
    """Hears some channels. Delivery is in the next turn of the loop, as on a network."""

    def __init__(
        self,
        bus: MemoryBus,
        channels: Sequence[bytes],
        deliver: Deliver,
        on_reconnect: Callable[[], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self._bus = bus
        self._on_lost = on_lost
        self._deliver = deliver
        self._on_reconnect = on_reconnect
        self.channels = set(channels)

    def take(self, channel: bytes, body: bytes) -> None:
        """What somebody published."""
        if channel in self.channels:
            asyncio.get_running_loop().call_soon(self._deliver, channel, body)

    def lost(self) -> None:
        """The bus is gone."""
        if self._on_lost is not None:
            self._on_lost()

    def reconnected(self) -> None:
        """The bus is back."""
        if self._on_reconnect is not None:
            self._on_reconnect()

    async def add(self, channels: Sequence[bytes]) -> None:
        """Hear these as well."""
        self.channels.update(channels)

    async def remove(self, channels: Sequence[bytes]) -> None:
        """Hear these no longer."""
        self.channels.difference_update(channels)

    async def close(self) -> None:
        """Hear nothing any more."""
        self._bus.remove_subscription(self)
