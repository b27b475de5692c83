"""``record``: an object with any keys, all by one rule, and one rule for all values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from broker.validation.errors import SchemaError
from broker.validation.javascript.coercion import text_of
from broker.validation.javascript.values import UNDEFINED, keys_of
from broker.validation.rule import Check, Errors, Rule, Run
from broker.validation.rules.objects import fields_of

if TYPE_CHECKING:
    from broker.validation.compiler import Compiler


def make_record(compiler: Compiler, rule: Rule, path: str) -> Check:
    """Gives a new object, with sanitized keys and values."""
    key_rule = compiler.rule(rule.schema.get("key") or "string")
    key_rule.messages = {kind: _of_a_key(kind, text) for kind, text in key_rule.messages.items()}
    key_step = compiler.step(key_rule, "")
    value_step = compiler.child(rule.schema.get("value") or "any", f"{path}[key]")
    complain = rule.complaint("record")

    def check(value: Any, field: str | None, parent: Any, errors: Errors, run: Run, label: str | None) -> Any:
        fields = fields_of(value, run)
        if fields is None:
            complain(errors, field, label, value)
            return value
        result: dict[str, Any] = {}
        for key in keys_of(fields):
            inner = f"{field}.{key}" if field else key
            new_key = key_step.check(key, inner, fields, errors, run, None)
            if key_step.custom is not None:
                new_key = key_step.custom(new_key, field, errors, parent, run)
            item = fields[key]
            if item is None or item is UNDEFINED:
                item = value_step.absent(item, field, parent, errors, run, label)
            else:
                item = value_step.check(item, inner, fields, errors, run, None)
            if value_step.custom is not None:
                item = value_step.custom(item, field, errors, parent, run)
            result[new_key if isinstance(new_key, str) else text_of(new_key)] = item
        return result

    async def wait(value: Any, field: str | None, parent: Any, errors: Errors, run: Run, label: str | None) -> Any:
        fields = fields_of(value, run)
        if fields is None:
            complain(errors, field, label, value)
            return value
        result: dict[str, Any] = {}
        for key in keys_of(fields):
            inner = f"{field}.{key}" if field else key
            new_key = key_step.check(key, inner, fields, errors, run, None)
            new_key = await new_key if key_step.is_async else new_key
            if key_step.custom is not None:
                new_key = await key_step.custom.wait(new_key, field, errors, parent, run)
            item = fields[key]
            if item is None or item is UNDEFINED:
                item = value_step.absent(item, field, parent, errors, run, label)
            else:
                item = value_step.check(item, inner, fields, errors, run, None)
                item = await item if value_step.is_async else item
            if value_step.custom is not None:
                item = await value_step.custom.wait(item, field, errors, parent, run)
            result[new_key if isinstance(new_key, str) else text_of(new_key)] = item
        return result

    rule.is_async = compiler.is_async
    return wait if rule.is_async else check


def _of_a_key(kind: str, message: Any) -> Any:
    if not kind.startswith("string"):
        return message
    if not isinstance(message, str):
        raise SchemaError(f"message '{kind}' is {message!r}, expected a text")
    return message.replace(" field ", " key ", 1)
