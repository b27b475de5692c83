"""Announced: a node in everybody's registry, that offers nothing and is sent what it subscribes to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from broker.clock import Clock
from broker.node import Broker, BrokerOptions, Context
from broker.node.packet_discovery import PacketDiscovery
from broker.probe.asking import Tongues
from broker.protocol.channels import parse_channel
from broker.protocol.frame import RawFrame
from broker.transport.base import Deliver, Publisher

BEAT_EVERY_S: Final = 5.0
SETTLE_S: Final = 2.0
"""How long we listen before we decide which namespace to join."""
LOOK_EVERY_S: Final = 1.0
"""How often we look whether another namespace is to be joined."""

SUBSCRIBED: Final = ("$circuit-breaker.**", "$tracing.spans", "$metrics.snapshot")
ANSWERED: Final = ("DISCOVER", "PING", "INFO", "HEARTBEAT", "DISCONNECT", "REQ")
"""Commands that reach our node. Events are what the tap is for: it has them already."""


class SharedBus:
    """A bus for a node of ours: it speaks through the session's publisher, and hears what the session's tap hears."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._heard: dict[bytes, Deliver] = {}

    def hear(self, frames: Sequence[RawFrame]) -> None:
        """Deliver what is for the node."""
        heard = self._heard
        for channel, body in frames:
            if channel in heard:
                heard[channel](channel, body)

    def publisher(self) -> Publisher:
        """The session's, which the node must not close."""
        return Lent(self._publisher)

    async def subscribe(
        self,
        channels: Sequence[bytes],
        deliver: Deliver,
        on_reconnect: Callable[[], None] | None = None,  # noqa: ARG002 - the tap mends itself
        on_lost: Callable[[], None] | None = None,  # noqa: ARG002
    ) -> SharedBus:
        """Hear some channels."""
        wanted = {name for name in channels if (parsed := parse_channel(name)) and parsed.command in ANSWERED}
        self._heard = dict.fromkeys(wanted, deliver)
        return self

    async def add(self, channels: Sequence[bytes]) -> None:
        """Nothing more is wanted."""

    async def remove(self, channels: Sequence[bytes]) -> None:
        """Nothing less is wanted."""

    async def close(self) -> None:
        """Hear nothing any more."""
        self._heard.clear()


class Lent:
    """A publisher that stays open."""

    def __init__(self, publisher: Publisher) -> None:
        self.publish = publisher.publish
        self.drain = publisher.drain
        self.confirm = publisher.confirm

    async def close(self) -> None:
        """It is not ours."""


class QuietDiscovery(PacketDiscovery):
    """Asks nobody, which the session does where it may; beats as soon as it has said what it is."""

    async def begin(self) -> None:
        """The session knows who is there."""

    def send_info(self, node_id: str = "") -> None:
        """Tell what we are, and that we are alive; when we leave only the first."""
        super().send_info(node_id)
        if not node_id and self._broker.info()["services"]:
            self.beat()


class Announcer:
    """Keeps us announced in chosen namespaces, in each protocol that is spoken there.

    Attributes:
        trouble: Why we are not announced; empty while we are.
        is_announced: Whether we are a node in somebody's registry.
    """

    def __init__(
        self, publisher: Publisher, node_id: str, tongues: Tongues, namespaces: Sequence[str], clock: Clock
    ) -> None:
        """
        Args:
            publisher: Where to.
            node_id: Ours.
            tongues: What is spoken.
            namespaces: Where to be announced; if empty, in the only one that is heard.
            clock: Tells the time.
        """
        self.trouble = ""
        self.is_announced = False
        self._publisher = publisher
        self._node_id = node_id
        self._tongues = tongues
        self._chosen = tuple(namespaces)
        self._clock = clock
        self._joined: dict[str, tuple[SharedBus, Broker]] = {}

    async def run(self) -> None:
        """Be announced until cancelled; then say goodbye."""
        try:
            await asyncio.sleep(SETTLE_S)
            while True:
                await self._join()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self.is_announced = False
            for _, broker in self._joined.values():
                await broker.stop()

    def hear(self, _at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in frames: our nodes answer who asks for them."""
        for bus, _ in self._joined.values():
            bus.hear(frames)

    async def _join(self) -> None:
        """Become a node of namespaces where we are none yet."""
        spaces = dict.fromkeys(namespace for namespace, _ in self._tongues.spoken())
        if not self._chosen and len(spaces) > 1:
            if not self._joined:
                heard = ", ".join(f"'{name}'" for name in spaces)
                self.trouble = f"Not announced: several namespaces are heard ({heard}). Choose with --namespace."
            return
        for namespace in spaces:
            if namespace not in self._joined and namespace in (self._chosen or spaces):
                await self._join_one(namespace)
        self.is_announced, self.trouble = bool(self._joined), ""

    async def _join_one(self, namespace: str) -> None:
        options = BrokerOptions(
            protocols=self._tongues.of(namespace),
            discoverer=QuietDiscovery,
            heartbeat_interval_s=BEAT_EVERY_S,
            stop_delay_s=0.0,
            internal_services=False,
            metadata={"inspector": True},
        )
        bus = SharedBus(self._publisher)
        serializer = self._tongues.serializer(namespace)
        broker = Broker(self._node_id, bus, namespace, serializer, options=options, clock=self._clock)
        await broker.add(self._service())
        self._joined[namespace] = (bus, broker)
        await broker.start()

    def _service(self) -> dict[str, Any]:
        """One service without actions; its group is ours alone, so that we take nothing from anybody."""
        events = {event: {"group": self._node_id, "handler": _heard_by_the_tap} for event in SUBSCRIBED}
        return {"name": f"${self._node_id}", "events": events}


async def _heard_by_the_tap(_self: object, _ctx: Context) -> None:
    """Nothing to do."""
