"""Texts of a known form: ``currency``, ``email``, ``luhn``, ``mac``, ``url`` and ``uuid``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from broker.validation.errors import SchemaError
from broker.validation.javascript.coercion import text_of
from broker.validation.javascript.numbers import SPACES
from broker.validation.javascript.regexp import regexp_test
from broker.validation.javascript.values import length_of, same
from broker.validation.rule import Check, Errors, Rule, Run

if TYPE_CHECKING:
    from broker.validation.compiler import Compiler

_PRECISE_EMAIL: Final = (
    r'^(([^<>()[\]\\.,;:\s@"]+(\.[^<>()[\]\\.,;:\s@"]+)*)|(".+"))'
    r"@((\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\])|(([a-zA-Z\-0-9]+\.)+[a-zA-Z]{2,}))$"
)
_EMAIL: Final = r"^\S+@\S+\.\S+$"
_URL: Final = r"^https?:\/\/\S+"
_MAC: Final = (
    r"^((([a-f0-9][a-f0-9]+[-]){5}|([a-f0-9][a-f0-9]+[:]){5})([a-f0-9][a-f0-9])$)"
    r"|(^([a-f0-9][a-f0-9][a-f0-9][a-f0-9]+[.]){2}([a-f0-9][a-f0-9][a-f0-9][a-f0-9]))$"
)
_UUID: Final = (
    r"^([0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|[0]{8}-[0]{4}-[0]{4}-[0]{4}-[0]{12})$"
)
_CURRENCY: Final = r"(?=.*\d)^(-?~1|~1-?)(([0-9]\d{0,2}(~2\d{3})*)|0)?(\~3\d{1,2})?$"
_LITERAL: Final = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_NO_DIGITS: Final = re.compile(r"[^0-9]+")
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def make_email(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """empty, min, max, ``mode: precise``; normalize."""
    schema = rule.schema
    is_email = regexp_test(_PRECISE_EMAIL if schema.get("mode") == "precise" else _EMAIL)
    is_empty_allowed, normalizes = bool(schema.get("empty")), bool(schema.get("normalize"))
    low = rule.limit("min") if rule.has("min") else -math.inf
    high = rule.limit("max") if rule.has("max") else math.inf
    wrong, empty = rule.complaint("string"), rule.complaint("emailEmpty")
    short, long, bad = rule.complaint("emailMin", low), rule.complaint("emailMax", high), rule.complaint("email")

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if not isinstance(value, str):
            wrong(errors, field, label, value)
            return value
        if not value:
            if not is_empty_allowed:
                empty(errors, field, label, value)
            return value
        if normalizes:
            value = value.strip(SPACES).lower()
        length = length_of(value)
        if length < low:
            short(errors, field, label, length)
        if length > high:
            long(errors, field, label, length)
        if not is_email(value):
            bad(errors, field, label, value)
        return value

    return check


def make_url(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """http or https; empty."""
    is_empty_allowed = bool(rule.schema.get("empty"))
    is_url = regexp_test(_URL)
    wrong, empty, bad = rule.complaint("string"), rule.complaint("urlEmpty"), rule.complaint("url")

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if not isinstance(value, str):
            wrong(errors, field, label, value)
        elif not value:
            if not is_empty_allowed:
                empty(errors, field, label, value)
        elif not is_url(value):
            bad(errors, field, label, value)
        return value

    return check


def make_uuid(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """Of any version, or of one."""
    wanted = _wanted_version(rule)
    is_uuid = regexp_test(_UUID, "i")
    wrong, bad = rule.complaint("string"), rule.complaint("uuid")
    other = rule.complaint("uuidVersion", wanted)

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if not isinstance(value, str):
            wrong(errors, field, label, value)
            return value
        text = value.lower()
        if not is_uuid(text):
            bad(errors, field, label, value)
            return value
        version = int(text[14])
        if wanted is not None and not same(wanted, version):
            other(errors, field, label, version)
        elif version in (3, 4, 5, 7, 8) and text[19] not in "89ab":
            bad(errors, field, label, value)
        return value

    return check


def _wanted_version(rule: Rule) -> Any:
    """The version that a rule asks for; None when it asks for none that there is."""
    match = re.match(r"\s*([+-]?[0-9]+)", text_of(rule.schema.get("version")))
    return rule.limit("version") if match and int(match[1]) < 9 else None


def make_mac(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """With colons, hyphens or dots."""
    is_mac = regexp_test(_MAC, "i")
    return _text_check(rule, "mac", lambda text: is_mac(text.lower()))


def make_luhn(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """Numbers of cards and the like, by their check digit; all but digits is passed over."""
    return _text_check(rule, "luhn", _is_luhn)


def _is_luhn(text: str) -> bool:
    digits = [int(digit) for digit in reversed(_NO_DIGITS.sub("", text))]
    total = sum(digits[0::2]) + sum(_DOUBLED[digit] for digit in digits[1::2])
    return total % 10 == 0 and total > 0


def make_currency(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """currencySymbol, symbolOptional, thousandSeparator, decimalSeparator, or a customRegex."""
    schema = rule.schema
    custom = schema.get("customRegex")
    if custom:
        is_currency = _custom_currency(custom)
    else:
        symbol = schema.get("currencySymbol")
        mark = f"\\{text_of(symbol)}{'?' if schema.get('symbolOptional') else ''}" if symbol else ""
        source = _CURRENCY.replace("~1", mark)
        source = source.replace("~2", text_of(schema.get("thousandSeparator") or ","), 1)
        source = source.replace("~3", text_of(schema.get("decimalSeparator") or "."), 1)
        is_currency = regexp_test(source)
    complain = rule.complaint("currency")

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        # the npm package throws a TypeError for what is no text
        if not isinstance(value, str) or not is_currency(value):
            complain(errors, field, label, value)
        return value

    return check


def _custom_currency(custom: Any) -> Callable[[str], bool]:
    if isinstance(custom, re.Pattern):
        return lambda text: custom.search(text) is not None
    literal = _LITERAL.fullmatch(custom) if isinstance(custom, str) else None
    if literal is None:
        raise SchemaError(f"'customRegex' is {custom!r}, expected a compiled pattern, or a text such as '/^[0-9]+$/i'")
    return regexp_test(literal[1], literal[2])


def _text_check(rule: Rule, kind: str, is_right: Callable[[str], bool]) -> Check:
    wrong, bad = rule.complaint("string"), rule.complaint(kind)

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if not isinstance(value, str):
            wrong(errors, field, label, value)
        elif not is_right(value):
            bad(errors, field, label, value)
        return value

    return check
