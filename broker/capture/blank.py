"""Headers only: payloads overwritten with nothing of the same length."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from broker.capture.mask_binary import binary_format
from broker.capture.mask_cbor import CBOR
from broker.capture.mask_walk import ENDLESS, DamagedError, Format, after_value

_PAYLOAD: Final = ("params", "meta", "headers", "data")
_OF_ERROR: Final = ("message", "data", "stack")


_REFUSALS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
"""Node writes halves of them, which msgspec refuses."""


class _Raws(msgspec.Struct, gc=False):
    """The payload fields of a packet, undecoded."""

    params: msgspec.Raw = msgspec.Raw()
    meta: msgspec.Raw = msgspec.Raw()
    headers: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class _ErrorRaws(msgspec.Struct, gc=False):
    message: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()
    stack: msgspec.Raw = msgspec.Raw()


_read: Final = msgspec.json.Decoder(_Raws).decode
_read_error: Final = msgspec.json.Decoder(_ErrorRaws).decode


def blank_payload(text: bytearray, begin: int, end: int) -> None:
    """Overwrite what a packet carries in part of a buffer, so that its header still reads the same.

    Objects and arrays become empty, texts stars, numbers nines (in MsgPack and
    CBOR: everything a text of stars). What cannot be read is overwritten altogether.
    Never raises; the length stays.
    """
    binary = binary_format(text[begin]) if end > begin else None
    if binary is not None:
        _blank_binary(text, begin, end, binary)
        return
    body = bytes(text[begin:end])
    try:
        blanked = _blank_json(body)
    except _REFUSALS:
        try:
            blanked = _blank_json(_SURROGATE.sub(b"\\\\u0020", body))
        except _REFUSALS:
            blanked = body[:1] + b"*" * (len(body) - 1)
    text[begin:end] = blanked


def _blank_json(body: bytes) -> bytes:
    raws: Any = _read(body)
    blanked = _blank_fields(body, raws, _PAYLOAD)
    error = bytes(raws.error)
    if error[:1] == b"{":
        blanked = _replace(blanked, b'"error"', error, _blank_fields(error, _read_error(error), _OF_ERROR))
    return blanked


def _blank_fields(body: bytes, raws: Any, fields: tuple[str, ...]) -> bytes:
    for name in fields:
        raw = bytes(getattr(raws, name))
        if raw:
            body = _replace(body, b'"%b"' % name.encode(), raw, _nothing(raw))
    return body


def _replace(body: bytes, key: bytes, raw: bytes, by: bytes) -> bytes:
    """A field's value replaced wherever it stands under this key: also inside other payloads, which does no harm."""
    if raw == by:
        return body
    blanked = body.replace(key + b":" + raw, key + b":" + by)
    if blanked is body or blanked == body:
        blanked = body.replace(key + b": " + raw, key + b": " + by)
    return body.replace(raw, by) if blanked == body else blanked  # or some other way to write a colon


def _nothing(raw: bytes) -> bytes:
    """A value of the same length and type that says nothing."""
    match raw[:1]:
        case b"{":
            return b"{" + b" " * (len(raw) - 2) + b"}"
        case b"[":
            return b"[" + b" " * (len(raw) - 2) + b"]"
        case b'"':
            return b'"' + b"*" * (len(raw) - 2) + b'"'
        case b"t" | b"f" | b"n":
            return raw
    return b"9" * len(raw)


def _blank_binary(data: bytearray, begin: int, end: int, binary: Format) -> None:
    try:
        _blank_map(data, begin, end, _PAYLOAD, binary)
    except DamagedError as damage:
        keep = min(damage.keep, end)
        data[keep:end] = b"*" * (end - keep)


def _blank_map(data: bytearray, begin: int, end: int, fields: tuple[str, ...], binary: Format) -> None:
    """Overwrite fields of the map that begins here. Raises DamagedError."""
    top = binary.head(data, begin, end)
    if not top.is_map:
        return
    if top.count == ENDLESS:  # nobody writes packets so
        raise DamagedError(top.content)
    at = top.content
    for _ in range(top.count // 2):
        key = binary.head(data, at, end)
        value = key.content + key.size
        after = after_value(data, value, end, binary)
        name = bytes(data[key.content : value]).decode("utf-8", "replace")
        if name in fields:
            data[value:after] = (_cbor_stars if binary is CBOR else _msgpack_stars)(after - value)
        elif name == "error" and fields is _PAYLOAD:
            _blank_map(data, value, after, _OF_ERROR, binary)
        at = after


def _msgpack_stars(size: int) -> bytes:
    """A MsgPack value of so many bytes: nil, or a text of stars."""
    if size == 1:
        return b"\xc0"
    for width, most, kind in ((0, 31, 0xA0), (1, 255, 0xD9), (2, 65_535, 0xDA), (4, 2**32 - 1, 0xDB)):
        length = size - 1 - width
        if length <= most:
            start = bytes([kind + length]) if width == 0 else bytes([kind]) + length.to_bytes(width)
            return start + b"*" * length
    return b"\xc0" * size


def _cbor_stars(size: int) -> bytes:
    """A CBOR value of so many bytes: null, or a text of stars."""
    if size == 1:
        return b"\xf6"
    for width, most, low in ((0, 23, 0), (1, 255, 24), (2, 65_535, 25), (4, 2**32 - 1, 26)):
        length = size - 1 - width
        if length <= most:
            start = bytes([0x60 + length]) if width == 0 else bytes([0x60 + low]) + length.to_bytes(width)
            return start + b"*" * length
    return b"\xf6" * size
