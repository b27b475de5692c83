"""JSON as Node writes it.

``JSON.stringify`` escapes a lone surrogate (a cut emoji), which msgspec
refuses with the whole packet; the standard library takes it. Buffers are
``{"type": "Buffer", "data": [...]}``, for MoleculerJS itself as well.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

import msgspec

from broker.native import IS_COMPILED, compiled
from broker.protocol.serializers.values import Binary, rewritten, rewritten_data

_DECODE = msgspec.json.Decoder().decode
_ENCODE = msgspec.json.Encoder().encode

PLAIN: Final[frozenset[type]] = frozenset((str, int, float, bool, type(None)))
"""Types of what is written as it is."""
_MOST_DIGITS: Final = 4_000
"""Python refuses to read numbers of more than 4,300; JavaScript takes them for infinity."""


def dumps(value: object) -> bytes:
    """Plain data to JSON. NaN and infinities become null, bytes a Buffer, moments text, as in JavaScript.

    Raises:
        TypeError: It holds something that JSON cannot carry, or nests too deep.
    """
    try:
        plain = rewritten(value, PLAIN, _written)
        try:
            return _ENCODE(plain)
        except UnicodeEncodeError:
            return json.dumps(_finite(plain), separators=(",", ":")).encode()
    except (RecursionError, OverflowError, ValueError) as error:
        raise TypeError(f"cannot be written as JSON: {error}") from error


def is_written_as_it_is_slowly(value: object) -> bool:
    """Whether nothing in it is written otherwise than the library does by itself."""
    try:
        return rewritten(value, PLAIN, _written) is value
    except (TypeError, ValueError, RecursionError, OverflowError):
        return False


def dumps_record(
    record: Callable[..., msgspec.Struct], values: Iterable[object], data: Iterable[object]
) -> bytes | None:
    """Values as a record's fields to JSON, just as `dumps` would write them; None if something needs its care.

    Args:
        record: Made of the values.
        values: All of them.
        data: Those of them whose types are not all in PLAIN.
    """
    try:
        return _ENCODE(record(*values)) if all(map(is_written_as_it_is, data)) else None
    except (TypeError, RecursionError, OverflowError, ValueError):
        return None


def loads(body: bytes) -> Any:
    """JSON to plain data, as JavaScript reads it: lone surrogates stay, what is no UTF-8 becomes U+FFFD.

    Raises:
        ValueError: It is no JSON, or nests too deep.
    """
    try:
        return _DECODE(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(body.decode("utf-8", "replace"), parse_int=_integer, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nests too deep") from None
    except MemoryError:
        raise ValueError("too big for memory") from None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < _MOST_DIGITS else math.copysign(math.inf, -1 if digits[0] == "-" else 1)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _written(value: object) -> object:
    """The rule of what is written otherwise than the library would."""
    if isinstance(value, Binary):
        return {"type": "Buffer", "data": list(bytes(value))}
    if isinstance(value, datetime) and value.tzinfo is not None:
        precision = "microseconds" if value.microsecond % 1000 else "milliseconds"
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"
    return rewritten_data(value, PLAIN, _written)


def _finite(value: object) -> object:
    """The value for the standard library's encoder, which would write NaN."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


is_written_as_it_is: Final = compiled.is_written_as_it_is if IS_COMPILED else is_written_as_it_is_slowly
