"""What JavaScript can send and Python has no word for; and a way to put values into a serializer's own words.

What Python gets and may send, by what MoleculerJS calls it:

============== =================== ========== ========== ======================= ===================
MoleculerJS    Python              JSON       MsgPack,   CBOR                    JSONExt
                                              Notepack
============== =================== ========== ========== ======================= ===================
Buffer         bytes [1]_          dict       bytes      bytes                   bytes
Date           datetime, UTC [2]_  text       datetime   datetime, to the ms     datetime, to the ms
BigInt         int beyond 2^53     digits     to 64 bits any size                any size
number         int, float          same       same       same [3]_               same
NaN, Infinity  float               None       same       same                    None
undefined      left out [4]_       left out   left out   left out                left out
Set            set [5]_            list       list       set                     set
Map            dict                dict       dict       dict                    Map
RegExp         RegExp              dict [6]_  dict [6]_  RegExp                  RegExp
typed array    array.array         list       list       array.array             list
cut emoji      text with a lone    same       same       three U+FFFD            same
               surrogate
============== =================== ========== ========== ======================= ===================

.. [1] bytearray and memoryview are written like it. In JSON a Buffer is ``{"type": "Buffer", "data": [...]}`` for
       MoleculerJS itself too; `broker.protocol.streams.as_bytes` makes bytes of it.
.. [2] A datetime without a zone says no moment: it is written as its text. So are dates, times and UUIDs.
.. [3] Whole numbers between 2^32 and 2^53 cross as floats, as JavaScript has them, and are ints again when read.
.. [4] None inside a list; None of Python is null.
.. [5] A list, if something in it cannot be hashed.
.. [6] Empty from MoleculerJS, which loses it; with source and flags from us.
"""

from __future__ import annotations

import operator
import re
from array import array
from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_SAFE: Final = 2**53 - 1
"""The largest whole number that JavaScript's numbers hold for sure."""

Binary = bytes | bytearray | memoryview


class Map(dict[Any, Any]):
    """A dict that JSONExt writes as JavaScript's Map; for everything else it is a dict."""


@dataclass(frozen=True, slots=True)
class RegExp:
    """A regular expression of JavaScript; not compiled, since it is of another language and of somebody else.

    Attributes:
        source: What stands between the slashes.
        flags: Such as ``gi``.
    """

    source: str
    flags: str = ""


def rewritten(value: object, plain: frozenset[type], rule: Callable[[Any], object]) -> object:
    """Data with everything replaced that a serializer has its own way for; the same object if it holds none.

    Args:
        value: Data of dicts, lists and tuples.
        plain: Types of what stays as it is, without being shown to the rule.
        rule: Gives another value for one that is no dict, list or tuple, or the same.

    Raises:
        RecursionError: It nests too deep.
    """
    # Loops, not comprehensions: they run over everything that a node sends, and almost always change nothing.
    kind = type(value)
    if kind is dict:
        changes: dict[Any, object] | None = None
        for key, item in value.items():  # type: ignore[attr-defined]
            if type(item) not in plain and (new := rewritten(item, plain, rule)) is not item:
                changes = changes or {}
                changes[key] = new
        return value | changes if changes else value  # type: ignore[operator]
    if kind is list or kind is tuple:
        if plain.issuperset(map(type, value)):  # type: ignore[call-overload]
            return value
        items = [item if type(item) in plain else rewritten(item, plain, rule) for item in value]  # type: ignore[attr-defined]
        return items if any(map(operator.is_not, items, value)) else value  # type: ignore[call-overload]
    return value if kind in plain else rule(value)


def rewritten_data(value: object, plain: frozenset[type], rule: Callable[[Any], object]) -> object:
    """As `rewritten`, for what no serializer knows, but which is data in another shape.

    Dataclasses, structs, enums, UUIDs, dates without a moment, subclasses of
    what is plain.

    Raises:
        TypeError: It is none of these.
    """
    data = _as_data(value)
    if data is value:
        raise TypeError(f"a {type(value).__name__} cannot be written")
    return data if type(data) in plain else rewritten(data, plain, rule)


def _as_data(value: object) -> object:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple | Set):
        return list(value)
    if isinstance(value, array):
        return value.tolist()
    if isinstance(value, date):
        return value.isoformat()
    return msgspec.to_builtins(value, builtin_types=(bytes, bytearray, memoryview, datetime))


def milliseconds(moment: datetime) -> int:
    """A moment as JavaScript's Date has it: whole ms since the epoch."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment(ms: object) -> datetime | None:
    """The moment of a Date; None for one that is invalid, or beyond the years that Python knows."""
    if not isinstance(ms, int | float):
        return None
    try:
        return EPOCH + timedelta(milliseconds=round(ms))
    except (OverflowError, ValueError):
        return None


def regexp(value: re.Pattern[Any]) -> RegExp:
    """A compiled expression with JavaScript's flags."""
    letters = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s"}
    flags = "".join(letter for flag, letter in letters.items() if value.flags & flag)
    return RegExp(value.pattern if isinstance(value.pattern, str) else value.pattern.decode("latin-1"), flags)


def as_set(items: list[Any]) -> set[Any] | list[Any]:
    """What a Set held; a list where Python could not hold it in a set."""
    try:
        return set(items)
    except TypeError:
        return items
