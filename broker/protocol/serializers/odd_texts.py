"""MsgPack with texts that are no UTF-8: lone surrogates, and whatever else Node takes.

Slow and rare. Everything but texts, arrays and maps is left to msgspec.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_NIL: Final = 0xC0
_SIZES: Final = {
    0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
    0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17, _NIL: 0,
}  # fmt: skip
"""Bytes that follow the first one, for what is of a fixed size; a fixext's type is one of them."""
_LENGTH_BYTES: Final = {
    0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4,
    0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4,
}  # fmt: skip
"""Bytes of the length that follows the first one."""
_TEXTS: Final = (0xD9, 0xDA, 0xDB)
_ARRAYS: Final = (0xDC, 0xDD)
_MAPS: Final = (0xDE, 0xDF)
_LONG_EXTENSIONS: Final = (0xC7, 0xC8, 0xC9)


def loads(body: bytes, leaf: Callable[[bytes], Any]) -> Any:
    """Read it.

    Args:
        body: One value.
        leaf: Reads what is neither text nor array nor map.

    Raises:
        ValueError: It is cut short, or something follows.
        RecursionError: It nests too deep.
        TypeError: A map has a map for a key.
    """
    value, end = _Reading(body, leaf).value(0)
    if end != len(body):
        raise ValueError(f"MessagePack data is malformed: {len(body) - end} bytes too many")
    return value


class _Reading:
    """Reads values from one body; each method gives a value and where the next one begins."""

    def __init__(self, body: bytes, leaf: Callable[[bytes], Any]) -> None:
        self._body = body
        self._leaf = leaf

    def value(self, at: int) -> tuple[Any, int]:
        first = self._slice(at, at + 1)[0]
        if first < 0x80 or first >= 0xE0:
            return self._leaf(self._body[at : at + 1]), at + 1
        if first < 0x90:
            return self._map(first & 0x0F, at + 1)
        if first < 0xA0:
            return self._array(first & 0x0F, at + 1)
        if first < 0xC0:
            return self._text(first & 0x1F, at + 1)
        size = _SIZES.get(first)
        if size is not None:
            return self._leaf(self._slice(at, at + 1 + size)), at + 1 + size
        length_bytes = _LENGTH_BYTES.get(first)
        if length_bytes is None:
            raise ValueError(f"MessagePack data is malformed: {first:#x} at byte {at}")
        begin = at + 1 + length_bytes
        length = int.from_bytes(self._slice(at + 1, begin), "big")
        if first in _TEXTS:
            return self._text(length, begin)
        if first in _ARRAYS:
            return self._array(length, begin)
        if first in _MAPS:
            return self._map(length, begin)
        end = begin + length + (first in _LONG_EXTENSIONS)
        return self._leaf(self._slice(at, end)), end

    def _slice(self, begin: int, end: int) -> bytes:
        if end > len(self._body):
            raise ValueError("Input data was truncated")
        return self._body[begin:end]

    def _text(self, length: int, begin: int) -> tuple[str, int]:
        raw = self._slice(begin, begin + length)
        try:
            return raw.decode("utf-8", "surrogatepass"), begin + length
        except UnicodeDecodeError:
            return raw.decode("utf-8", "replace"), begin + length

    def _array(self, length: int, at: int) -> tuple[list[Any], int]:
        items = []
        for _ in range(length):
            item, at = self.value(at)
            items.append(item)
        return items, at

    def _map(self, length: int, at: int) -> tuple[dict[Any, Any], int]:
        items = {}
        for _ in range(length):
            key, at = self.value(at)
            items[tuple(key) if isinstance(key, list) else key], at = self.value(at)
        return items, at


def dumps(value: object, leaf: Callable[[object], bytes]) -> bytes:
    """Write it, lone surrogates as three bytes each.

    Args:
        value: Plain data.
        leaf: Writes what is neither text nor array nor map.
    """
    if isinstance(value, str):
        raw = value.encode("utf-8", "surrogatepass")
        return _head(len(raw), 0xA0, 32, (0xD9, 0xDA, 0xDB)) + raw
    if isinstance(value, dict):
        parts = [dumps(part, leaf) for item in value.items() for part in item]
        return _head(len(value), 0x80, 16, (None, 0xDE, 0xDF)) + b"".join(parts)
    if isinstance(value, list | tuple):
        return _head(len(value), 0x90, 16, (None, 0xDC, 0xDD)) + b"".join(dumps(item, leaf) for item in value)
    return leaf(value)


def _head(length: int, fixed: int, fixed_limit: int, long_forms: tuple[int | None, int, int]) -> bytes:
    """The bytes before a text, an array or a map: the shortest form that holds the length."""
    if length < fixed_limit:
        return bytes([fixed | length])
    for size, form in zip((1, 2, 4), long_forms, strict=True):
        if form is not None and length < 1 << 8 * size:
            return bytes([form]) + length.to_bytes(size, "big")
    raise OverflowError("longer than 4 GiB")
