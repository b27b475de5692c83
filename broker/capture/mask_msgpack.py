"""Secrets overwritten in MsgPack, in place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from broker.capture.mask_json import mask_json, mask_url
from broker.capture.secret_names import SecretNames

_NOT_SECRET: Final = frozenset({0xC0, 0xC2, 0xC3})
"""nil, false, true."""

_FIXED: Final = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_SIZED: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTENSIONS: Final = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_FIXED_EXTENSIONS: Final = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_CONTAINERS: Final = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
_JSON_INSIDE: Final = re.compile(rb'"\s*:')
_DEFINITIONS_DEPTH: Final = 3


@dataclass(frozen=True, slots=True)
class Item:
    """One value's head.

    Attributes:
        begin: Its first byte.
        content: Where its content begins, after head and length.
        size: Bytes of content; 0 for a container.
        count: Values in a container (keys count too); -1 for what is none.
        is_map: Whether they are keys and values.
        is_text: Whether the content is text or bytes.
    """

    begin: int
    content: int
    size: int = 0
    count: int = -1
    is_map: bool = False
    is_text: bool = False


class DamagedError(Exception):
    """The bytes are no MsgPack from here on."""

    def __init__(self, keep: int) -> None:
        super().__init__()
        self.keep = keep


@dataclass(slots=True)
class _Level:
    """A container that is being walked."""

    left: int
    is_map: bool
    is_secret: bool
    is_key_next: bool
    value_is_secret: bool = False
    key: bytes = b""


def mask_msgpack(data: bytearray, begin: int, end: int, names: SecretNames, *, is_info: bool = False) -> None:
    """Overwrite the values of secret names in part of a buffer. Never raises; the length stays.

    Texts become stars, bytes and numbers zeros; of maps and arrays everything
    in them. What follows a damaged place is overwritten altogether: it cannot
    be known what it is.

    Args:
        data: The buffer.
        begin, end: The part of it.
        names: Whose values are secret.
        is_info: It is an INFO packet: what its actions and events define stays.
    """
    walk = _Walk(data, end, names, is_info)
    try:
        walk.run(begin)
    except DamagedError as damage:
        keep = min(damage.keep, end)
        data[keep:end] = b"*" * (end - keep)


class _Walk:
    """Goes through all values, once."""

    def __init__(self, data: bytearray, end: int, names: SecretNames, is_info: bool) -> None:
        self._data = data
        self._end = end
        self._names = names
        self._is_info = is_info
        self._levels: list[_Level] = []

    def run(self, begin: int) -> None:
        at = begin
        while at < self._end or self._levels:
            item = head(self._data, at, self._end)
            at = item.content + item.size
            self._value(item)
            while self._levels and self._levels[-1].left == 0:
                self._levels.pop()

    def _value(self, item: Item) -> None:
        level = self._levels[-1] if self._levels else None
        is_secret, is_key = False, False
        if level is not None:
            level.left -= 1
            is_secret = level.is_secret
            if level.is_map:
                is_key, level.is_key_next = level.is_key_next, not level.is_key_next
                is_secret = is_secret or (not is_key and level.value_is_secret)
        if item.count >= 0:
            is_secret = is_secret and not self._is_definition()
            self._levels.append(_Level(item.count, item.is_map, is_secret, item.is_map))
        elif is_key and level is not None:
            self._key(item, level)
        elif is_secret:
            self._overwrite(item)
        elif item.is_text and item.size > 3:
            self._inside_text(item)

    def _key(self, item: Item, level: _Level) -> None:
        level.key = bytes(self._data[item.content : item.content + min(item.size, 200)])
        level.value_is_secret = item.is_text and self._names.holds(level.key) and not self._is_definition()

    def _is_definition(self) -> bool:
        """Whether we are inside what an INFO's actions or events define."""
        return (
            self._is_info
            and len(self._levels) > _DEFINITIONS_DEPTH
            and self._levels[_DEFINITIONS_DEPTH - 1].key in (b"actions", b"events")
        )

    def _overwrite(self, item: Item) -> None:
        data, first = self._data, self._data[item.begin]
        if item.size:
            data[item.content : item.content + item.size] = (b"*" if item.is_text else b"\0") * item.size
        elif first < 0x80 or first >= 0xE0:
            data[item.begin] = 0

    def _inside_text(self, item: Item) -> None:
        data, begin, end = self._data, item.content, item.content + item.size
        if _JSON_INSIDE.search(data, begin, end) is not None:
            mask_json(data, begin, end, self._names)
        at = data.find(b"://", begin, end)
        while at >= 0:
            mask_url(data, at, end)
            at = data.find(b"://", at + 3, end)


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
