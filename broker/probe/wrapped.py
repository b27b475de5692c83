"""A publisher whose packets get around them what those of the mesh have around them."""

from __future__ import annotations

from broker.protocol.peeling import Peeling
from broker.transport.base import Publisher


class Wrapped:
    """Compresses and encrypts what is published as it was heard. A Publisher."""

    def __init__(self, publisher: Publisher, peeling: Peeling) -> None:
        self._publisher = publisher
        self._wrap = peeling.wrap
        self.drain = publisher.drain
        self.confirm = publisher.confirm
        self.close = publisher.close

    def publish(self, channel: bytes, body: bytes) -> None:
        """Put a packet out."""
        self._publisher.publish(channel, self._wrap(channel, body))
