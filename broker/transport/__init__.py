"""The network: one file (or package) a bus; which one, the URL's scheme tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from broker.clock import Clock
from broker.transport.base import CheckResult, Deliver, KeyStore, Looker, Publisher, Subscription, Tap, TransportError
from broker.transport.redis import RedisKeys, RedisLooker, RedisPublisher, RedisSubscription, RedisTap
from broker.transport.redis import check as check_redis
from broker.transport.url import ConnectionSettings

__all__ = [
    "CheckResult",
    "ConnectionSettings",
    "TransportError",
    "check",
    "open_keys",
    "open_looker",
    "open_publisher",
    "open_subscription",
    "open_tap",
]


def open_tap(settings: ConnectionSettings, clock: Clock, namespaces: Sequence[str] | None = None) -> Tap:
    """A tap on the bus; it connects when it runs."""
    return RedisTap(settings, clock, namespaces)


def open_looker(settings: ConnectionSettings) -> Looker:
    """A looker; it connects when it is first asked."""
    return RedisLooker(settings)


def open_keys(settings: ConnectionSettings) -> KeyStore:
    """Keys that a node writes and reads; it connects when it is first asked."""
    return RedisKeys(settings)


async def open_publisher(settings: ConnectionSettings) -> Publisher:
    """A connected publisher.

    Raises:
        TransportError: It could not connect.
    """
    publisher = RedisPublisher(settings)
    await publisher.open()
    return publisher


async def open_subscription(
    settings: ConnectionSettings,
    channels: Sequence[bytes],
    deliver: Deliver,
    on_reconnect: Callable[[], None] | None = None,
    on_lost: Callable[[], None] | None = None,
) -> Subscription:
    """Hear some channels, for a node.

    Raises:
        TransportError: It could not connect.
    """
    subscription = RedisSubscription(settings, channels, deliver, on_reconnect, on_lost)
    await subscription.open()
    return subscription


async def check(settings: ConnectionSettings, namespaces: Sequence[str] | None = None) -> list[CheckResult]:
    """Check a connection: what was found, and what to do about it. Publishes nothing; never raises."""
    return await check_redis(settings, namespaces)
