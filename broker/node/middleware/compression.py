"""Packets compressed on the wire."""

from __future__ import annotations

from broker.node.middleware.transmit import Transmit
from broker.protocol.compression import DEFAULT_THRESHOLD_BYTES, Compression, Method


class TransmitCompression(Transmit):
    """MoleculerJS's ``Transmit.Compression({method, threshold})``."""

    def __init__(self, method: Method = "deflate", threshold: str | float | None = DEFAULT_THRESHOLD_BYTES) -> None:
        """
        Args:
            method: ``deflate``, ``deflateRaw`` or ``gzip``.
            threshold: What is smaller is not compressed: in bytes, or ``"1kb"``; None to compress everything.

        Raises:
            ValueError: One of them is not as it must be.
        """
        compression = Compression(method, threshold)
        super().__init__(compression.pack, compression.unpack)
