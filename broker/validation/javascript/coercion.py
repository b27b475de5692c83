"""``String(x)``, ``Number(x)``, ``x == y`` and ``JSON.parse(JSON.stringify(x))``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from broker.validation.javascript.dates import date_text, iso_text, milliseconds_of
from broker.validation.javascript.numbers import number_of_text, text_of_number
from broker.validation.javascript.values import UNDEFINED, double, kind_of, same


def text_of(value: Any) -> str:
    """``String(value)``."""
    match kind_of(value):
        case "string":
            return str(value)
        case "number":
            return text_of_number(value)
        case "boolean":
            return "true" if value else "false"
        case "array":
            return joined(value, ",")
        case "null":
            return "null"
        case "undefined":
            return "undefined"
        case "date":
            return date_text(value)
        case "function":
            return f"function {getattr(value, '__name__', '')}() {{ [native code] }}"
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    return "[object Object]"


def joined(values: list[Any] | tuple[Any, ...], separator: str) -> str:
    """``values.join(separator)``: null and undefined are empty."""
    return separator.join("" if value is None or value is UNDEFINED else text_of(value) for value in values)


def number_of(value: Any) -> int | float:
    """``Number(value)``."""
    match kind_of(value):
        case "number":
            return double(value)
        case "string":
            return number_of_text(value)
        case "boolean":
            return int(value)
        case "null":
            return 0
        case "array":
            return number_of_text(joined(value, ","))
        case "date":
            return milliseconds_of(value)
    return float("nan")


def loosely_equal(left: Any, right: Any) -> bool:
    """``left == right``."""
    kinds = kind_of(left), kind_of(right)
    if kinds[0] == kinds[1]:
        return same(left, right)
    nothing = ("null", "undefined")
    if kinds[0] in nothing or kinds[1] in nothing:
        return kinds[0] in nothing and kinds[1] in nothing
    simple = ("number", "string", "boolean")
    if kinds[0] in simple and kinds[1] in simple:
        return number_of(left) == number_of(right)
    if kinds[0] not in simple and kinds[1] not in simple:
        return False
    if kinds[0] not in simple:
        left, right = right, left
    text = text_of(right)
    return left == text if isinstance(left, str) else number_of(left) == number_of_text(text)


def plain(value: Any) -> Any:
    """A copy as JSON carries it: no NaN, no undefined; dates as text, what has no JSON as UNDEFINED."""
    match kind_of(value):
        case "number":
            return double(value) + 0 if math.isfinite(double(value)) else None  # JSON has no -0
        case "array":
            return [None if (item := plain(each)) is UNDEFINED else item for each in value]
        case "date":
            return iso_text(value)
        case "function" | "undefined":
            return UNDEFINED
        case "object":
            fields = value if isinstance(value, Mapping) else {}
            copied = {str(key): plain(each) for key, each in fields.items()}
            return {key: each for key, each in copied.items() if each is not UNDEFINED}
    return value
