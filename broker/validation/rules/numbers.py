"""``number``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from broker.validation.javascript.coercion import number_of
from broker.validation.javascript.values import SAFE_INTEGER, double, is_number, same
from broker.validation.rule import Check, Complain, Errors, Rule, Run

if TYPE_CHECKING:
    from broker.validation.compiler import Compiler

_Fails = Callable[[Any], bool]


def make_number(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """min, max, equal, notEqual, integer, positive, negative; convert."""
    tests = _tests(rule)
    complain = rule.complaint("number")
    converts = rule.schema.get("convert") is True

    low, high = _right_integers(rule)

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if type(value) is int and low <= value <= high:
            return value
        came = value
        if not is_number(value):
            if not converts:
                complain(errors, field, label, value)
                return value
            value = number_of(value)
        number = double(value)
        if not math.isfinite(number):
            complain(errors, field, label, came)
            return value
        for fails, complain_of in tests:
            if fails(number):
                complain_of(errors, field, label, came)
        return value

    return check


def _right_integers(rule: Rule) -> tuple[float, float]:
    """The least and the greatest integer of which no more need be known; none where more is asked than limits."""
    schema = rule.schema
    if rule.has("equal") or rule.has("notEqual"):
        return 0, -1
    low = [-SAFE_INTEGER, 1] if schema.get("positive") is True else [-SAFE_INTEGER]
    high = [SAFE_INTEGER, -1] if schema.get("negative") is True else [SAFE_INTEGER]
    if rule.has("min"):
        low.append(rule.limit("min"))
    if rule.has("max"):
        high.append(rule.limit("max"))
    is_limited = all(limit == limit for limit in (*low, *high))  # noqa: PLR0124 - not by NaN
    return (max(low), min(high)) if is_limited else (0, -1)


def _tests(rule: Rule) -> list[tuple[_Fails, Complain]]:
    tests: list[tuple[_Fails, Complain]] = []

    def add(kind: str, fails: _Fails, **expected: Any) -> None:
        tests.append((fails, rule.complaint(kind, **expected)))

    for option, kind, against in _LIMITS:
        if rule.has(option):
            limit = rule.limit(option)
            add(kind, against(limit), expected=limit)
    if rule.schema.get("integer") is True:
        add("numberInteger", lambda number: number % 1 != 0)
    if rule.schema.get("positive") is True:
        add("numberPositive", lambda number: number <= 0)
    if rule.schema.get("negative") is True:
        add("numberNegative", lambda number: number >= 0)
    return tests


def _below(limit: Any) -> _Fails:
    limit = double(limit)
    return lambda number: bool(number < limit)


def _above(limit: Any) -> _Fails:
    limit = double(limit)
    return lambda number: bool(number > limit)


_LIMITS: tuple[tuple[str, str, Callable[[Any], _Fails]], ...] = (
    ("min", "numberMin", _below),
    ("max", "numberMax", _above),
    ("equal", "numberEqual", lambda wanted: lambda number: not same(number, wanted)),
    ("notEqual", "numberNotEqual", lambda unwanted: lambda number: same(number, unwanted)),
)
