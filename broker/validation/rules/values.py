"""``enum``, ``equal`` and ``forbidden``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from broker.validation.javascript.coercion import joined, loosely_equal, plain, text_of
from broker.validation.javascript.literals import literal_text
from broker.validation.javascript.values import UNDEFINED, double, kind_of, same
from broker.validation.rule import Check, Errors, Rule, Run

if TYPE_CHECKING:
    from broker.validation.compiler import Compiler


def one_of(values: list[Any]) -> Callable[[Any], bool]:
    """Whether a value is strictly equal to one of these; objects never are, since JSON makes new ones."""
    allowed = {_key(value) for value in plain(values)} - {None}

    def contains(value: Any) -> bool:
        return _key(value) in allowed

    return contains


def choices_text(values: list[Any]) -> str:
    """How errors name the values of an enumeration."""
    return literal_text(joined(values, ", "))


def make_enum(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """One of ``values``."""
    values = rule.choices("values")
    allowed = one_of(values)
    complain = rule.complaint("enumValue", choices_text(values))

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if not allowed(value):
            complain(errors, field, label, value)
        return value

    return check


def make_equal(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """Equal to ``value``, or to the ``field`` beside it; ``strict`` or as JavaScript's ``==``."""
    schema = rule.schema
    equal = same if schema.get("strict") else loosely_equal
    other = schema.get("field")
    if other:
        name = literal_text(text_of(other))
        complain_field = rule.complaint("equalField", plain(other))

        def check_field(
            value: Any, field: str | None, parent: Any, errors: Errors, _run: Run, label: str | None
        ) -> Any:
            if not equal(value, parent.get(name, UNDEFINED) if isinstance(parent, Mapping) else UNDEFINED):
                complain_field(errors, field, label, value)
            return value

        return check_field
    wanted = plain(schema.get("value", UNDEFINED))
    complain = rule.complaint("equalValue", wanted)

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if not equal(value, wanted):
            complain(errors, field, label, value)
        return value

    return check


def make_forbidden(compiler: Compiler, rule: Rule, _path: str) -> Check:
    """Must not be there; with ``remove`` it is taken away."""
    removes = bool(rule.schema.get("remove"))
    compiler.removes |= removes
    complain = rule.complaint("forbidden")

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if removes:
            return UNDEFINED
        complain(errors, field, label, value)
        return value

    return check


def _key(value: Any) -> tuple[str, Any] | None:
    kind = kind_of(value)
    if kind == "number":
        number = double(value)
        return None if number != number else (kind, number)  # noqa: PLR0124 - NaN equals nothing
    if kind in ("string", "boolean", "null"):
        return kind, value
    return None
