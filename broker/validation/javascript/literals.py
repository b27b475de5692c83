"""Texts and numbers that the npm package writes into the code it generates, and JavaScript then reads."""

from __future__ import annotations

import re
from typing import Any, Final

from broker.validation.errors import SchemaError
from broker.validation.javascript.coercion import text_of
from broker.validation.javascript.numbers import number_of_text
from broker.validation.javascript.values import whole

_SIMPLE: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "\n": "",
    "\u2028": "",
    "\u2029": "",
}
_ESCAPE: Final = re.compile(
    r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-3][0-7]{0,2}|[4-7][0-7]?)|\r\n|([^ux0-7]))",
    re.DOTALL,
)
_TEXT: Final = re.compile(
    r'(?:[^"\\\n\r]|\\(?:u\{0*(?:10|[0-9a-fA-F])?[0-9a-fA-F]{1,4}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|[^ux]))*',
    re.DOTALL,
)
_WORDS: Final[dict[str, Any]] = {"true": True, "false": False, "NaN": float("nan")}


def literal_text(text: str) -> str:
    """What ``"text"`` says in JavaScript; the text itself where that would be no JavaScript."""
    if "\\" not in text or not _TEXT.fullmatch(text):
        return text
    return whole(_ESCAPE.sub(_unescaped, text))


def _unescaped(match: re.Match[str]) -> str:
    point, unit, byte, octal, character = match.groups()
    if octal is not None:
        return chr(int(octal, 8))
    for digits in (point, unit, byte):
        if digits is not None:
            return chr(int(digits, 16))
    return "" if character is None else _SIMPLE.get(character, character)


def literal_number(value: Any, what: str) -> Any:
    """A limit in a schema: a number or a boolean, or a text that says one.

    Args:
        value: As the schema has it.
        what: Its name, for the error.

    Raises:
        SchemaError: It is something else.
    """
    if isinstance(value, bool | int | float):
        return value
    text = text_of(value).strip()
    if text in _WORDS:
        return _WORDS[text]
    number = number_of_text(text)
    if not text or number != number or (text[0] == "0" and text[1:2].isdigit()):  # noqa: PLR0124 - NaN
        raise SchemaError(f"'{what}' is {value!r}, expected a number")
    return number
