"""Tags as plain data: what a service put into them is anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


def plain(value: Any) -> Any:
    """The value as what every serializer can carry; what is none of that is null. Bytes stay."""
    try:
        return msgspec.to_builtins(value, builtin_types=(bytes, bytearray), str_keys=True, enc_hook=_nothing)
    except (RecursionError, TypeError, ValueError):
        return without_circles(value)


def without_circles(value: Any) -> Any:
    """As MoleculerJS's ``safetyTags``: what was met before, functions, and what is no plain data is left out."""
    return _safe(value, set())


def _safe(value: Any, met: set[int]) -> Any:
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        return None
    met.add(id(value))
    if isinstance(value, Mapping):
        return {str(key): _safe(each, met) for key, each in value.items() if _is_kept(each, met)}
    return [_safe(each, met) if _is_kept(each, met) else None for each in value]


def _is_kept(value: Any, met: set[int]) -> bool:
    return id(value) not in met and not callable(value)


def _nothing(_value: Any) -> None:
    return None
