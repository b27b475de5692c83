"""Parts of JavaScript's regular expressions: classes of characters and escapes."""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache
from typing import Final

from broker.validation.errors import SchemaError
from broker.validation.javascript.numbers import SPACES

Ranges = list[tuple[int, int]]
"""From and to, both included."""

WORD: Final = "A-Za-z0-9_"
_LAST: Final = sys.maxunicode
_DIGITS: Final[Ranges] = [(0x30, 0x39)]
_WORDS: Final[Ranges] = [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]
_FOLDED: Final[Ranges] = [(0x17F, 0x17F), (0x212A, 0x212A)]
_SPACES: Final[Ranges] = [(ord(space), ord(space)) for space in SPACES]
_CLASSES: Final = {"d": _DIGITS, "w": _WORDS, "s": _SPACES}
_CONTROLS: Final = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_SYNTAX: Final = "^$\\.*+?()[]{}|/"
_CODE: Final = re.compile(
    r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]+)\}|c([A-Za-z])|([0-3][0-7]{0,2}|[4-7][0-7]?)"
)
_PAIR: Final = re.compile(r"u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_PROPERTY: Final = re.compile(r"([pP])\{(?:(?:General_Category|gc)=)?([A-Za-z_]+)\}")
_LONG_NAMES: Final = {
    **{"Letter": "L", "Lowercase_Letter": "Ll", "Uppercase_Letter": "Lu", "Number": "N", "Decimal_Number": "Nd"},
    **{"Punctuation": "P", "Symbol": "S", "Separator": "Z", "Mark": "M", "Other": "C", "Space_Separator": "Zs"},
    **{"Titlecase_Letter": "Lt", "Modifier_Letter": "Lm", "Other_Letter": "Lo", "Control": "Cc", "Math_Symbol": "Sm"},
    **{"Currency_Symbol": "Sc", "Letter_Number": "Nl", "Other_Number": "No", "Nonspacing_Mark": "Mn"},
}


def complement(ranges: Ranges) -> Ranges:
    """All other characters."""
    rest, at = [], 0
    for first, last in sorted(ranges):
        if first > at:
            rest.append((at, first - 1))
        at = max(at, last + 1)
    return [*rest, (at, _LAST)] if at <= _LAST else rest


def ranges_as_class(ranges: Ranges, negated: bool = False) -> str:
    """As Python writes them."""
    if not ranges:
        return "[\\s\\S]" if negated else "(?!)"
    text = "".join(_code(first) if first == last else f"{_code(first)}-{_code(last)}" for first, last in ranges)
    return f"[{'^' if negated else ''}{text}]"


def escaped_character(source: str, at: int, is_unicode: bool, *, in_class: bool = False) -> tuple[int, int]:
    r"""The character that an escape stands for.

    Args:
        source: The pattern.
        at: Just behind the ``\``.
        is_unicode: Whether the pattern has the flag u.
        in_class: Whether it stands in brackets.

    Returns:
        Its code and where the escape ends.
    """
    if is_unicode and (pair := _PAIR.match(source, at)):
        high, low = int(pair[1], 16), int(pair[2], 16)
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), pair.end()
    character = source[at]
    if match := _CODE.match(source, at):
        byte, unit, point, control, octal = match.groups()
        if control:
            return ord(control) % 32, match.end()
        if octal and (not is_unicode or (octal == "0" and not source[at + 1 : at + 2].isdigit())):
            return int(octal, 8), match.end()
        if byte or unit or (point and is_unicode and int(point, 16) <= _LAST):
            return int(byte or unit or point, 16), match.end()
    if character in _CONTROLS:
        return _CONTROLS[character], at + 1
    if is_unicode and character not in (_SYNTAX + "-" if in_class else _SYNTAX):
        raise SchemaError(f"pattern {source!r} is no regular expression: \\{character} means nothing with the flag u")
    if character == "c":
        return ord("\\"), at
    return ord(character), at + 1


class Classes:
    """``[...]`` and ``\\d``."""

    @staticmethod
    def escape(source: str, at: int, is_unicode: bool, folds: bool) -> tuple[Ranges, int] | None:
        r"""The class that begins behind a ``\``, and where it ends; None where there is none.

        Args:
            source: The pattern.
            at: Just behind the ``\``.
            is_unicode: Whether the pattern has the flag u.
            folds: Whether it has the flag i: then the long s and the sign of Kelvin are letters.
        """
        character = source[at]
        if character.lower() in _CLASSES and character.isascii():
            ranges = _CLASSES[character.lower()] + (_FOLDED if folds and character in "wW" else [])
            return (ranges if character.islower() else complement(ranges)), at + 1
        if is_unicode and character in "pP":
            match = _PROPERTY.match(source, at)
            category = _LONG_NAMES.get(match[2], match[2]) if match else ""
            ranges = _category(category)
            if match is None or not ranges:
                raise SchemaError(
                    f"pattern {source!r} asks for a property that cannot be had in Python at {source[at:]!r}"
                )
            return (ranges if match[1] == "p" else complement(ranges)), match.end()
        return None

    @staticmethod
    def read(source: str, at: int, is_unicode: bool, folds: bool) -> tuple[Ranges, bool, int]:
        """A class in brackets.

        Args:
            source: The pattern.
            at: Just behind the ``[``.
            is_unicode: Whether the pattern has the flag u.
            folds: Whether it has the flag i.

        Returns:
            Its characters, whether it means all others, and where it ends.
        """
        negated = source[at : at + 1] == "^"
        at += negated
        ranges: Ranges = []
        while True:
            if at >= len(source):
                raise SchemaError(f"pattern {source!r} is no regular expression: unterminated character class")
            if source[at] == "]":
                return ranges, negated, at + 1
            first, at = _atom(source, at, is_unicode, folds)
            if source[at : at + 1] != "-" or source[at + 1 : at + 2] in ("]", ""):
                ranges += first
                continue
            last, behind = _atom(source, at + 1, is_unicode, folds)
            at = behind
            if len(first) == len(last) == 1 and first[0][0] == first[0][1] and last[0][0] == last[0][1]:
                if first[0][0] > last[0][0]:
                    raise SchemaError(f"pattern {source!r} is no regular expression: range out of order in a class")
                ranges.append((first[0][0], last[0][0]))
            elif is_unicode:
                raise SchemaError(f"pattern {source!r} is no regular expression: a range ends in a class")
            else:
                ranges += [*first, (ord("-"), ord("-")), *last]


def _atom(source: str, at: int, is_unicode: bool, folds: bool) -> tuple[Ranges, int]:
    if source[at] != "\\":
        return [(ord(source[at]), ord(source[at]))], at + 1
    at += 1
    if at >= len(source):
        raise SchemaError(f"pattern {source!r} is no regular expression: \\ at the end")
    if (found := Classes.escape(source, at, is_unicode, folds)) is not None:
        return found
    if source[at] == "b":
        return [(8, 8)], at + 1
    code, at = escaped_character(source, at, is_unicode, in_class=True)
    return [(code, code)], at


def _code(code: int) -> str:
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"


@cache
def _category(name: str) -> Ranges:
    """The characters of a general category, by its short name."""
    ranges: Ranges = []
    for code in range(_LAST + 1):
        if unicodedata.category(chr(code)).startswith(name or "?"):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1] = (ranges[-1][0], code)
            else:
                ranges.append((code, code))
    return ranges
