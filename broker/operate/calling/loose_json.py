"""JSON as operators write it: with variables, ``{{name}}`` and ``{{secret:name}}``, in texts and as values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

VARIABLE: Final = re.compile(
    r"\{\{\{\{(?P<plain>[^{}]*)\}\}\}\}|\{\{\s*(?P<secret>secret:)?\s*(?P<name>\w[\w.-]*)\s*\}\}"
)
"""A variable, or ``{{{{text}}}}``, which stands for the text ``{{text}}`` itself."""
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_STRING_OR_VARIABLE: Final = re.compile(f"(?P<string>{_STRING.pattern})|{VARIABLE.pattern}", re.DOTALL)
_COLON: Final = re.compile(r"\s*:")
_MARK: Final = "\ue000"
"""Begins a text that stands for a variable in the place of a value. Of the private use area: nobody writes it."""
_MARKED: Final = re.compile(f'"{_MARK}([^"]*)"')


class Variable(NamedTuple):
    """A place in a text where a variable stands.

    Attributes:
        name: Of the variable.
        is_secret: Whether its value is in the key store.
        begin, end: Where it stands in the text.
        is_in_text: Whether it is a part of a JSON text, and not a value by itself.
    """

    name: str
    is_secret: bool
    begin: int
    end: int
    is_in_text: bool

    @property
    def written(self) -> str:
        """As it is written."""
        return f"{{{{{'secret:' if self.is_secret else ''}{self.name}}}}}"


class NotJsonError(ValueError):
    """A text is no JSON; says where and what was expected.

    Attributes:
        position: The letter at which it goes wrong, from 0.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def variables_in(text: str) -> list[Variable]:
    """The variables of a text, in order."""
    found = []
    for token in _STRING_OR_VARIABLE.finditer(text):
        if token["string"] is None:
            if token["name"] is not None:
                found.append(Variable(token["name"], bool(token["secret"]), *token.span(), is_in_text=False))
            continue
        for inner in VARIABLE.finditer(token["string"]):
            if inner["name"] is not None:
                begin, end = inner.start() + token.start(), inner.end() + token.start()
                found.append(Variable(inner["name"], bool(inner["secret"]), begin, end, is_in_text=True))
    return found


def replaced(text: str, value_of: Callable[[Variable], str]) -> str:
    """The text with each variable replaced, and each ``{{{{text}}}}`` in texts by ``{{text}}``.

    A text that is nothing but a variable, ``"{{name}}"``, is a value as ``{{name}}`` without quotes is one: JSON
    editors take only the former. A key stays a text.

    Args:
        text: JSON with variables.
        value_of: Gives what stands in a variable's place: JSON where it is a value, letters of a JSON text inside one.
    """

    def inside(base: int) -> Callable[[re.Match[str]], str]:
        def one(found: re.Match[str]) -> str:
            if found["name"] is None:
                return f"{{{{{found['plain']}}}}}"
            begin, end = found.start() + base, found.end() + base
            return value_of(Variable(found["name"], bool(found["secret"]), begin, end, is_in_text=True))

        return one

    def token(found: re.Match[str]) -> str:
        if found["string"] is not None:
            whole = VARIABLE.fullmatch(found["string"][1:-1])
            if whole is not None and whole["name"] is not None and not _COLON.match(text, found.end()):
                return value_of(Variable(whole["name"], bool(whole["secret"]), *found.span(), is_in_text=False))
            return VARIABLE.sub(inside(found.start()), found["string"])
        if found["name"] is None:
            return found[0]
        return value_of(Variable(found["name"], bool(found["secret"]), *found.span(), is_in_text=False))

    return _STRING_OR_VARIABLE.sub(token, text)


def in_quotes(text: str) -> str:
    """The text with every variable in quotes, so that it is JSON to those who know no variables."""
    return _STRING_OR_VARIABLE.sub(lambda found: f'"{found[0]}"' if found["name"] else found[0], text)


def quoted(text: str) -> str:
    """JSON that comes from elsewhere, so that no text of it is taken for a variable."""

    def string(found: re.Match[str]) -> str:
        return re.sub(r"\{\{([^{}]*)\}\}", r"{{{{\1}}}}", found[0])

    return _STRING.sub(string, text)


def loads(text: str) -> Any:
    """The value of JSON with variables; a variable in the place of a value becomes a marked text (see `dumps`).

    Raises:
        NotJsonError: It is none.
    """
    marked = _STRING_OR_VARIABLE.sub(lambda found: f'"{_MARK}{found[0]}"' if found["name"] else found[0], text)
    try:
        return json.loads(marked, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        shift = 3 * marked.count(_MARK, 0, error.pos)  # the mark and two quotation marks, for each before it
        raise NotJsonError(_told(error, max(0, error.pos - shift), text), max(0, error.pos - shift)) from None
    except RecursionError:
        raise NotJsonError("it nests too deep", 0) from None
    except ValueError as error:
        raise NotJsonError(str(error), 0) from None


def dumps(value: Any, *, indent: int | None = 2) -> str:
    """JSON text of what `loads` gave, variables as they were written; a line for each value if there is an indent."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _MARKED.sub(lambda found: found[1], text)


def is_variable(value: Any) -> bool:
    """Whether a value is a variable, or a text that holds nothing but one."""
    if not isinstance(value, str):
        return False
    return value.startswith(_MARK) or VARIABLE.fullmatch(value) is not None


def problem_of(text: str) -> str:
    """What is wrong with a text that shall be JSON, with line and column; "" for nothing. Empty is right."""
    if not text.strip():
        return ""
    try:
        loads(text)
    except NotJsonError as error:
        return str(error)
    return ""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _told(error: json.JSONDecodeError, position: int, text: str) -> str:
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    where = f"line {line}, column {column}" if "\n" in text.strip() else f"column {column}"
    found = repr(text[position : position + 1]) if position < len(text) else "the end"
    what = error.msg[:1].lower() + error.msg[1:]
    return f"not JSON at {where}: {what}, found {found}"
