"""JSON texts at the edges: what an operator writes becomes values, what came back becomes text."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Set
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from broker.node.context import ABSENT
from broker.protocol.serializers.values import Binary, RegExp, rewritten

_PLAIN: Final[frozenset[type]] = frozenset((str, int, bool, type(None)))
_SPEECHLESS: Final = '"(it nests too deep to be shown)"'


def value_of(what: str, text: str) -> Any:
    """The value that a JSON text says; ABSENT for an empty one.

    Raises:
        ValueError: It is no JSON; says where.
    """
    if not text.strip():
        return ABSENT
    try:
        return json.loads(text, parse_constant=_no_json)
    except RecursionError:
        raise ValueError(f"{what} nests too deep") from None
    except ValueError as error:
        raise ValueError(f"{what} is no JSON: {error}") from error


def object_of(what: str, text: str) -> dict[str, Any]:
    """The object that a JSON text says; an empty one for an empty text.

    Raises:
        ValueError: It is no JSON, or no object.
    """
    value = value_of(what, text)
    if value is ABSENT or value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{what} is {text.strip()[:40]}, expected a JSON object such as {{}}")  # noqa: TRY004 - of a text
    return value


def text_of(value: object) -> str:
    """A value that came off the wire as JSON text, as Node's ``JSON.stringify`` has it. Never raises.

    A Buffer is ``{"type":"Buffer","data":[…]}``, a date a text, NaN null, a set a list.
    """
    try:
        plain = rewritten(value, _PLAIN, _in_json)
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"), skipkeys=True)
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            return json.dumps(plain, separators=(",", ":"), skipkeys=True)  # half an emoji has no bytes of its own
    except RecursionError:
        return _SPEECHLESS
    return text


def _in_json(value: object) -> object:
    """What is no JSON value in itself."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Binary):
        return {"type": "Buffer", "data": list(bytes(value))}
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo is not None else value
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Set | array):
        return rewritten(list(value), _PLAIN, _in_json)
    if isinstance(value, RegExp):
        return {}
    return dict(value) if isinstance(value, dict) else str(value)


def _no_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON value")
