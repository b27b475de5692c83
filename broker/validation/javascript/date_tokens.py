"""The words and numbers of a date written as text, as V8 cuts them."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from broker.validation.javascript.numbers import SPACES

Kind = Literal["number", "sign", "symbol", "month", "half", "zone", "T", "word", "space", "unknown", "end"]

_BREAKS: Final = "\u2028\u2029"
"""Line breaks that V8 takes for letters of a word, though it takes them for spaces elsewhere."""
_LETTER: Final = rf"(?:(?![{SPACES}])[A-\U0010ffff]|[{_BREAKS}])"
_TOKEN: Final = re.compile(rf"([0-9]+)|([-+])|([:.)])|({_LETTER}+)|([{SPACES}])|(\()|.", re.DOTALL)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZONES: Final = {
    **{"ut": 0, "utc": 0, "z": 0, "gmt": 0},
    **{"cdt": -5, "cst": -6, "edt": -4, "est": -5, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8},
}
_HALVES: Final = {"am": 0, "pm": 12}
_MOST_DIGITS: Final = 9


class Token(NamedTuple):
    """One of them.

    Attributes:
        kind: What it is.
        text: As written.
        value: A number's value, a sign's 1 or -1, a month's number, a zone's hours, 0 or 12 for am and pm.
    """

    kind: Kind
    text: str
    value: int = 0

    def is_number(self, digits: int, low: int = 0, high: int = 999_999) -> bool:
        """Whether it is a number of so many digits between two others."""
        return self.kind == "number" and len(self.text) == digits and low <= self.value <= high

    def is_symbol(self, text: str) -> bool:
        """Whether it is this sign."""
        return self.kind in ("symbol", "sign") and self.text == text

    @property
    def is_z(self) -> bool:
        """Whether it is a Z alone."""
        return self.kind == "zone" and len(self.text) == 1

    @property
    def milliseconds(self) -> int:
        """The number taken as digits behind the point of a second."""
        return int(self.text[:_MOST_DIGITS].ljust(3, "0")[:3])


END: Final = Token("end", "")


class Tokens:
    """A text's tokens, read one by one."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_cut(text.partition("\0")[0]), END, END]
        self._at = 0

    def peek(self) -> Token:
        """The next one."""
        return self._tokens[self._at]

    def take(self) -> Token:
        """The next one, now read; END for ever at the end."""
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def skip(self, symbol: str) -> bool:
        """Read this sign if it comes next."""
        found = self.peek().is_symbol(symbol)
        if found:
            self.take()
        return found


def _cut(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while match := _TOKEN.match(text, at):
        at = match.end()
        number, sign, symbol, word, space, bracket = match.groups()
        if number:
            tokens.append(Token("number", number, int(number[:_MOST_DIGITS])))
        elif sign:
            tokens.append(Token("sign", sign, 1 if sign == "+" else -1))
        elif symbol:
            tokens.append(Token("symbol", symbol))
        elif word:
            tokens.append(_word(word))
        elif space:
            tokens.append(Token("space", space))
        else:
            if bracket:
                at = _behind_brackets(text, match.start())
            tokens.append(Token("unknown", match.group()))
    return tokens


def _word(text: str) -> Token:
    start = text[:3].lower()
    if start in _MONTHS:
        return Token("month", text, _MONTHS.index(start) + 1)
    if len(text) <= 3:
        if start in _ZONES:
            return Token("zone", text, _ZONES[start])
        if start in _HALVES:
            return Token("half", text, _HALVES[start])
        if start == "t":
            return Token("T", text)
    return Token("word", text)


def _behind_brackets(text: str, at: int) -> int:
    depth = 0
    for at in range(at, len(text)):  # noqa: B020, PLR1704 - goes on from where it was
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return len(text)
