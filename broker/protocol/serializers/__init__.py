"""Bytes to plain data and back, one file a serializer; which one is found from the first byte (section 6)."""

from __future__ import annotations

from typing import Any, Final, Protocol

import msgspec

from broker.protocol.serializers import cbor, json, jsonext, msgpack, notepack


class Serializer(Protocol):
    """What each file here offers."""

    def dumps(self, value: object, /) -> bytes: ...
    def loads(self, body: bytes, /) -> Any: ...


JSON: Final = "JSON"
JSON_EXT: Final = "JSONExt"
MSGPACK: Final = "MsgPack"
CBOR: Final = "CBOR"
SERIALIZERS: Final[dict[str, Serializer]] = {
    JSON: json,
    JSON_EXT: jsonext,
    MSGPACK: msgpack,
    "Notepack": notepack,
    CBOR: cbor,
}
"""By the names that Moleculer's broker option takes."""

OPENING_BRACE: Final = 0x7B

REFUSALS: Final = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError, MemoryError, TypeError, IndexError)
"""Whatever a msgspec decoder, or a look at the first byte, raises over bytes it does not like."""


def serializer_of(body: bytes) -> str | None:
    """Which serializer a body is in, from its first byte; None if it is in none.

    Notepack's bytes are MsgPack too, and JSONExt's are JSON: see `jsonext.is_marked`.
    """
    if not body:
        return None
    first = body[0]
    if first == OPENING_BRACE or first in b" \t\r\n":
        return JSON
    if 0x80 <= first <= 0x8F or first in (0xDE, 0xDF):
        return MSGPACK
    if 0xA0 <= first <= 0xBF:
        return CBOR
    return None


def serializer_name(name: str) -> str:
    """The name of a serializer as it is written here; MoleculerJS takes it in whatever case.

    Raises:
        ValueError: There is no such serializer.
    """
    for known in SERIALIZERS:
        if known.lower() == str(name).lower():
            return known
    raise ValueError(f"serializer is '{name}', expected one of {', '.join(SERIALIZERS)}")


def dumps(value: object, serializer: str) -> bytes:
    """Plain data to bytes.

    Raises:
        ValueError: There is no such serializer.
        TypeError: The data holds something that it cannot carry.
    """
    module = SERIALIZERS.get(serializer) or SERIALIZERS[serializer_name(serializer)]
    return module.dumps(value)


def loads(body: bytes) -> Any:
    """Bytes to plain data, whichever serializer they are in. JSONExt is read as JSON: its marks stay.

    Raises:
        ValueError: They are in none that is known, or broken, or nest too deep.
    """
    serializer = serializer_of(body)
    if serializer is None:
        begin = f"begins with {body[:4].hex(' ')}" if body else "is empty"
        raise ValueError(f"body {begin}, expected JSON, MsgPack or CBOR (compressed or encrypted?)")
    return SERIALIZERS[serializer].loads(body)
