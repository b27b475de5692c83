"""JSON as people write it: values and texts, and where exactly a text is wrong."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn

_STRING_OR_WORD: Final = re.compile(r'"(?:\\.|[^"\\])*"|-?[A-Za-z0-9_.+-]+', re.DOTALL)
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORDS: Final = (
    ("Expecting property name enclosed in double quotes", "expected a key in double quotes"),
    ("Illegal trailing comma before end of object", "a comma too many, before the end of the object"),
    ("Illegal trailing comma before end of array", "a comma too many, before the end of the list"),
    ("Expecting ':' delimiter", "expected ':' behind the key"),
    ("Expecting ',' delimiter", "expected ',' or the end"),
    ("Expecting value", "expected a value"),
    ("Extra data", "expected the end, there is more"),
    ("Unterminated string starting at", "this text has no end"),
    ("Invalid control character at", "a line break or tab inside a text, write \\n or \\t"),
    ("Invalid \\escape", "no such escape"),
    ("Invalid \\uXXXX escape", "expected four hexadecimal digits behind \\u"),
)


class JsonMistakeError(ValueError):
    """A text that is no JSON.

    Attributes:
        message: What was expected.
        position: Where, in characters from the start.
        line, column: The same, from 1.
    """

    def __init__(self, message: str, text: str, position: int) -> None:
        self.message, self.position = message, position
        self.line = text.count("\n", 0, position) + 1
        self.column = position - text.rfind("\n", 0, position)
        super().__init__(f"line {self.line}, column {self.column}: {message}")


def read_json(text: str) -> Any:
    """The value that a text says. Integers are exact, whatever their size.

    Raises:
        JsonMistakeError: It is no JSON, or JSON that a JavaScript node cannot hold.
    """

    def refused(what: str) -> NoReturn:
        raise JsonMistakeError(f"{what} is no JSON", text, _place_of(text, what))

    def number(literal: str) -> float:
        value = float(literal)
        if not math.isfinite(value):
            raise JsonMistakeError(f"{literal} is greater than a number can be", text, _place_of(text, literal))
        return value

    try:
        return json.loads(text, parse_float=number, parse_int=_integer(text), parse_constant=refused)
    except json.JSONDecodeError as error:
        raise _mistake(error, text) from None
    except RecursionError:
        raise JsonMistakeError("it nests too deep", text, 0) from None


def _integer(text: str) -> Any:
    def integer(literal: str) -> int:
        if len(literal) > 309:  # a double has at most that many digits
            raise JsonMistakeError("this integer is greater than a number can be", text, _place_of(text, literal))
        return int(literal)

    return integer


def _mistake(error: json.JSONDecodeError, text: str) -> JsonMistakeError:
    position = min(error.pos, len(text))
    if "{{" in text[max(0, position - 1) : position + 2]:
        return JsonMistakeError('write a variable in quotes: "{{name}}"', text, position)
    if not text.strip():
        return JsonMistakeError("expected a value, there is nothing", text, 0)
    said = next((ours for theirs, ours in _WORDS if error.msg.startswith(theirs)), error.msg)
    return JsonMistakeError(said, text, position)


def _place_of(text: str, word: str) -> int:
    """Where a word stands outside of texts."""
    return next((found.start() for found in _STRING_OR_WORD.finditer(text) if found.group() == word), 0)


def write_json(value: Any, indent: int | None = 2) -> str:
    """A value as JSON, for people (or on one line without indent); halves of characters are escaped."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return _LONE_SURROGATE.sub(lambda half: f"\\u{ord(half.group()):04x}", text)
