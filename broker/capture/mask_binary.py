"""Which binary format a body is in."""

from __future__ import annotations

from broker.capture.mask_cbor import CBOR, is_cbor
from broker.capture.mask_msgpack import MSGPACK, is_msgpack
from broker.capture.mask_walk import Format


def binary_format(first: int) -> Format | None:
    """The format of a body that begins with this byte; None where it may be JSON."""
    if is_msgpack(first):
        return MSGPACK
    return CBOR if is_cbor(first) else None
