"""``date``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from broker.validation.javascript.coercion import joined, number_of, text_of
from broker.validation.javascript.dates import date_of_milliseconds, date_of_text
from broker.validation.javascript.values import kind_of, length_of
from broker.validation.rule import Check, Errors, Rule, Run

if TYPE_CHECKING:
    from broker.validation.compiler import Compiler


def make_date(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """A date; ``convert`` takes milliseconds, as a number or as text, and dates written as text."""
    converts = rule.schema.get("convert") is True
    complain = rule.complaint("date")

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if isinstance(value, datetime.date):
            return value
        date = _converted(value) if converts else None
        if date is None:
            complain(errors, field, label, value)
            return value
        return date

    return check


def _converted(value: Any) -> datetime.datetime | None:
    kind = kind_of(value)
    if kind in ("number", "boolean"):
        return date_of_milliseconds(number_of(value))
    if kind not in ("string", "array"):
        return date_of_text(text_of(value))
    length = length_of(value) if kind == "string" else len(value)
    number = number_of(value) if length else float("nan")
    if number == number:  # noqa: PLR0124 - not NaN
        return date_of_milliseconds(number)
    return date_of_text(value if kind == "string" else joined(value, ","))
