"""A node's connection to its bus, both ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from broker.transport import open_publisher, open_subscription
from broker.transport.base import Deliver, Publisher, Subscription
from broker.transport.url import ConnectionSettings


class OpenBus(Protocol):
    """A bus that is there already, such as one in memory."""

    def publisher(self) -> Publisher:
        """Something that sends."""
        ...

    async def subscribe(
        self,
        channels: Sequence[bytes],
        deliver: Deliver,
        on_reconnect: Callable[[], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> Subscription:
        """Hear some channels."""
        ...


Bus = str | ConnectionSettings | OpenBus
"""Where the mesh talks: a URL, settings made of one, or a bus that is there already."""


class Link:
    """What a node has of its bus: it hears its channels, and puts packets out."""

    def __init__(self, publisher: Publisher, subscription: Subscription) -> None:
        self._publisher = publisher
        self._subscription = subscription
        self.publish = publisher.publish
        self.drain = publisher.drain

    async def close(self) -> None:
        """Hear nothing more, let what is waiting leave, and go."""
        await self._subscription.close()
        await self._publisher.close()


async def connect(
    bus: Bus,
    channels: Sequence[bytes],
    deliver: Deliver,
    reconnected: Callable[[], None],
    lost: Callable[[], None],
) -> Link:
    """Subscribe, and be able to publish.

    Args:
        bus: Where the mesh talks.
        channels: What we want to hear.
        deliver: Given everything heard.
        reconnected: Called when a lost connection is there again.
        lost: Called when it is lost.

    Raises:
        TransportError: The bus said no.
        ValueError: The URL is none; says what is wrong with it.
    """
    if not isinstance(bus, str | ConnectionSettings):
        return Link(bus.publisher(), await bus.subscribe(channels, deliver, reconnected, lost))
    settings = ConnectionSettings.parse(bus) if isinstance(bus, str) else bus
    publisher = await open_publisher(settings)
    try:
        subscription = await open_subscription(settings, channels, deliver, reconnected, lost)
    except BaseException:
        await publisher.close()
        raise
    return Link(publisher, subscription)
