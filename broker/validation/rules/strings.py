"""``string``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from broker.validation.errors import SchemaError
from broker.validation.javascript.coercion import plain, text_of
from broker.validation.javascript.literals import literal_text
from broker.validation.javascript.numbers import SPACES
from broker.validation.javascript.regexp import regexp_test, regexp_text
from broker.validation.javascript.values import UNDEFINED, length_of, same
from broker.validation.rule import Check, Complain, Errors, Rule, Run
from broker.validation.rules.values import choices_text, one_of

if TYPE_CHECKING:
    from broker.validation.compiler import Compiler

_Sanitize = Callable[[str], str]
_LONGEST: Final = 2**29 - 24
"""A JavaScript text has at most so many units."""

_ALPHABETS: Final = (
    ("numeric", "stringNumeric", r"^-?[0-9]\d*(\.\d+)?$"),
    ("alpha", "stringAlpha", "^[a-zA-Z]+$"),
    ("alphanum", "stringAlphanum", "^[a-zA-Z0-9]+$"),
    ("alphadash", "stringAlphadash", "^[a-zA-Z0-9_-]+$"),
)
_HEX: Final = "^[0-9a-fA-F]+$"
_BASE64: Final = r"^(?:[A-Za-z0-9+\\/]{4})*(?:[A-Za-z0-9+\\/]{2}==|[A-Za-z0-9+/]{3}=)?$"


class _Test(NamedTuple):
    """One thing a text must be.

    Attributes:
        fails: Told the text and its length, whether it is not.
        complain: Says so.
        actual: What the error gives: the text as it ``came``, as it is ``now``, its ``length``, or ``nothing``.
    """

    fails: Callable[[str, int], bool]
    complain: Complain
    actual: str


def make_string(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """Lengths, patterns, alphabets; trim, pad, lowercase, convert."""
    converts = rule.schema.get("convert") is True
    sanitizers, tests = _sanitizers(rule), _tests(rule)
    is_empty_enough = rule.schema.get("empty") is True
    shortest, longest = (0, -1) if sanitizers else _right_lengths(rule, tests)
    complain = rule.complaint("string")

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if type(value) is str and value.isascii() and shortest <= len(value) <= longest:
            return value
        if not isinstance(value, str):
            if not converts:
                complain(errors, field, label, value)
                return value
            value = text_of(value)
        came = value
        for sanitize in sanitizers:
            value = sanitize(value)
        if not tests or (is_empty_enough and not value):
            return value
        length = len(value) if value.isascii() else length_of(value)
        for fails, complain_of, actual in tests:
            if fails(value, length):
                shown = {"came": came, "now": value, "length": length, "nothing": UNDEFINED}[actual]
                complain_of(errors, field, label, shown)
        return value

    return check


def _right_lengths(rule: Rule, tests: list[_Test]) -> tuple[float, float]:
    """The shortest and the longest text of which no more need be known; none where more is asked than lengths."""
    asked = [option for option in ("min", "max") if rule.has(option)]
    is_not_empty = rule.schema.get("empty") is False
    if len(tests) != len(asked) + is_not_empty:
        return 0, -1
    low = rule.limit("min") if "min" in asked else 0
    high = rule.limit("max") if "max" in asked else math.inf
    return max(low, is_not_empty), high


def _sanitizers(rule: Rule) -> list[_Sanitize]:
    schema = rule.schema
    simple: tuple[tuple[str, _Sanitize], ...] = (
        ("trim", lambda text: text.strip(SPACES)),
        ("trimLeft", lambda text: text.lstrip(SPACES)),
        ("trimRight", lambda text: text.rstrip(SPACES)),
        ("padStart", _padding(rule, "padStart", at_start=True)),
        ("padEnd", _padding(rule, "padEnd", at_start=False)),
        ("lowercase", str.lower),
        ("uppercase", str.upper),
        ("localeLowercase", str.lower),
        ("localeUppercase", str.upper),
    )
    return [sanitize for option, sanitize in simple if schema.get(option)]


def _padding(rule: Rule, option: str, *, at_start: bool) -> _Sanitize:
    if not rule.schema.get(option):
        return str
    wanted = rule.limit(option)
    length = int(min(max(wanted, 0), _LONGEST)) if wanted == wanted else 0  # noqa: PLR0124 - NaN
    filling = plain(rule.schema["padChar"]) if rule.has("padChar") else " "
    units = text_of(filling).encode("utf-16-le", "surrogatepass")

    def pad(text: str) -> str:
        missing = 2 * (length - length_of(text))
        if missing <= 0 or not units:
            return text
        padding = (units * (missing // len(units) + 1))[:missing]
        own = text.encode("utf-16-le", "surrogatepass")
        return (padding + own if at_start else own + padding).decode("utf-16-le", "surrogatepass")

    return pad


def _tests(rule: Rule) -> list[_Test]:
    schema = rule.schema
    tests: list[_Test] = []

    def add(kind: str, fails: Callable[[str, int], bool], actual: str = "came", **expected: Any) -> None:
        tests.append(_Test(fails, rule.complaint(kind, **expected), actual))

    if schema.get("empty") is False:
        add("stringEmpty", lambda _text, length: length == 0, "now")
    if rule.has("min"):
        low = rule.limit("min")
        add("stringMin", lambda _text, length: length < low, "length", expected=low)
    if rule.has("max"):
        high = rule.limit("max")
        add("stringMax", lambda _text, length: length > high, "length", expected=high)
    if rule.has("length"):
        exact = rule.limit("length")
        add("stringLength", lambda _text, length: not same(length, exact), "length", expected=exact)
    if rule.has("pattern"):
        matches, shown = _pattern(schema["pattern"], schema.get("patternFlags"))
        add("stringPattern", lambda text, _length: not matches(text), expected=literal_text(shown))
    if rule.has("contains"):
        part = literal_text(text_of(schema["contains"]))
        add("stringContains", lambda text, _length: part not in text, expected=part)
    if rule.has("enum"):
        allowed = one_of(rule.choices("enum"))
        add("stringEnum", lambda text, _length: not allowed(text), expected=choices_text(schema["enum"]))
    _add_alphabets(schema, add)
    return tests


def _add_alphabets(schema: dict[str, Any], add: Callable[..., None]) -> None:
    for option, kind, pattern in _ALPHABETS:
        if schema.get(option) is True:
            add(kind, _failing(regexp_test(pattern)))
    if schema.get("hex") is True:
        is_hex = regexp_test(_HEX)
        add("stringHex", lambda text, length: length % 2 != 0 or not is_hex(text))
    if schema.get("singleLine") is True:
        add("stringSingleLine", lambda text, _length: "\n" in text, "nothing")
    if schema.get("base64") is True:
        add("stringBase64", _failing(regexp_test(_BASE64)))


def _failing(matches: Callable[[str], bool]) -> Callable[[str, int], bool]:
    return lambda text, _length: not matches(text)


def _pattern(pattern: Any, flags: Any) -> tuple[Callable[[str], bool], str]:
    """What tests a pattern, and how errors show it."""
    if isinstance(pattern, re.Pattern):
        shown = "".join(letter for letter, flag in (("i", re.I), ("m", re.M), ("s", re.S)) if pattern.flags & flag)
        return (lambda text: pattern.search(text) is not None), regexp_text(pattern.pattern, shown)
    if not isinstance(pattern, str):
        raise SchemaError(f"'pattern' is {pattern!r}, expected a text or a compiled pattern")
    flags = "" if flags is None else text_of(flags)
    return regexp_test(pattern, flags), regexp_text(pattern, flags)
