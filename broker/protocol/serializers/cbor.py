"""CBOR as cbor-x writes and reads it with MoleculerJS's options: no records, maps without a tag of their own.

cbor-x reads every integer of 64 bits as a BigInt, so whole numbers are
written in 32 bits, as floats up to 2^53, and only beyond that as integers.
Texts that are no UTF-8 (cut emojis) are read with U+FFFD for each byte, as it
does. Of tags, those are understood that it writes itself; of others the
values stay in a `CBORTag`: decoding runs nothing, fetches nothing and shares
nothing.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Any, Final

import cbor2
from cbor2 import CBORDecodeEOF, CBORDecoder, CBOREncoder, CBORTag, undefined

from broker.protocol.serializers.values import (
    LARGEST_SAFE,
    Binary,
    RegExp,
    as_set,
    milliseconds,
    moment,
    regexp,
    rewritten,
    rewritten_data,
)

_MAX_DEPTH: Final = 400
_SET_TAG: Final = 258
_OBJECT_TAG: Final = 27
_ARRAY_TAGS: Final = {69: "H", 70: "I", 71: "Q", 72: "b", 77: "h", 78: "i", 79: "q", 85: "f", 86: "d"}
"""Typed arrays, little-endian ones; the same in big-endian are four less, where there are several bytes."""
_TAG_OF_CODE: Final = {code: tag for tag, code in _ARRAY_TAGS.items()}
_LEFT_AS_TAGS: Final = (0, 4, 5, 6, 25, 28, 29, 30, 35, 36, 37, 43, 52, 54, 100, 256, 260, 261, 1004, 43000)
"""What the library would make something of: dates in text, decimals, references, compiled expressions, mail."""
_UNSURE: Final = re.compile(rb"[\xf7\xfb]")
"""Where one of these bytes is, an undefined or a float may be."""

_PLAIN: Final[frozenset[type]] = frozenset((str, bool, float, bytes, type(None)))


def dumps(value: object) -> bytes:
    """Plain data to CBOR.

    Raises:
        TypeError: It holds something that CBOR cannot carry, or nests too deep.
    """
    try:
        ready = rewritten(value, _PLAIN, _written)
        try:
            return cbor2.dumps(ready)
        except UnicodeEncodeError:
            return cbor2.dumps(ready, encoders={str: _write_cut_text})
    except (RecursionError, OverflowError, ValueError, cbor2.CBORError) as error:
        raise TypeError(f"cannot be written as CBOR: {error}") from error


def loads(body: bytes) -> Any:
    """CBOR to plain data.

    Raises:
        ValueError: It is no CBOR, or nests too deep.
    """
    decoder = CBORDecoder(BytesIO(body), semantic_decoders=_READ_TAGS, str_errors="replace", max_depth=_MAX_DEPTH)
    try:
        value = decoder.decode()
    except (cbor2.CBORError, ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"CBOR is malformed: {error}") from error
    except MemoryError:
        raise ValueError("too big for memory") from None
    try:
        decoder.read(1)
    except CBORDecodeEOF:
        return _tidy(value) if _UNSURE.search(body) else value
    raise ValueError("CBOR is malformed: something follows it")


def _written(value: object) -> object:
    """The rule of what is written otherwise than the library would."""
    if type(value) is int:
        return value if not 2**32 <= abs(value) <= LARGEST_SAFE else float(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        ms = milliseconds(value)
        return CBORTag(1, ms // 1000 if ms % 1000 == 0 and 0 <= ms < 1000 * 2**32 else ms / 1000)
    if isinstance(value, set | frozenset):
        return CBORTag(_SET_TAG, rewritten(list(value), _PLAIN, _written))
    if isinstance(value, Binary):
        return bytes(value)
    if isinstance(value, re.Pattern):
        value = regexp(value)
    if isinstance(value, RegExp):
        return CBORTag(_OBJECT_TAG, ["RegExp", value.source, value.flags])
    if isinstance(value, array) and value.typecode in _TAG_OF_CODE:
        return CBORTag(_TAG_OF_CODE[value.typecode], _swapped(value, sys.byteorder == "big").tobytes())
    if isinstance(value, CBORTag):
        return CBORTag(value.tag, rewritten(value.value, _PLAIN, _written))
    if isinstance(value, cbor2.CBORSimpleValue):
        return value
    return rewritten_data(value, _PLAIN, _written)


def _write_cut_text(encoder: CBOREncoder, text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    encoder.encode_length(3, len(raw))
    encoder.write(raw)


def _tidy(value: Any) -> Any:
    """Without what is undefined, and with whole numbers whole: JavaScript's numbers are floats beyond 32 bits."""
    if type(value) is dict:
        return {
            key if key is not undefined else None: _tidy(item) for key, item in value.items() if item is not undefined
        }
    if type(value) is list:
        return [_tidy(item) for item in value]
    if type(value) is float:
        return int(value) if 2**32 <= abs(value) <= LARGEST_SAFE and value.is_integer() else value
    return None if value is undefined else value


def _read_date(seconds: Any, _: bool) -> datetime | None:
    return moment(seconds * 1000) if isinstance(seconds, int | float) else None


def _read_set(items: Any, immutable: bool) -> Any:
    if not isinstance(items, list | tuple):
        raise ValueError("a set is no list")  # noqa: TRY004 - of bytes, not of arguments
    return tuple(items) if immutable else as_set(_tidy(list(items)))


def _read_object(parts: Any, _: bool) -> Any:
    match parts:
        case ["RegExp", str(source)] | ("RegExp", str(source)):
            return RegExp(source)
        case ["RegExp", str(source), str(flags)] | ("RegExp", str(source), str(flags)):
            return RegExp(source, flags)
    return CBORTag(_OBJECT_TAG, parts)


def _array_reader(tag: int, code: str, *, is_big: bool) -> Callable[[Any, bool], Any]:
    def read(raw: Any, _: bool) -> Any:
        if not isinstance(raw, bytes) or len(raw) % array(code).itemsize:
            return CBORTag(tag, raw)
        return _swapped(array(code, raw), is_big != (sys.byteorder == "big"))

    return read


def _swapped(numbers: array[Any], is_other_order: bool) -> array[Any]:
    if is_other_order:
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers


def _left_alone(tag: int) -> Callable[[Any, bool], Any]:
    return lambda value, _: CBORTag(tag, value)


_READ_TAGS: Final[dict[int, Callable[[Any, bool], Any]]] = {
    **{tag: _left_alone(tag) for tag in _LEFT_AS_TAGS},
    **{tag: _array_reader(tag, code, is_big=False) for tag, code in _ARRAY_TAGS.items()},
    **{tag - 4: _array_reader(tag - 4, code, is_big=True) for tag, code in _ARRAY_TAGS.items() if code != "b"},
    1: _read_date,
    64: lambda raw, _: raw,
    68: lambda raw, _: raw,
    259: lambda value, _: value,
    _OBJECT_TAG: _read_object,
    _SET_TAG: _read_set,
}
