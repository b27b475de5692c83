"""Between a value and what stands in the one line in which a person edits it."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from broker.operate.forms.field import Kind
from broker.operate.forms.json_text import write_json
from broker.validation import UNDEFINED

_INTEGER: Final = re.compile(r"-?(?:0|[1-9]\d{0,308})", re.ASCII)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_NUMERIC: Final = frozenset({"number", "date"})


def fits(kind: Kind, value: Any) -> bool:
    """Whether a value can be edited as the plain text that `shown` gives. If not, it is edited as JSON."""
    if value is UNDEFINED:
        return True
    if kind == "text":
        return isinstance(value, str) and value != ""
    if kind in _NUMERIC:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return False
        return _alike(typed(kind, shown(kind, value)), value)
    return False


def shown(kind: Kind, value: Any) -> str:
    """A value as text: numbers as JSON has them, texts as they are; empty where nothing is."""
    if value is UNDEFINED:
        return ""
    if isinstance(value, str) and (kind == "text" or kind in _NUMERIC):
        return value
    return write_json(value, None)


def typed(kind: Kind, text: str) -> Any:
    """What a person means by a text: nothing by none, in a number's field a number where it is one, else the text.

    What is no number is kept as the text that it is: it may hold a variable, or the service converts it; if neither,
    it is told what is wrong with it.
    """
    if kind not in _NUMERIC:
        return text or UNDEFINED
    bare = text.strip()
    if not bare:
        return UNDEFINED
    if _INTEGER.fullmatch(bare) and bare != "-0":
        return int(bare)
    if _NUMBER.fullmatch(bare) and math.isfinite(number := float(bare)):
        return number
    return text


def choice_text(value: Any, choices: tuple[Any, ...]) -> str:
    """A value of an enumeration: texts as they are, unless that could be taken for another value of it."""
    if isinstance(value, str) and value and not any(not isinstance(each, str) for each in choices):
        return value
    return json.dumps(value, ensure_ascii=False)


def _alike(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
