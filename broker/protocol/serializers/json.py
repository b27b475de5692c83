"""JSON as Node writes it.

``JSON.stringify`` escapes a lone surrogate (a cut emoji), which msgspec
refuses with the whole packet; the standard library takes it. Buffers are
``{"type": "Buffer", "data": [...]}``.
"""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from typing import Any, NoReturn

import msgspec

_DECODER = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()


def dumps(value: object) -> bytes:
    """Plain data to JSON. NaN and infinities become null, bytes a Buffer, as in JavaScript.

    Raises:
        TypeError: It holds something that JSON cannot carry, or nests too deep.
    """
    try:
        plain = _with_buffers(value) if _holds_bytes(value) else value
        try:
            return _ENCODER.encode(plain)
        except UnicodeEncodeError:
            return json.dumps(_finite(plain), separators=(",", ":")).encode()
    except (RecursionError, OverflowError) as error:
        raise TypeError(f"cannot be written as JSON: {error}") from error


def loads(body: bytes) -> Any:
    """JSON to plain data.

    Raises:
        ValueError: It is no JSON, or nests too deep.
    """
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return loads_as_node(body)


def loads_as_node(body: bytes) -> Any:
    """JSON as JavaScript reads it: lone surrogates stay, bytes that are no UTF-8 become U+FFFD.

    Raises:
        ValueError: It is no JSON, or nests too deep.
    """
    try:
        return json.loads(body.decode("utf-8", "replace"), parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nests too deep") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _holds_bytes(value: object) -> bool:
    if isinstance(value, bytes | bytearray):
        return True
    if isinstance(value, dict):
        return any(map(_holds_bytes, value.values()))
    return isinstance(value, list | tuple) and any(map(_holds_bytes, value))


def _with_buffers(value: object) -> object:
    if isinstance(value, bytes | bytearray):
        return {"type": "Buffer", "data": list(value)}
    if isinstance(value, dict):
        return {key: _with_buffers(item) for key, item in value.items()}
    return [_with_buffers(item) for item in value] if isinstance(value, list | tuple) else value


def _finite(value: object) -> object:
    """The value for the standard library's encoder, which would write NaN and knows no dates."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
