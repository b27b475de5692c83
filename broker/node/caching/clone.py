"""Copies of results, so that who got one cannot change what others will get."""

from __future__ import annotations

import copy
from typing import Any, Final

_ATOMS: Final = frozenset((str, int, float, bool, type(None), bytes))


def clone(value: Any) -> Any:
    """A copy that shares nothing which can be changed; plain data is several times as fast as ``copy.deepcopy``.

    Raises:
        TypeError: Something in it cannot be copied.
    """
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is dict:
        return {key: each if type(each) in _ATOMS else clone(each) for key, each in value.items()}
    if kind is list:
        return [each if type(each) in _ATOMS else clone(each) for each in value]
    return copy.deepcopy(value)
