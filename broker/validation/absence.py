"""Values that are not there: required, optional, nullable, default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from broker.validation.customs import positional_count
from broker.validation.javascript.coercion import plain
from broker.validation.rule import Errors, Rule, Run

Absent = Callable[[Any, str | None, Any, Errors, Run, str | None], Any]
"""(None or UNDEFINED, field, parent, errors, run, label): gives what is there instead, or the same again."""


def absence(rule: Rule, *, null_is_a_value: bool) -> Absent:
    """What a rule makes of None and UNDEFINED.

    Args:
        rule: The rule.
        null_is_a_value: Whether null is allowed unless a rule says ``nullable: false``.
    """
    schema = rule.schema
    is_forbidden = schema.get("type") == "forbidden"
    is_optional = schema.get("optional") is True or is_forbidden
    nullable = schema.get("nullable")
    may_be_null = nullable is not False if null_is_a_value else nullable is True
    is_nullable = may_be_null or is_forbidden or (is_optional and not null_is_a_value)
    if rule.has("default"):
        return _with_default(schema, may_be_null)
    complain = rule.complaint("required")

    def absent(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if not (is_nullable if value is None else is_optional):
            complain(errors, field, label, value)
        return value

    return absent


def _with_default(schema: dict[str, Any], is_null_kept: bool) -> Absent:
    default = schema["default"]
    if callable(default):
        count = positional_count(default, 4)

        def make(field: str | None, parent: Any, run: Run) -> Any:
            return default(*(schema, field, parent, run)[:count])
    else:
        constant = plain(default)
        is_mutable = isinstance(constant, dict | list)

        def make(field: str | None, parent: Any, run: Run) -> Any:  # noqa: ARG001
            return plain(constant) if is_mutable else constant

    def absent(value: Any, field: str | None, parent: Any, _errors: Errors, run: Run, _label: str | None) -> Any:
        if value is None and is_null_kept:
            return value
        return make(field, parent, run)

    return absent
