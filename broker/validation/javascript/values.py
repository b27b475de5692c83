"""JavaScript's values as Python has them: kinds, equality, order of keys, length of texts."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Final, Literal

SAFE_INTEGER: Final = 2**53
"""Above it a JavaScript number is no longer exact."""


class Undefined:
    """The type of UNDEFINED."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "UNDEFINED"  # a copy is the same


UNDEFINED: Final[Any] = Undefined()
"""What JavaScript has where nothing is: an absent key. Null is None."""

Kind = Literal["undefined", "null", "boolean", "number", "string", "array", "date", "function", "object"]


def kind_of(value: object) -> Kind:
    """What JavaScript would take the value for; bytes and unknown objects are objects."""
    if value is None:
        return "null"
    if value is UNDEFINED:
        return "undefined"
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list | tuple):
        return "array"
    if isinstance(value, datetime.date):
        return "date"
    if callable(value):
        return "function"
    return "object"


def truthy(value: Any) -> bool:
    """``Boolean(value)``: empty lists and objects are true, NaN is false."""
    return isinstance(value, list | dict) or (bool(value) and value == value)  # noqa: PLR0124 - NaN


def double(value: int | float) -> int | float:
    """A number as JavaScript holds it: integers lose what is beyond 53 bits, and become infinite in the end."""
    if isinstance(value, float) or -SAFE_INTEGER <= value <= SAFE_INTEGER:
        return value
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def is_number(value: object) -> bool:
    """Whether it is a number; booleans are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(left: Any, right: Any) -> bool:
    """``left === right``."""
    kind = kind_of(left)
    if kind != kind_of(right):
        return False
    if kind == "number":
        return double(left) == double(right)
    if kind in ("string", "boolean"):
        return bool(left == right)
    return left is right


def keys_of(value: Mapping[Any, Any]) -> list[str]:
    """``Object.keys(value)``: numbers first, rising, then the others as they were set."""
    keys = [key if isinstance(key, str) else str(key) for key in value]
    if not any(key[:1].isdigit() for key in keys):
        return keys
    indices = [key for key in keys if _is_index(key)]
    return sorted(indices, key=int) + [key for key in keys if not _is_index(key)]


def length_of(text: str) -> int:
    """How many UTF-16 units a text has: an emoji has two."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def halves(text: str) -> str:
    """The text with each character beyond the first plane as its two surrogates."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(units[i] | units[i + 1] << 8) for i in range(0, len(units), 2))


def whole(text: str) -> str:
    """The text with surrogates joined to characters where they are pairs."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and (key == "0" or key[0] != "0") and int(key) < 2**32 - 1
