"""MsgPack as msgpack5 and notepack.io write it (section 6).

Dates are the timestamp extension; notepack.io 2.x wrote ``undefined`` and
dates as extension 0. Texts that are no UTF-8 make msgspec refuse the whole
packet, Node takes them; they are read and written in `odd_texts`.
"""

from __future__ import annotations

from array import array
from datetime import timedelta
from typing import Any

import msgspec

from broker.protocol.serializers import odd_texts
from broker.protocol.serializers.values import EPOCH


def notepack_extension(code: int, data: memoryview) -> Any:
    """What notepack.io 2.x put under extension 0; other extensions stay as they are."""
    raw = bytes(data)
    if code == 0 and raw == b"\0":
        return None
    if code == 0 and len(raw) == 8:
        try:
            return EPOCH + timedelta(milliseconds=int.from_bytes(raw, "big", signed=True))
        except OverflowError:
            return None  # a date that was never valid
    return msgspec.msgpack.Ext(code, raw)


_DECODE = msgspec.msgpack.Decoder(ext_hook=notepack_extension).decode


def _as_node_writes(value: object) -> object:
    """What msgspec does not know."""
    if isinstance(value, array):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} cannot be written as MsgPack")


_ENCODE = msgspec.msgpack.Encoder(enc_hook=_as_node_writes).encode


def dumps(value: object) -> bytes:
    """Plain data to MsgPack. Lone surrogates are written as three bytes each (WTF-8).

    Raises:
        TypeError: It holds something that MsgPack cannot carry, or nests too deep.
    """
    try:
        try:
            return _ENCODE(value)
        except UnicodeEncodeError:
            return odd_texts.dumps(value, _ENCODE)
    except (RecursionError, OverflowError, ValueError) as error:
        raise TypeError(f"cannot be written as MsgPack: {error}") from error


def loads(body: bytes) -> Any:
    """MsgPack to plain data.

    Raises:
        ValueError: It is no MsgPack, or nests too deep.
    """
    try:
        try:
            return _DECODE(body)
        except UnicodeDecodeError:
            return odd_texts.loads(body, _DECODE)
    except RecursionError:
        raise ValueError("nests too deep") from None
    except MemoryError:
        raise ValueError("too big for memory") from None
    except (msgspec.MsgspecError, OverflowError, TypeError) as error:
        raise ValueError(str(error)) from error
