"""``object``: rules for properties; strict, minProps, maxProps."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from broker.validation.absence import Absent
from broker.validation.customs import Custom
from broker.validation.errors import SchemaError
from broker.validation.javascript.coercion import joined
from broker.validation.javascript.literals import literal_text
from broker.validation.javascript.values import UNDEFINED, keys_of, kind_of, truthy
from broker.validation.rule import Check, Errors, Rule, Run

if TYPE_CHECKING:
    from broker.validation.compiler import Compiler

_IDENTIFIER: Final = re.compile(r"[_$a-zA-Z][_$a-zA-Z0-9]*")

_Finish = Callable[[dict[str, Any], str | None, Errors, str | None], None]


class _Property(NamedTuple):
    """One property: its name, how errors write it behind its object's field, and what checks it."""

    name: str
    suffix: str
    check: Check
    absent: Absent
    custom: Custom | None
    is_async: bool
    label: str | None


def fields_of(value: Any, run: Run) -> dict[str, Any] | None:
    """What can be read of an object; None for what is no object (lists are none, dates and bytes have no fields)."""
    if isinstance(value, dict):
        return value
    return run.fields_set_on(value) if kind_of(value) in ("object", "date") else None


def make_object(compiler: Compiler, rule: Rule, path: str) -> Check:
    """An object; one with rules for its properties is changed in place where they sanitize."""
    properties = _properties(compiler, rule, path)
    finish = _finish(rule)
    complain = rule.complaint("object")
    halts = compiler.options.halt_on_first_error

    def check(value: Any, field: str | None, parent: Any, errors: Errors, run: Run, label: str | None) -> Any:
        fields = value if type(value) is dict else fields_of(value, run)
        if fields is None:
            complain(errors, field, label, value)
            return value
        for name, suffix, check_item, absent, custom, _, own_label in properties:
            inner = field + suffix if field else name
            item = fields.get(name, UNDEFINED)
            if item is None or item is UNDEFINED:
                new = absent(item, inner, parent, errors, run, own_label)
            else:
                new = check_item(item, inner, fields, errors, run, own_label)
            if custom is not None:
                new = custom(new, inner, errors, parent, run)
            if new is not item or custom is not None:  # JavaScript sets even what is absent before and after
                fields[name] = new
            if halts and errors:
                return value
        if finish is not None:
            finish(fields, field, errors, properties[-1].label if properties else label)
        return value

    async def wait(value: Any, field: str | None, parent: Any, errors: Errors, run: Run, label: str | None) -> Any:
        fields = fields_of(value, run)
        if fields is None:
            complain(errors, field, label, value)
            return value
        for name, suffix, check_item, absent, custom, is_async, own_label in properties:
            inner = field + suffix if field else name
            item = fields.get(name, UNDEFINED)
            if item is None or item is UNDEFINED:
                new = absent(item, inner, parent, errors, run, own_label)
            else:
                new = check_item(item, inner, fields, errors, run, own_label)
                new = await new if is_async else new
            if custom is not None:
                new = await custom.wait(new, inner, errors, parent, run)
            if new is not item or custom is not None:  # JavaScript sets even what is absent before and after
                fields[name] = new
            if halts and errors:
                return value
        if finish is not None:
            finish(fields, field, errors, properties[-1].label if properties else label)
        return value

    rule.is_async = compiler.is_async
    return wait if rule.is_async else check


def _schemas(rule: Rule) -> dict[str, Any] | None:
    properties = rule.schema.get("properties")
    schemas = properties if truthy(properties) else rule.schema.get("props")
    if not truthy(schemas):
        return None
    if not isinstance(schemas, dict):
        raise SchemaError(f"'props' of an object is {schemas!r}, expected an object of rules")
    return schemas


def _properties(compiler: Compiler, rule: Rule, path: str) -> list[_Property]:
    schemas = _schemas(rule) or {}
    properties = []
    for name in keys_of(schemas):
        if name.startswith("$$"):
            continue
        step = compiler.child(schemas[name], f"{path}.{name}" if path else name)
        suffix = f".{name}" if _IDENTIFIER.fullmatch(name) else f"['{name}']"
        compiler.removes |= step.custom is not None
        properties.append(_Property(name, suffix, step.check, step.absent, step.custom, step.is_async, step.label))
    return properties


def _finish(rule: Rule) -> _Finish | None:
    """What is looked at when all properties are checked; None when there is nothing."""
    schemas = _schemas(rule)
    strict = rule.schema.get("strict") if schemas is not None else None
    is_strict = truthy(strict)
    allowed = keys_of(schemas or {})
    known = frozenset(allowed)
    complain = rule.complaint("objectStrict", literal_text(joined(allowed, ", ")))
    few = rule.limit("minProps") if rule.has("minProps") else None
    many = rule.limit("maxProps") if rule.has("maxProps") else None
    too_few, too_many = rule.complaint("objectMinProps", few), rule.complaint("objectMaxProps", many)
    if not is_strict and few is None and many is None:
        return None

    def finish(fields: dict[str, Any], field: str | None, errors: Errors, label: str | None) -> None:
        if is_strict and not known.issuperset(fields):
            others = [key for key in keys_of(fields) if key not in known]
            if strict != "remove":
                complain(errors, field, label, ", ".join(others))
            elif not errors:
                for key in others:
                    del fields[key]
        if few is not None and len(fields) < few:
            too_few(errors, field, label, len(fields))
        if many is not None and len(fields) > many:
            too_many(errors, field, label, len(fields))

    return finish
