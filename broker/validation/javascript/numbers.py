"""Numbers to text and back, as JavaScript writes and reads them."""

from __future__ import annotations

import math
import re
from typing import Final

from broker.validation.javascript.values import SAFE_INTEGER, double

SPACES: Final = (
    "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What JavaScript trims and ``\\s`` matches."""

_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_OTHER_BASE: Final = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")


def text_of_number(number: int | float) -> str:
    """``String(number)``."""
    number = double(number)
    if number != number:  # noqa: PLR0124 - NaN
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if isinstance(number, int):
        return str(int(number))
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    integer, _, fraction = mantissa.partition(".")
    digits = (integer + fraction).lstrip("0")
    point = len(integer) + int(exponent or 0) - (len(integer + fraction) - len(digits))
    return sign + _placed(digits.rstrip("0"), point)


def _placed(digits: str, point: int) -> str:
    """Significant digits with their decimal point after `point` of them."""
    if len(digits) <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    power = f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "") + power


def number_of_text(text: str) -> int | float:
    """``Number(text)``: NaN for what is no number, 0 for nothing, an int where the value is a safe integer."""
    text = text.strip(SPACES)
    if not text:
        return 0
    if _DECIMAL.fullmatch(text):
        return narrow(float(text))
    if _OTHER_BASE.fullmatch(text):
        return narrow(double(int(text, 0)))
    if text in ("Infinity", "+Infinity", "-Infinity"):
        return float("-inf") if text[0] == "-" else float("inf")
    return float("nan")


def narrow(number: int | float) -> int | float:
    """As an int where that says the same."""
    if isinstance(number, float) and number.is_integer() and abs(number) <= SAFE_INTEGER:
        return number if number == 0 and math.copysign(1, number) < 0 else int(number)
    return number
