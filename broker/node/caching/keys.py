"""The keys of cached results: the very text that MoleculerJS makes, so that nodes can share a cache."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from broker.node.caching.options import CacheOptions
from broker.node.caching.paths import value_at
from broker.node.context import ABSENT, Context

_HASH_LENGTH: Final = 44
"""Of a SHA-256 in base64."""


def key_015(action: str, options: CacheOptions, ctx: Context, max_params_length: int | None = None) -> str:
    """As MoleculerJS 0.15 does: text in quotes, ``undefined`` apart from ``null``.

    Args:
        action: Full name.
        options: Which params count.
        ctx: The call.
        max_params_length: What is longer is cut and given a hash; below 44 nothing is.
    """
    keys = options.keys
    if keys is None:
        return f"{action}:{shortened(text_015(ctx.params), max_params_length)}"
    if not keys:
        return action
    if len(keys) == 1:
        return f"{action}:{shortened(text_015(_value_015(ctx, keys[0])), max_params_length)}"
    parts: list[str] = []
    for key in keys:
        value = _value_015(ctx, key)
        text = text_015(value)
        parts.append(shortened(text, max_params_length) if _is_object(value) else text)
    return f"{action}:{shortened('|'.join(parts), max_params_length)}"


def key_014(action: str, options: CacheOptions, ctx: Context, max_params_length: int | None = None) -> str:
    """As MoleculerJS 0.14 does. Arguments as those of `key_015`."""
    keys = options.keys
    if keys is None:
        return f"{action}:{shortened(text_014(ctx.params), max_params_length)}"
    if not keys:
        return action
    parts: list[str] = []
    for key in keys:
        value = value_at(ctx.meta, key[1:]) if key.startswith("#") else value_at(ctx.params, key)
        if _is_object(value):
            parts.append(shortened(text_014(value), max_params_length))
        else:
            parts.append("undefined" if value is ABSENT else text_014(value))
    return f"{action}:{shortened('|'.join(parts), max_params_length)}"


def text_015(value: Any) -> str:
    """A value as 0.15 writes it into keys."""
    if type(value) is str:
        return f'"{value}"'
    if value is ABSENT:
        return "undefined"
    return _text(value, text_015)


def text_014(value: Any) -> str:
    """A value as 0.14 writes it into keys."""
    if type(value) is str:
        return value
    return "null" if value is ABSENT else _text(value, text_014)


def number_text(number: float) -> str:
    """A number as JavaScript writes it."""
    if isinstance(number, int):
        return str(number)  # all digits, also of those that JavaScript would round: other numbers are other keys
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - it is finite
    text = "".join(map(str, digits))
    point = len(text) + exponent  # where the decimal point stands, counted from the first digit
    if text == "0":
        return "0"
    return ("-" if sign else "") + _placed(text, point)


def shortened(text: str, limit: int | None) -> str:
    """The text, or if it is longer than the limit its beginning and a hash, together as long as the limit."""
    if not limit or limit < _HASH_LENGTH:
        return text
    units = text.encode("utf-16-le", "surrogatepass")  # JavaScript counts and cuts these
    if len(units) <= limit * 2:
        return text
    digest = base64.b64encode(hashlib.sha256(units.decode("utf-16-le", "replace").encode()).digest()).decode()
    return units[: (limit - _HASH_LENGTH) * 2].decode("utf-16-le", "surrogatepass") + digest


def _value_015(ctx: Context, key: str) -> Any:
    if key.startswith("#"):
        return value_at(ctx.meta, key[1:])
    if key.startswith("@"):
        return value_at(ctx.headers, key[1:])
    return value_at(ctx.params, key)


def _text(value: Any, text: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list | tuple):
        return "[" + "|".join(map(text, value)) + "]"
    if isinstance(value, Mapping):
        return "|".join(f"{key}|{text(value[key])}" for key in _in_order(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return "|".join(f"{index}|{byte}" for index, byte in enumerate(bytes(value)))
    if isinstance(value, datetime):
        return number_text(round(value.timestamp() * 1000))
    return str(value)


def _in_order(value: Mapping[Any, Any]) -> Iterable[Any]:
    """Keys in the order of a JavaScript object: whole numbers first, ascending."""
    if not any(type(key) is str and key[:1].isdecimal() for key in value):
        return value
    numbers = [key for key in value if _is_index(key)]
    return [*sorted(numbers, key=int), *(key for key in value if not _is_index(key))] if numbers else value


def _is_index(key: object) -> bool:
    return isinstance(key, str) and key.isdecimal() and key.isascii() and str(int(key)) == key and int(key) < 2**32 - 1


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple | bytes | bytearray | memoryview | datetime)


def _placed(digits: str, point: int) -> str:
    """The digits with their decimal point, as ECMA-262 places it."""
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    power = point - 1
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{'+' if power > 0 else '-'}{abs(power)}"
