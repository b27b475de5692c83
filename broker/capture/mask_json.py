"""Secrets overwritten in JSON, in place: also in JSON that is a string inside JSON, however deep."""

from __future__ import annotations

import re
from typing import Final

from broker.capture.secret_names import SecretNames

_KEY_END: Final = re.compile(rb'"\s*:\s*')
_NUMBER: Final = re.compile(rb"-?[0-9][0-9.eE+-]*")
_TOKEN: Final = re.compile(rb'["{}\[\]]|-?[0-9][0-9.eE+-]*')
_COLON: Final = re.compile(rb"\s*:")
_URL_SECRET: Final = re.compile(rb"://[^\s/\"@\\:]*:([^\s/\"@\\]{1,512})@")

_ASSIGNED: Final = re.compile(rb"([A-Za-z][\w.\-]{1,60})=([^\s&;,\"'\\]+)")

_OPENING: Final = (0x7B, 0x5B)
_CLOSING: Final = (0x7D, 0x5D)
_STAR, _NINE = b"*", b"9"
MAX_DEFINITIONS_DEPTH: Final = 3
"""``services`` is at depth 1 of an INFO, a service at depth 2 of that, its actions and events at 3."""


def mask_json(text: bytearray, begin: int, end: int, names: SecretNames, *, is_info: bool = False) -> None:
    """Overwrite the values of secret names in part of a buffer. Never raises; the length stays.

    Strings become stars, numbers nines; of objects and arrays everything in
    them. true, false and null stay.

    Args:
        text: The buffer.
        begin, end: The part of it.
        names: Whose values are secret.
        is_info: It is an INFO packet: what its actions and events define stays.
    """
    left_out = _definitions(text, begin, end) if is_info else []
    at = begin
    while (found := _KEY_END.search(text, at, end)) is not None:
        quote, value = found.span()
        at = value
        skipped = next((last for first, last in left_out if first <= quote < last), None)
        if skipped is not None:
            at = skipped
            continue
        key_end = quote - _slashes_before(text, quote, begin)
        key_begin = text.rfind(b'"', begin, key_end) + 1
        if key_begin > 0 and names.holds(bytes(text[key_begin:key_end])):
            at = max(at, _mask_value(text, value, end, level_of(text, quote, begin)))


def mask_url(text: bytearray, at: int, end: int) -> None:
    """Overwrite the password of a URL whose ``://`` stands here."""
    found = _URL_SECRET.match(text, at, end)
    if found is not None:
        first, last = found.span(1)
        text[first:last] = _STAR * (last - first)


def mask_assigned(text: bytearray, begin: int, end: int, names: SecretNames) -> None:
    """Overwrite what follows a secret name and ``=``, as in queries and messages. Never raises; the length stays."""
    for found in _ASSIGNED.finditer(bytes(text[begin:end])):
        if names.holds(found[1]):
            first, last = found.span(2)
            text[begin + first : begin + last] = _STAR * (last - first)


def level_of(text: bytearray, quote: int, begin: int) -> int:
    """How deep in strings a quotation mark is: 0 not at all, 1 when it is ``\\"``, 2 when ``\\\\\\"``.

    The backslashes before it are an ending of whatever stood there (an even
    number at each depth) and 2**level - 1 of its own, so the level is the
    number of ones that their count ends with in binary.
    """
    count = _slashes_before(text, quote, begin)
    return (count ^ (count + 1)).bit_length() - 1


def _slashes_before(text: bytearray, at: int, begin: int) -> int:
    count = 0
    while at - count - 1 >= begin and text[at - count - 1] == 0x5C:
        count += 1
    return count


def _string_end(text: bytearray, begin: int, end: int, level: int) -> int:
    """Where a string's content ends that begins here; at the end of the one around it, if that comes first."""
    at = begin
    while (quote := text.find(b'"', at, end)) >= 0:
        found = level_of(text, quote, begin)
        if found <= level:
            return max(begin, quote - (1 << found) + 1)
        at = quote + 1
    return end


def _mask_value(text: bytearray, at: int, end: int, level: int) -> int:
    """Overwrite the value that begins here. Where it ends."""
    mark = b"\\" * ((1 << level) - 1) + b'"'
    if text.startswith(mark, at, end):
        begin = at + len(mark)
        last = _string_end(text, begin, end, level)
        text[begin:last] = _STAR * (last - begin)
        return last
    number = _NUMBER.match(text, at, end)
    if number is not None:
        text[at : number.end()] = _NINE * (number.end() - at)
        return number.end()
    if at < end and text[at] in _OPENING:
        return _mask_container(text, at, end, level)
    return at


def _mask_container(text: bytearray, begin: int, end: int, level: int) -> int:
    """Overwrite all that an object or array holds, but for its keys. Where it ends."""
    at, depth = begin, 0
    while (found := _TOKEN.search(text, at, end)) is not None:
        token: int = text[found.start()]
        at = found.end()
        if token in _OPENING:
            depth += 1
        elif token in _CLOSING:
            depth -= 1
            if depth == 0:
                return at
        elif token == 0x22:
            quote_level = level_of(text, found.start(), begin)
            if quote_level < level:
                return found.start()  # the string around it ends here
            last = _string_end(text, at, end, level)
            after = min(end, last + (1 << level))
            if _COLON.match(text, after, end) is None:
                text[at:last] = _STAR * (last - at)
            at = after
        else:
            text[found.start() : at] = _NINE * (at - found.start())
    return end


def _definitions(text: bytearray, begin: int, end: int) -> list[tuple[int, int]]:
    """Where the actions and events of an INFO's services are described."""
    spans = []
    at, depth, opened = begin, 0, -1
    while (found := _TOKEN.search(text, at, end)) is not None:
        token: int = text[found.start()]
        at = found.end()
        if token in _OPENING:
            depth += 1
        elif token in _CLOSING:
            depth -= 1
            if opened >= 0 and depth == MAX_DEFINITIONS_DEPTH:
                spans.append((opened, at))
                opened = -1
        elif token == 0x22:
            last = _string_end(text, at, end, 0)
            if depth == MAX_DEFINITIONS_DEPTH and bytes(text[at:last]) in (b"actions", b"events"):
                opened = at
            at = last + 1
    return spans
