"""JavaScript's regular expressions, run by Python's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from broker.validation.errors import SchemaError
from broker.validation.javascript.regexp_parts import WORD, Classes, escaped_character, ranges_as_class
from broker.validation.javascript.values import halves

Test = Callable[[str], bool]

_FLAGS: Final = "dgimsuvy"
_QUANTIFIER: Final = re.compile(r"\{\d+(?:,\d*)?\}")
_BOUNDARY: Final = f"(?:(?<![{WORD}])(?=[{WORD}])|(?<=[{WORD}])(?![{WORD}]))"
_NO_BOUNDARY: Final = f"(?:(?<![{WORD}])(?![{WORD}])|(?<=[{WORD}])(?=[{WORD}]))"
_LINE_ENDS: Final = "\\n\\r\\u2028\\u2029"


def regexp_text(source: str, flags: str = "") -> str:
    """``String(new RegExp(source, flags))``."""
    text, is_in_class, at = "", False, 0
    while at < len(source):
        character = source[at]
        if character == "\\" and at + 1 < len(source):
            text += source[at : at + 2]
            at += 2
            continue
        is_in_class = character == "[" or (is_in_class and character != "]")
        breaks = {"\n": "\\n", "\r": "\\r", "\u2028": "\\u2028", "\u2029": "\\u2029"}
        text += "\\/" if character == "/" and not is_in_class else breaks.get(character, character)
        at += 1
    return f"/{text or '(?:)'}/{''.join(sorted(flags))}"


def regexp_test(source: str, flags: str = "") -> Test:
    """``new RegExp(source, flags).test`` as a function.

    Raises:
        SchemaError: It is no regular expression of JavaScript's, or one that Python has nothing for.
    """
    if len(set(flags)) != len(flags) or set(flags) - set(_FLAGS) or ("u" in flags and "v" in flags):
        raise SchemaError(f"flags {flags!r} of pattern {source!r} are not JavaScript's: some of d, g, i, m, s, u, y")
    if "v" in flags:
        raise SchemaError(f"pattern {source!r} has the flag v, which cannot be had in Python: use u")
    by_units = "u" not in flags
    translated = _Translation(halves(source) if by_units else source, flags).text()
    python_flags = re.IGNORECASE if "i" in flags else 0
    if by_units and source.isascii():
        python_flags |= re.ASCII  # without u, JavaScript folds no other letter into an ASCII one
    try:
        compiled = re.compile(translated, python_flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise SchemaError(f"pattern {source!r} cannot be had in Python: {error}") from None
    find = compiled.match if "y" in flags else compiled.search
    if by_units:
        return lambda text: find(halves(text)) is not None
    return lambda text: find(text) is not None


class _Translation:
    """One pattern on its way to Python's syntax."""

    def __init__(self, source: str, flags: str) -> None:
        self._source = source
        self._at = 0
        self._unicode = "u" in flags
        self._folds = "i" in flags and (self._unicode or not source.isascii())
        self._lines = "m" in flags
        self._dot = "[\\s\\S]" if "s" in flags else f"[^{_LINE_ENDS}]"
        self._groups = len(
            re.findall(r"\((?!\?)|\(\?<(?![=!])", re.sub(r"\\.|\[\^?(?:\\.|[^\]\\])*\]", "x", source, flags=re.DOTALL))
        )
        self._names = set(re.findall(r"\(\?<([A-Za-z_$][\w$]*)>", source))

    def text(self) -> str:
        """The pattern for Python."""
        translated = self._alternatives()
        if self._at < len(self._source):
            raise self._error("unmatched ')'")
        return translated

    def _error(self, why: str) -> SchemaError:
        return SchemaError(f"pattern {self._source!r} is no regular expression: {why}")

    def _next_is(self, text: str) -> bool:
        return self._source.startswith(text, self._at)

    def _take(self, text: str) -> bool:
        found = self._next_is(text)
        if found:
            self._at += len(text)
        return found

    def _alternatives(self) -> str:
        parts = []
        while self._at < len(self._source) and not self._next_is(")"):
            if self._take("|"):
                parts.append("|")
                continue
            part = self._part()
            parts.append(part + self._quantifier() if part else self._no_quantifier())
        return "".join(parts)

    def _no_quantifier(self) -> str:
        raise self._error("nothing to repeat")

    def _part(self) -> str:
        """One thing that may be repeated; empty where there is none."""
        character = self._source[self._at]
        if character in "*+?" or (character == "{" and _QUANTIFIER.match(self._source, self._at)):
            return ""
        self._at += 1
        match character:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case ".":
                return self._dot
            case "^":
                return self._edge(f"(?<![^{_LINE_ENDS}])" if self._lines else "\\A")
            case "$":
                return self._edge(f"(?![^{_LINE_ENDS}])" if self._lines else "\\Z")
            case "\\":
                return self._escape()
        if self._unicode and character in "{}]":
            raise self._error(f"lone {character!r}")
        return re.escape(character)

    def _edge(self, translated: str) -> str:
        is_repeated = self._source[self._at : self._at + 1] in tuple("*+?")
        if is_repeated or _QUANTIFIER.match(self._source, self._at):
            raise self._error("nothing to repeat")
        return translated

    def _quantifier(self) -> str:
        match = _QUANTIFIER.match(self._source, self._at)
        if match:
            self._at = match.end()
            text = match.group()
        elif self._source[self._at : self._at + 1] in tuple("*+?"):
            text = self._source[self._at]
            self._at += 1
        else:
            return ""
        return text + ("?" if self._take("?") else "")

    def _group(self) -> str:
        opening = "("
        if self._take("?"):
            for mark in (":", "=", "!", "<=", "<!"):
                if self._take(mark):
                    opening = f"(?{mark}"
                    break
            else:
                named = re.compile(r"<([A-Za-z_]\w*)>", re.ASCII).match(self._source, self._at)
                if named is None:
                    raise self._error("unknown kind of group")
                self._at = named.end()
                opening = f"(?P<{named[1]}>"
        inner = self._alternatives()
        if not self._take(")"):
            raise self._error("unterminated group")
        may_repeat = opening not in ("(?<=", "(?<!") and not (self._unicode and opening in ("(?=", "(?!"))
        return f"{opening}{inner})" if may_repeat else self._edge(f"{opening}{inner})")

    def _escape(self) -> str:
        if self._at >= len(self._source):
            raise self._error("\\ at the end")
        character = self._source[self._at]
        if character in ("b", "B"):
            self._at += 1
            return self._edge(_BOUNDARY if character == "b" else _NO_BOUNDARY)
        if reference := re.compile(r"[1-9][0-9]*").match(self._source, self._at):
            number = int(reference.group())
            if number <= self._groups:
                self._at = reference.end()
                return f"(?({number})\\{number})"
            if self._unicode:
                raise self._error(f"there is no group {number}")
        if character == "k" and (self._names or self._unicode):
            named = re.compile(r"k<([A-Za-z_]\w*)>", re.ASCII).match(self._source, self._at)
            if named is None or named[1] not in self._names:
                raise self._error("\\k names no group")
            self._at = named.end()
            return f"(?({named[1]})(?P={named[1]}))"
        if (ranges := Classes.escape(self._source, self._at, self._unicode, self._folds)) is not None:
            self._at = ranges[1]
            return ranges_as_class(ranges[0])
        code, self._at = escaped_character(self._source, self._at, self._unicode)
        return re.escape(chr(code))

    def _class(self) -> str:
        ranges, negated, self._at = Classes.read(self._source, self._at, self._unicode, self._folds)
        return ranges_as_class(ranges, negated)
