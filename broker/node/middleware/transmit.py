"""What changes the bytes of all packets on the wire, and back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from broker.node.middleware.base import Middleware, Receive, Send

log: Final = logging.getLogger(__name__)

Change = Callable[[bytes], bytes]


class Transmit(Middleware):
    """The same on all nodes of a mesh, MoleculerJS's included.

    Attributes:
        unreadable: How many packets came that were not written so; they are left out.
    """

    def __init__(self, written: Change, read: Change) -> None:
        """
        Args:
            written: Bytes as they leave.
            read: Bytes as they were; raises ValueError, saying why, for what was not written so.
        """
        self._written = written
        self._read = read
        self.unreadable = 0

    def transporter_send(self, call: Send) -> Send:
        """Change what leaves."""
        written = self._written
        return lambda channel, body: call(channel, written(body))

    def transporter_receive(self, call: Receive) -> Receive:
        """Change back what came."""
        read = self._read

        def receive(channel: bytes, body: bytes) -> None:
            try:
                plain = read(body)
            except ValueError as error:
                self.unreadable += 1
                log.warning("a packet on %s is left out: %s", channel.decode("utf-8", "replace"), error)
                return
            call(channel, plain)

        return receive
