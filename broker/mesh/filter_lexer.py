"""The filter language: text to tokens."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

MAX_LENGTH: Final = 4_000
KEYWORDS: Final = frozenset({"and", "or", "not"})
OPERATORS: Final = ("!=", ">=", "<=", "==", "=", "~", ">", "<")

TokenKind = Literal["word", "quoted", "operator", "(", ")", "end"]

_TOKEN = re.compile(
    r"""(?P<operator>!=|>=|<=|==|=|~|>|<)|(?P<bracket>[()])|(?P<word>[^\s()=~<>!"']+)|(?P<quote>["'])"""
)
_NEEDS_QUOTES = re.compile(r"""[\s()=~<>!"'\\]""")


class FilterError(ValueError):
    """What is wrong with a filter, and where.

    Attributes:
        message: What was expected instead.
        position: Where in the text, in characters.
        length: How many characters are meant; at least 1, even at the end of the text.
    """

    def __init__(self, message: str, position: int, length: int = 1) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.message = message
        self.position = position
        self.length = max(1, length)


class Token(NamedTuple):
    """A piece of a filter.

    Attributes:
        kind: What it is.
        text: What it says; of a quoted one, what stands between the quotes.
        start, end: Where it stands.
    """

    kind: TokenKind
    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """``and``, ``or``, ``not``; "" for all else."""
        lower = self.text.lower()
        return lower if self.kind == "word" and lower in KEYWORDS else ""


def tokens(text: str) -> list[Token]:
    """The tokens of a text, with an ``end`` behind them. FilterError for what is none."""
    if len(text) > MAX_LENGTH:
        raise FilterError(f"a filter has at most {MAX_LENGTH:,} characters; this one has {len(text):,}", MAX_LENGTH)
    found = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token = _token(text, at)
        found.append(token)
        at = token.end
    found.append(Token("end", "", len(text), len(text)))
    return found


def _token(text: str, at: int) -> Token:
    match = _TOKEN.match(text, at)
    if match is None:  # only "!" is left
        raise FilterError("expected 'not' or '!=' in place of '!'", at)
    if match["operator"]:
        return Token("operator", "=" if match[0] == "==" else match[0], at, match.end())
    if match["bracket"]:
        return Token("(" if match[0] == "(" else ")", match[0], at, match.end())
    if match["word"]:
        return Token("word", match[0], at, match.end())
    return _quoted(text, at)


def _quoted(text: str, at: int) -> Token:
    quote = text[at]
    said: list[str] = []
    position = at + 1
    while position < len(text):
        letter = text[position]
        if letter == quote:
            return Token("quoted", "".join(said), at, position + 1)
        if letter == "\\" and position + 1 < len(text):
            position += 1
            letter = text[position]
        said.append(letter)
        position += 1
    raise FilterError(f"this quote is not closed: expected another {quote} behind it", at, len(text) - at)


def quoted(text: str) -> str:
    """A text as a filter has to write it: in quotes where it needs them."""
    if text and not _NEEDS_QUOTES.search(text) and text.lower() not in KEYWORDS:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
