"""Bytes to plain data and back, one file a serializer; which one is found from the first byte (section 6)."""

from __future__ import annotations

from typing import Any, Final, Protocol

import msgspec

from broker.protocol.serializers import json, msgpack


class Serializer(Protocol):
    """What each file here offers."""

    def dumps(self, value: object, /) -> bytes: ...
    def loads(self, body: bytes, /) -> Any: ...


JSON: Final = "JSON"
MSGPACK: Final = "MsgPack"
SERIALIZERS: Final[dict[str, Serializer]] = {JSON: json, MSGPACK: msgpack, "Notepack": msgpack}
"""By the names that Moleculer's broker option takes. Notepack's output is MsgPack too."""

OPENING_BRACE: Final = 0x7B

REFUSALS: Final = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError, MemoryError, TypeError, IndexError)
"""Whatever a msgspec decoder, or a look at the first byte, raises over bytes it does not like."""


def serializer_of(body: bytes) -> str | None:
    """Which serializer a body is in, from its first byte; None if it is neither."""
    if not body:
        return None
    first = body[0]
    if first == OPENING_BRACE or first in b" \t\r\n":
        return JSON
    if 0x80 <= first <= 0x8F or first in (0xDE, 0xDF):
        return MSGPACK
    return None


def dumps(value: object, serializer: str) -> bytes:
    """Plain data to bytes.

    Raises:
        ValueError: There is no such serializer.
        TypeError: The data holds something that it cannot carry.
    """
    module = SERIALIZERS.get(serializer)
    if module is None:
        raise ValueError(f"serializer is '{serializer}', expected one of {', '.join(SERIALIZERS)}")
    return module.dumps(value)


def loads(body: bytes) -> Any:
    """Bytes to plain data, whichever serializer they are in.

    Raises:
        ValueError: They are in none that is known, or broken, or nest too deep.
    """
    serializer = serializer_of(body)
    if serializer is None:
        begin = f"begins with {body[:4].hex(' ')}" if body else "is empty"
        raise ValueError(f"body {begin}, expected JSON or MsgPack (compressed or encrypted?)")
    return SERIALIZERS[serializer].loads(body)
