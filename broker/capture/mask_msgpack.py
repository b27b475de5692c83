"""The heads of MsgPack's values, so that secrets can be overwritten in place."""

from __future__ import annotations

from typing import Final

from broker.capture.mask_walk import DamagedError, Format, Item

_NOT_SECRET: Final = frozenset({0xC0, 0xC2, 0xC3})
"""nil, false, true."""

_FIXED: Final = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_SIZED: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTENSIONS: Final = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_FIXED_EXTENSIONS: Final = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_CONTAINERS: Final = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}


def is_msgpack(first: int) -> bool:
    """Whether a body that begins with this byte is a map or an array in MsgPack; JSON never begins so."""
    return 0x80 <= first < 0xA0 or 0xDC <= first <= 0xDF


def head(data: bytearray, at: int, end: int) -> Item:
    """The value that begins here. Raises DamagedError."""
    if at >= end:
        raise DamagedError(end)
    first = data[at]
    if first < 0x80 or first >= 0xE0 or first in _NOT_SECRET:
        return Item(at, at + 1)
    if first < 0x90:
        return Item(at, at + 1, count=2 * (first & 15), is_map=True)
    if first < 0xA0:
        return Item(at, at + 1, count=first & 15)
    if first < 0xC0:
        return _fits(Item(at, at + 1, first & 31, is_text=True), end)
    if first in _FIXED:
        return _fits(Item(at, at + 1, _FIXED[first]), end)
    if first in _SIZED:
        width = _SIZED[first]
        return _fits(Item(at, at + 1 + width, _number(data, at, width, end), is_text=True), end)
    if first in _FIXED_EXTENSIONS:
        return _fits(Item(at, at + 2, _FIXED_EXTENSIONS[first]), end)
    if first in _EXTENSIONS:
        width = _EXTENSIONS[first]
        return _fits(Item(at, at + 2 + width, _number(data, at, width, end)), end)
    if first in _CONTAINERS:
        width, factor = _CONTAINERS[first]
        return Item(at, at + 1 + width, count=factor * _number(data, at, width, end), is_map=factor == 2)
    raise DamagedError(at + 1)


def _number(data: bytearray, at: int, width: int, end: int) -> int:
    if at + 1 + width > end:
        raise DamagedError(end)
    return int.from_bytes(data[at + 1 : at + 1 + width])


def _fits(item: Item, end: int) -> Item:
    if item.content + item.size > end:
        raise DamagedError(item.content)
    return item


MSGPACK: Final = Format(head, lambda first: 0 if first < 0x80 or first >= 0xE0 else first)
"""A number of one byte becomes 0; nil, false and true stay."""
