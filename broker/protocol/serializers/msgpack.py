"""MsgPack as msgpack5 and notepack.io write it (section 6).

Dates are the timestamp extension; notepack.io 2.x wrote ``undefined`` and
dates as extension 0.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def notepack_extension(code: int, data: memoryview) -> Any:
    """What notepack.io 2.x put under extension 0; other extensions stay as they are."""
    raw = bytes(data)
    if code == 0 and len(raw) == 1:
        return None
    if code == 0 and len(raw) == 8:
        try:
            return EPOCH + timedelta(milliseconds=int.from_bytes(raw, "big", signed=True))
        except OverflowError:
            return None
    return msgspec.msgpack.Ext(code, raw)


_DECODER = msgspec.msgpack.Decoder(ext_hook=notepack_extension)
_ENCODER = msgspec.msgpack.Encoder()


def dumps(value: object) -> bytes:
    """Plain data to MsgPack. A lone surrogate becomes U+FFFD, as Node's Buffer does.

    Raises:
        TypeError: It holds something that MsgPack cannot carry, or nests too deep.
    """
    try:
        try:
            return _ENCODER.encode(value)
        except UnicodeEncodeError:
            return _ENCODER.encode(_without_lone_surrogates(value))
    except (RecursionError, OverflowError) as error:
        raise TypeError(f"cannot be written as MsgPack: {error}") from error


def loads(body: bytes) -> Any:
    """MsgPack to plain data.

    Raises:
        ValueError: It is no MsgPack, or nests too deep.
    """
    try:
        return _DECODER.decode(body)
    except RecursionError as error:
        raise ValueError("nests too deep") from error
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, MemoryError, TypeError) as error:
        raise ValueError(str(error)) from error


def _without_lone_surrogates(value: object) -> object:
    if isinstance(value, str):
        # a surrogate is replaced by one U+FFFD, not by one for each of its three bytes
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_without_lone_surrogates(key): _without_lone_surrogates(item) for key, item in value.items()}
    return [_without_lone_surrogates(item) for item in value] if isinstance(value, list | tuple) else value
