"""Packets compressed on the wire; the same on all nodes of a mesh, MoleculerJS's included."""

from __future__ import annotations

import logging

from broker.node.middleware.base import Middleware, Receive, Send
from broker.protocol.compression import DEFAULT_THRESHOLD_BYTES, Compression, Method

log = logging.getLogger(__name__)


class TransmitCompression(Middleware):
    """MoleculerJS's ``Transmit.Compression({method, threshold})``.

    Attributes:
        unreadable: How many packets came that were not compressed so; they are left out.
    """

    def __init__(self, method: Method = "deflate", threshold: str | float | None = DEFAULT_THRESHOLD_BYTES) -> None:
        """
        Args:
            method: ``deflate``, ``deflateRaw`` or ``gzip``.
            threshold: What is smaller is not compressed: in bytes, or ``"1kb"``; None to compress everything.

        Raises:
            ValueError: One of them is not as it must be.
        """
        self._compression = Compression(method, threshold)
        self.unreadable = 0

    def transporter_send(self, call: Send) -> Send:
        """Compress what leaves."""
        pack = self._compression.pack
        return lambda channel, body: call(channel, pack(body))

    def transporter_receive(self, call: Receive) -> Receive:
        """Decompress what came."""

        def receive(channel: bytes, body: bytes) -> None:
            try:
                plain = self._compression.unpack(body)
            except ValueError as error:
                self.unreadable += 1
                log.warning("a packet on %s is left out: %s", channel.decode("utf-8", "replace"), error)
                return
            call(channel, plain)

        return receive
