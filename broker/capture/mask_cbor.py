"""The heads of CBOR's values, so that secrets can be overwritten in place."""

from __future__ import annotations

from typing import Final

from broker.capture.mask_walk import ENDLESS, DamagedError, Format, Item

_POSITIVE, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _OTHER = range(8)
_WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_ENDLESS_MARK: Final = 31
_BREAK: Final = 0xFF


def is_cbor(first: int) -> bool:
    """Whether a body that begins with this byte is a map in CBOR; no other serializer begins so."""
    return 0xA0 <= first <= 0xBF


def head(data: bytearray, at: int, end: int) -> Item:
    """The value that begins here; a tag is a container of one. Raises DamagedError."""
    if at >= end:
        raise DamagedError(end)
    first = data[at]
    major, low = first >> 5, first & 31
    if low == _ENDLESS_MARK:
        return _endless(at, first, major)
    width = _WIDTHS.get(low, 0)
    if low > 27 or at + 1 + width > end:
        raise DamagedError(min(at + 1, end))
    content = at + 1 + width
    number = int.from_bytes(data[at + 1 : content]) if width else low
    match major:
        case 2 | 3:
            if content + number > end:
                raise DamagedError(content)
            return Item(at, content, number, is_text=True)
        case 4 | 5:
            if number > end:
                raise DamagedError(content)
            return Item(at, content, count=number * (major - 3), is_map=major == _MAP)
        case 6:
            return Item(at, content, count=1)
        case 7 if low == 24:  # a simple value of two bytes, like true and null
            return Item(at, content)
    return Item(at, at + 1, width)


def _endless(at: int, first: int, major: int) -> Item:
    if first == _BREAK:
        return Item(at, at + 1, is_break=True)
    if major not in (_ARRAY, _MAP):  # texts in pieces: cbor-x knows none
        raise DamagedError(at + 1)
    return Item(at, at + 1, count=ENDLESS, is_map=major == _MAP)


def _zeroed(first: int) -> int:
    """A number of one byte becomes 0 or -1; false, true, null and undefined stay."""
    return first & 0xE0 if first < 0x40 else first


CBOR: Final = Format(head, _zeroed)
