"""``any``, ``boolean``, ``class``, ``custom``, ``function`` and ``objectID``: what a value is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from broker.validation.errors import SchemaError
from broker.validation.javascript.coercion import text_of
from broker.validation.javascript.values import UNDEFINED, is_number
from broker.validation.rule import Check, Errors, Rule, Run

if TYPE_CHECKING:
    from broker.validation.compiler import Compiler

_OBJECT_ID: Final = re.compile(r"[0-9a-fA-F]{24}")
_SAYS: Final = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}


def make_any(_compiler: Compiler, _rule: Rule, _path: str) -> Check:
    """Anything."""
    return lambda value, _field, _parent, _errors, _run, _label: value


def make_boolean(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """true or false; ``convert`` takes 1, 0 and some words."""
    converts = rule.schema.get("convert") is True
    complain = rule.complaint("boolean")

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if value is True or value is False:
            return value
        if converts:
            if isinstance(value, str) and value in _SAYS:
                return _SAYS[value]
            if is_number(value) and value in (0, 1):
                return value == 1
        complain(errors, field, label, value)
        return value

    return check


def make_class(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """An instance of the class ``instanceOf``."""
    wanted = rule.schema.get("instanceOf")
    if not isinstance(wanted, type):
        raise SchemaError(f"'instanceOf' is {wanted!r}, expected a class")
    complain = rule.complaint("classInstanceOf", wanted.__name__)

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if not isinstance(value, wanted):
            complain(errors, field, label, value)
        return value

    return check


def make_custom_rule(compiler: Compiler, rule: Rule, path: str) -> Check:
    """Whatever the function ``check`` says."""
    custom = compiler.custom(rule, "check", path)
    if custom is None:
        return make_any(compiler, rule, path)
    if compiler.is_async:
        rule.is_async = True

        async def wait(value: Any, field: str | None, parent: Any, errors: Errors, run: Run, _label: str | None) -> Any:
            return await custom.wait(value, field, errors, parent, run)

        return wait
    return lambda value, field, parent, errors, run, _label: custom(value, field, errors, parent, run)


def make_function(_compiler: Compiler, rule: Rule, _path: str) -> Check:
    """A function, which only calls within a node can hand over."""
    complain = rule.complaint("function")

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if not callable(value):
            complain(errors, field, label, value)
        return value

    return check


def make_object_id(compiler: Compiler, rule: Rule, _path: str) -> Check:
    """An id of MongoDB: what the class ``ObjectID`` finds valid, else 24 hexadecimal digits."""
    object_id = rule.schema.get("ObjectID")
    is_valid = getattr(object_id, "is_valid", None) or getattr(object_id, "isValid", None)
    convert = rule.schema.get("convert")
    complain = rule.complaint("objectID")
    compiler.removes = True

    def check(value: Any, field: str | None, _parent: Any, errors: Errors, _run: Run, label: str | None) -> Any:
        if not (is_valid(value) if is_valid else isinstance(value, str) and _OBJECT_ID.fullmatch(value)):
            complain(errors, field, label, value)
            return UNDEFINED
        if convert is True and object_id is not None:
            return object_id(value)
        if convert == "hexString":
            return value if isinstance(value, str) else str(value) if object_id is not None else text_of(value)
        return value

    return check
