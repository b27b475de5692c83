"""``multi``: the first of several rules that holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from broker.validation.errors import SchemaError
from broker.validation.rule import Check, Errors, Rule, Run

if TYPE_CHECKING:
    from broker.validation.compiler import Compiler


def make_multi(compiler: Compiler, rule: Rule, path: str) -> Check:
    """Where no rule holds, the errors of all of them are what is wrong."""
    schemas = rule.schema.get("rules")
    if not isinstance(schemas, list):
        raise SchemaError(f"'rules' of a multi is {schemas!r}, expected a list of rules")
    steps = [compiler.child(schema, path) for schema in schemas]

    def check(value: Any, field: str | None, parent: Any, errors: Errors, run: Run, _label: str | None) -> Any:
        found: Errors = []
        for check_item, _, custom, _, _ in steps:
            inner: Errors = []
            new = check_item(value, field, parent, inner, run, None)
            if custom is not None:
                new = custom(new, field, inner, parent, run)
            if not inner:
                return new
            found += inner
        errors += found
        return value

    async def wait(value: Any, field: str | None, parent: Any, errors: Errors, run: Run, _label: str | None) -> Any:
        found: Errors = []
        for check_item, _, custom, is_async, _ in steps:
            inner: Errors = []
            new = check_item(value, field, parent, inner, run, None)
            new = await new if is_async else new
            if custom is not None:
                new = await custom.wait(new, field, inner, parent, run)
            if not inner:
                return new
            found += inner
        errors += found
        return value

    rule.is_async = compiler.is_async
    return wait if rule.is_async else check
