"""JSONExt of MoleculerJS 0.15: JSON in which what JSON lacks is a text with a mark before it.

``[[DT]]`` and ms since the epoch, ``[[BF]]`` and base64, ``[[BI]]`` and
digits, ``[[RE]]`` and flags, ``|`` and source, ``[[MP]]`` and ``[[ST]]`` and
JSONExt of an object or an array; an ordinary text that begins with ``[[`` has
``[[ES]]`` before it.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any, Final

from broker.protocol.serializers import json
from broker.protocol.serializers.values import (
    LARGEST_SAFE,
    Binary,
    Map,
    RegExp,
    as_set,
    milliseconds,
    moment,
    regexp,
    rewritten,
    rewritten_data,
)

_MARKED: Final = re.compile(rb'"\[\[[A-Z]{2}\]\]')
_PLAIN: Final[frozenset[type]] = frozenset((bool, float, type(None)))
_NO_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")
_DIGITS: Final = re.compile(r"-?[0-9]{1,100000}|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")
_MOST_DIGITS: Final = 4_000


def dumps(value: object) -> bytes:
    """Plain data to JSONExt.

    Raises:
        TypeError: It holds something that JSONExt cannot carry, or nests too deep.
    """
    try:
        return json.dumps(rewritten(value, _PLAIN, _written))
    except RecursionError as error:
        raise TypeError(f"cannot be written as JSONExt: {error}") from error


def loads(body: bytes) -> Any:
    """JSONExt to plain data.

    Raises:
        ValueError: It is no JSONExt, or nests too deep.
    """
    value = json.loads(body)
    if b'"[[' not in body:
        return value
    try:
        return _revived(value)
    except RecursionError:
        raise ValueError("nests too deep") from None


def is_marked(body: bytes) -> bool:
    """Whether JSON holds a text that looks as only JSONExt writes it."""
    return _MARKED.search(body) is not None


def _written(value: object) -> object:
    """The rule of what is written otherwise than in JSON."""
    kind = type(value)
    if kind is str:
        return value if value[:2] != "[[" else f"[[ES]]{value}"  # type: ignore[index]
    if kind is int:
        return value if -LARGEST_SAFE <= value <= LARGEST_SAFE else f"[[BI]]{value}"  # type: ignore[operator]
    if isinstance(value, Map):
        return f"[[MP]]{_text(dict(value))}"
    if isinstance(value, datetime) and value.tzinfo is not None:
        return f"[[DT]]{milliseconds(value)}"
    if isinstance(value, Binary):
        return f"[[BF]]{b64encode(value).decode()}"
    if isinstance(value, set | frozenset):
        return f"[[ST]]{_text(list(value))}"
    if isinstance(value, re.Pattern):
        value = regexp(value)
    if isinstance(value, RegExp):
        return f"[[RE]]{value.flags}|{value.source}"
    return rewritten_data(value, _PLAIN, _written)


def _text(value: object) -> str:
    return dumps(value).decode()


def _revived(value: Any) -> Any:
    if isinstance(value, str):
        return value if value[:2] != "[[" else _unmarked(value)
    if isinstance(value, dict):
        return {key: _revived(item) for key, item in value.items()}
    return [_revived(item) for item in value] if isinstance(value, list) else value


def _unmarked(text: str) -> Any:
    """What a marked text means; marks of somebody's own stay as they are. Raises ValueError."""
    rest = text[6:]
    match text[:6]:
        case "[[ES]]":
            return rest
        case "[[DT]]":
            return _date(rest)
        case "[[BF]]":
            return _buffer(rest)
        case "[[BI]]":
            return _big_int(rest)
        case "[[RE]]":
            flags, _, source = rest.partition("|")
            return RegExp(source, flags)
        case "[[ST]]":
            items = loads(rest.encode("utf-8", "surrogatepass"))
            return as_set(items) if isinstance(items, list) else _refuse(text)
        case "[[MP]]":
            items = loads(rest.encode("utf-8", "surrogatepass"))
            return Map(items) if isinstance(items, dict) else _refuse(text)
    return text


def _refuse(text: str) -> Any:
    raise ValueError(f"JSONExt is malformed: {text[:40]!r}")


def _date(text: str) -> datetime | None:
    try:
        return moment(float(text or 0))
    except ValueError:
        return None  # an invalid Date, as in JavaScript


def _buffer(text: str) -> bytes:
    """Lenient as Node: also of the other alphabet, what belongs to none is skipped."""
    letters = _NO_BASE64.sub("", text.replace("-", "+").replace("_", "/"))
    whole = letters[: len(letters) - (len(letters) % 4 == 1)]
    return b64decode(whole + "=" * (-len(whole) % 4))


def _big_int(text: str) -> int:
    digits = text.strip() or "0"
    if _DIGITS.fullmatch(digits) is None or len(digits) > _MOST_DIGITS:
        _refuse(f"[[BI]]{text}")
    return int(digits, 0) if digits[:2].lower() in ("0x", "0o", "0b") else int(digits)
