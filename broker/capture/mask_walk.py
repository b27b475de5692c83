"""A way through binary packets, value by value, that overwrites secrets in place; for any format that has heads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from broker.capture.mask_json import mask_assigned, mask_json, mask_url
from broker.capture.secret_names import SecretNames

ENDLESS: Final = 1 << 62
"""The count of a container that ends with a break."""
_SURELY_ENDLESS: Final = 1 << 61

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
        is_break: Whether it is no value, but the end of a container without a count.
    """

    begin: int
    content: int
    size: int = 0
    count: int = -1
    is_map: bool = False
    is_text: bool = False
    is_break: bool = False


class DamagedError(Exception):
    """The bytes are not what they began as from here on."""

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


@dataclass(frozen=True, slots=True)
class Format:
    """A binary format.

    Attributes:
        head: The head of the value that begins at a place of a buffer's part; raises DamagedError.
        zeroed: What stands for a value of one byte, by that byte, when it is overwritten.
    """

    head: Callable[[bytearray, int, int], Item]
    zeroed: Callable[[int], int]


def mask_values(
    data: bytearray, begin: int, end: int, names: SecretNames, binary: Format, *, is_info: bool = False
) -> None:
    """Overwrite the values of secret names in part of a buffer. Never raises; the length stays.

    Texts and bytes become stars, numbers zeros; of maps and arrays everything
    in them. What follows a damaged place is overwritten altogether: it cannot
    be known what it is.

    Args:
        data: The buffer.
        begin, end: The part of it.
        names: Whose values are secret.
        binary: What the bytes are.
        is_info: It is an INFO packet: what its actions and events define stays.
    """
    try:
        _Walk(data, end, names, binary, is_info=is_info).run(begin)
    except DamagedError as damage:
        keep = min(damage.keep, end)
        data[keep:end] = b"*" * (end - keep)


def after_value(data: bytearray, at: int, end: int, binary: Format) -> int:
    """Where the value ends that begins here. Raises DamagedError."""
    left = [1]
    while left:
        item = binary.head(data, at, end)
        at = item.content + item.size
        if item.is_break:
            if left[-1] < _SURELY_ENDLESS:
                raise DamagedError(item.begin)
            left.pop()
        else:
            left[-1] -= 1
            if item.count >= 0:
                left.append(item.count)
        while left and left[-1] == 0:
            left.pop()
    return at


class _Walk:
    """Goes through all values, once."""

    def __init__(self, data: bytearray, end: int, names: SecretNames, binary: Format, *, is_info: bool) -> None:
        self._head = binary.head
        self._zeroed = binary.zeroed
        self._data = data
        self._end = end
        self._names = names
        self._is_info = is_info
        self._levels: list[_Level] = []

    def run(self, begin: int) -> None:
        at = begin
        while at < self._end or self._levels:
            item = self._head(self._data, at, self._end)
            at = item.content + item.size
            self._value(item)
            while self._levels and self._levels[-1].left == 0:
                self._levels.pop()

    def _value(self, item: Item) -> None:
        if item.is_break:
            if not self._levels or self._levels[-1].left < _SURELY_ENDLESS:
                raise DamagedError(item.begin)
            self._levels.pop()
            return
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
        data = self._data
        if item.size:
            data[item.content : item.content + item.size] = (b"*" if item.is_text else b"\0") * item.size
        else:
            data[item.begin] = self._zeroed(data[item.begin])

    def _inside_text(self, item: Item) -> None:
        data, begin, end = self._data, item.content, item.content + item.size
        if _JSON_INSIDE.search(data, begin, end) is not None:
            mask_json(data, begin, end, self._names)
        if data.find(b"=", begin, end) >= 0:
            mask_assigned(data, begin, end, self._names)
        at = data.find(b"://", begin, end)
        while at >= 0:
            mask_url(data, at, end)
            at = data.find(b"://", at + 3, end)
