"""Compression of whole packets as MoleculerJS's Transmit.Compression does it: a flag byte, then the data.

The flag is 0 where a packet was too small to be compressed; whatever else it
is, the rest is compressed.
"""

from __future__ import annotations

import re
import zlib
from typing import Final, Literal, get_args

Method = Literal["deflate", "deflateRaw", "gzip"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)

DEFAULT_THRESHOLD_BYTES: Final = 1024
MOST_BYTES: Final = 256 << 20
"""A packet that would be bigger than this is refused: a few bytes can claim to be gigabytes."""

_WINDOW_BITS: Final[dict[Method, int]] = {"deflate": 15, "deflateRaw": -15, "gzip": 31}
_BYTES: Final = re.compile(r"([+-]?\d+(?:\.\d+)?) *(kb|mb|gb|tb|pb)", re.IGNORECASE)
_POWERS: Final = {"kb": 1, "mb": 2, "gb": 3, "tb": 4, "pb": 5}


class Compression:
    """One way to compress.

    Attributes:
        method: ``deflate``, ``deflateRaw`` or ``gzip``.
        threshold_bytes: What is smaller is not compressed; None to compress everything.
    """

    def __init__(self, method: Method = "deflate", threshold: str | float | None = DEFAULT_THRESHOLD_BYTES) -> None:
        """
        Args:
            method: The same on all nodes.
            threshold: In bytes, or as MoleculerJS takes it: ``"1kb"``.

        Raises:
            ValueError: There is no such method, or the threshold is no size.
        """
        if method not in METHODS:
            raise ValueError(f"compression method is '{method}', expected one of {', '.join(METHODS)}")
        self.method = method
        self.threshold_bytes = _parsed(threshold)

    def pack(self, data: bytes) -> bytes:
        """What goes on the wire."""
        if self.threshold_bytes is not None and len(data) < self.threshold_bytes:
            return b"\0" + data
        packer = zlib.compressobj(wbits=_WINDOW_BITS[self.method])
        return b"\1" + packer.compress(data) + packer.flush()

    def unpack(self, packed: bytes) -> bytes:
        """What came from the wire.

        Raises:
            ValueError: It is not compressed so, or would be too big.
        """
        if not packed:
            raise ValueError("packet is empty, expected a flag of compression")
        return packed[1:] if packed[0] == 0 else inflate(packed[1:], self.method)


def inflate(data: bytes, method: Method) -> bytes:
    """Decompress.

    Raises:
        ValueError: It is not compressed so, is cut short, or would be too big.
    """
    unpacker = zlib.decompressobj(wbits=_WINDOW_BITS[method])
    try:
        plain = unpacker.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise ValueError(f"packet is not compressed by {method}: {error}") from error
    if unpacker.unconsumed_tail:
        raise ValueError(f"packet would have more than {MOST_BYTES >> 20} MB")
    if not unpacker.eof:
        raise ValueError(f"packet compressed by {method} is cut short")
    return plain


def method_of(data: bytes) -> Method:
    """By which method compressed data were made, from their first bytes."""
    if data[:2] == b"\x1f\x8b":
        return "gzip"
    is_zlib = len(data) > 1 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    return "deflate" if is_zlib else "deflateRaw"


def _parsed(threshold: str | float | None) -> int | None:
    if threshold is None:
        return None
    found = _BYTES.fullmatch(threshold.strip()) if isinstance(threshold, str) else None
    if found is not None:
        return int(float(found[1]) * 1024 ** _POWERS[found[2].lower()])
    try:
        return int(threshold)
    except (ValueError, OverflowError):
        raise ValueError(f"compression threshold is {threshold!r}, expected bytes, or a text such as '1kb'") from None
