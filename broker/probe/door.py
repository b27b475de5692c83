"""The way to a bus: by URL, or one in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from broker.clock import Clock
from broker.transport import ConnectionSettings, open_looker, open_publisher, open_tap
from broker.transport.base import Looker, Publisher, Tap
from broker.transport.memory import MemoryBus


class Door(Protocol):
    """Opens what a session needs of a bus. A publisher is opened only by who may publish."""

    @property
    def redacted(self) -> str:
        """Where it leads, without secrets."""
        ...

    def tap(self, clock: Clock, namespaces: Sequence[str] | None) -> Tap:
        """A tap; it connects when it runs."""
        ...

    def looker(self) -> Looker:
        """A looker; it connects when it is asked."""
        ...

    async def publisher(self) -> Publisher:
        """A connected publisher. Raises TransportError."""
        ...


class UrlDoor:
    """By URL."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings

    @property
    def redacted(self) -> str:
        """The URL without its password."""
        return self._settings.redacted

    def tap(self, clock: Clock, namespaces: Sequence[str] | None) -> Tap:
        """A tap; it connects when it runs."""
        return open_tap(self._settings, clock, namespaces)

    def looker(self) -> Looker:
        """A looker; it connects when it is asked."""
        return open_looker(self._settings)

    async def publisher(self) -> Publisher:
        """A connected publisher. Raises TransportError."""
        return await open_publisher(self._settings)


class MemoryDoor:
    """A bus in memory."""

    redacted = "memory://"

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus

    def tap(self, clock: Clock, namespaces: Sequence[str] | None) -> Tap:  # noqa: ARG002  it hears all
        """A tap; the bus has its own clock."""
        return self._bus.tap()

    def looker(self) -> Looker:
        """A looker."""
        return self._bus.looker()

    async def publisher(self) -> Publisher:
        """A publisher."""
        return self._bus.publisher()
