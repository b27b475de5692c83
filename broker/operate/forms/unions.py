"""Which alternative of a union a value is meant to be."""

from __future__ import annotations

from typing import Any, Final

from broker.operate.forms.field import CONTAINERS, Field
from broker.operate.forms.judge import Judge
from broker.validation import UNDEFINED

_BY_KIND: Final[dict[str, type | tuple[type, ...]]] = {
    "text": str,
    "number": (int, float),
    "boolean": bool,
    "date": (str, int, float),
    "array": list,
    "choices": list,
    "tuple": list,
    "object": dict,
    "record": dict,
}


def alternative_of(judge: Judge, union: Field, value: Any) -> int:
    """The first alternative that takes the value; if none does, the one that has least against it."""
    if value is UNDEFINED or value is None or not union.fields:
        return 0
    best, least = 0, (3, 0)
    for number, each in enumerate(union.fields):
        errors = judge.errors(each, value)
        if not errors:
            return number
        unlike = 0 if looks_like(each, value) else 1 if _is_simple(each, value) else 2
        against = (unlike, len(errors) + _TELLING * _is_another(each, value))
        if against < least:
            best, least = number, against
    return best


_TELLING: Final = 1000
"""A wrong value in the field that tells alternatives apart weighs more than anything that is missing."""


def looks_like(field: Field, value: Any) -> bool:
    """Whether a value is of the sort that a field is edited as."""
    if field.kind == "union":
        return any(looks_like(each, value) for each in field.fields)
    if field.kind == "choice":
        return value in field.choices
    sort = _BY_KIND.get(field.kind)
    if sort is None:
        return True
    return isinstance(value, sort) and (field.kind == "boolean" or not isinstance(value, bool))


def _is_simple(field: Field, value: Any) -> bool:
    """Whether both are one value on one line, of whatever sort."""
    return field.kind not in CONTAINERS and not isinstance(value, dict | list)


def _is_another(field: Field, value: Any) -> bool:
    """Whether a property that may have one value only has another."""
    if field.kind != "object" or not isinstance(value, dict):
        return False
    return any(
        each.name in value and value[each.name] != only
        for each in field.fields
        if (only := only_value(each)) is not UNDEFINED
    )


def only_value(field: Field) -> Any:
    """The one value that a field may have; UNDEFINED if there are several."""
    if field.type == "equal" and not field.rule.get("field"):
        return field.rule.get("value", UNDEFINED)
    if field.kind == "choice" and len(field.choices) == 1:
        return field.choices[0]
    return UNDEFINED


def start_of(field: Field, *, is_chosen: bool = False) -> Any:
    """What a field is before anybody has filled it in; UNDEFINED if it is not there.

    Objects and lists that must be there are, so that only what is in them is missing.

    Args:
        field: The field.
        is_chosen: A person asked for it: it is there though it is optional, and tells what it is.
    """
    if not (field.is_required or is_chosen):
        return UNDEFINED
    if field.kind == "object":
        inner = {each.name: _start_within(each, is_chosen=is_chosen) for each in field.fields}
        return {name: each for name, each in inner.items() if each is not UNDEFINED}
    if field.kind == "record":
        return {}
    if field.kind in ("array", "choices"):
        return []
    if field.kind == "tuple":
        inner_places = [start_of(each) for each in field.fields]
        return [None if each is UNDEFINED else each for each in inner_places]
    if field.kind == "union" and is_chosen and field.fields:
        return start_of(field.fields[0], is_chosen=True)
    return UNDEFINED


def blank_of(field: Field) -> Any:
    """What stands for a field that a person asked for and has not filled in: never UNDEFINED."""
    begun = start_of(field, is_chosen=True)
    if begun is not UNDEFINED:
        return begun
    return "" if field.kind == "text" else None


def _start_within(field: Field, *, is_chosen: bool) -> Any:
    only = only_value(field) if is_chosen and field.is_required else UNDEFINED
    return start_of(field) if only is UNDEFINED else only
