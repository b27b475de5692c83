"""What is wrong with a value, field by field, before it is sent: in the words of the validator and of the schema."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from broker.operate.forms.field import Field, Path
from broker.operate.forms.paths import at
from broker.operate.forms.templates import IsTemplate, is_template
from broker.validation import UNDEFINED, Checker, Errors, Run, SchemaError, Validator
from broker.validation.rule import Check, Rule

if TYPE_CHECKING:
    from broker.validation.compiler import Compiler

_IDENTIFIER: Final = re.compile(r"[_$a-zA-Z][_$a-zA-Z0-9]*")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that the service would refuse.

    Attributes:
        path: Where.
        message: The whole message, as the service would say it.
        short: The same where the field stands beside it: without the field's name.
        type: The validator's word for it: ``required``, ``stringMin``, …
        alternatives: For each union that it is within, from the inside out: the union's path and which of its
            alternatives says so.
    """

    path: Path
    message: str
    short: str
    type: str
    alternatives: tuple[tuple[Path, int], ...] = ()


class Judge:
    """Checks values by the rule of a form."""

    def __init__(self, field: Field) -> None:
        """Compile it.

        Raises:
            SchemaError: Something in it cannot be compiled.
        """
        self._field = field
        self._validator = Validator()
        self._validator.rules["multi"] = _make_multi
        self._check = self._compiled(field)
        self._alternatives: dict[int, Checker] = {}

    def _compiled(self, field: Field) -> Checker:
        return self._validator.compile({"$$root": True, **field.rule})

    def problems(self, value: Any, is_variable: IsTemplate = is_template) -> list[Problem]:
        """What is wrong, in the validator's order; nothing where a variable stands.

        Args:
            value: What is to be sent; it is not changed. UNDEFINED and null are an empty object, as a node takes them.
            is_variable: Which texts are not judged yet.
        """
        sent = {} if value is None or value is UNDEFINED else value
        errors = self._check(copy.deepcopy(sent))
        if not errors:
            return []
        paths = dict(names_of(self._field, sent))
        found = [_problem(error, paths) for error in errors]
        return [each for each in found if not _waits(each, sent, is_variable)]

    def errors(self, alternative: Field, value: Any) -> Errors:
        """What one alternative of a union, by itself, has against a value."""
        check = self._alternatives.get(id(alternative))
        if check is None:
            check = self._alternatives[id(alternative)] = self._compiled(alternative)
        return check(copy.deepcopy(value))


def _problem(error: dict[str, Any], paths: dict[str, Path]) -> Problem:
    named = error.get("field")
    path = paths.get("" if named is None else named, ())
    message = str(error.get("message") or error["type"])
    within = tuple((paths.get(union, ()), which) for union, which in error.get("within", ()))
    return Problem(path, message, _short(message, error.get("label") or named), error["type"], within)


def _short(message: str, named: object) -> str:
    """A message without the field's name at its beginning, as the validator's own have it."""
    for start in (f"The '{named}' field ", f"The '{named}' ", f"The object '{named}' "):
        message = message.removeprefix(start)
    return message.removesuffix(".")


def _waits(problem: Problem, value: Any, is_variable: IsTemplate) -> bool:
    """Whether a problem is one of a variable that is not filled in yet."""
    for length in range(len(problem.path) + 1):
        part = at(value, problem.path[:length])
        if isinstance(part, str) and is_variable(part):
            return True
    part = at(value, problem.path)
    if isinstance(part, list) and problem.type.startswith("array"):
        return any(isinstance(each, str) and is_variable(each) for each in part)
    return False


def names_of(field: Field, value: Any) -> Iterator[tuple[str, Path]]:
    """How the validator names the fields of a value; the first of a name counts."""
    seen: set[str] = set()
    waiting: list[tuple[Field, Any, str, Path]] = [(field, value, "", ())]
    while waiting:
        inner, part, name, path = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name, path
        waiting.extend(_parts(inner, part, name, path))


def _parts(field: Field, value: Any, name: str, path: Path) -> Iterator[tuple[Field, Any, str, Path]]:
    if field.kind == "union":
        for each in field.fields:
            yield each, value, name, path
    elif field.kind == "object" and isinstance(value, dict):
        for each in reversed(field.fields):
            suffix = f".{each.name}" if _IDENTIFIER.fullmatch(each.name) else f"['{each.name}']"
            yield each, value.get(each.name, UNDEFINED), name + suffix if name else each.name, (*path, each.name)
    elif field.kind == "record" and field.item is not None and isinstance(value, dict):
        for key, part in value.items():
            yield field.item, part, f"{name}.{key}" if name else key, (*path, key)
    elif field.kind in ("array", "choices", "tuple"):
        items = value if isinstance(value, list) else [value]
        for place, part in enumerate(items):
            within = field.item if field.kind != "tuple" else field.fields[place] if place < len(field.fields) else None
            if within is not None:
                yield within, part, f"{name}[{place}]", (*path, place)


def _make_multi(compiler: Compiler, rule: Rule, path: str) -> Check:
    """The validator's ``multi``, whose errors also say which alternative they are from."""
    schemas = rule.schema.get("rules")
    if not isinstance(schemas, list):
        raise SchemaError(f"'rules' of a multi is {schemas!r}, expected a list of rules")
    steps = [compiler.child(schema, path) for schema in schemas]

    def check(value: Any, field: str | None, parent: Any, errors: Errors, run: Run, _label: str | None) -> Any:
        found: Errors = []
        for which, (check_item, _, _, _, _) in enumerate(steps):
            inner: Errors = []
            new = check_item(value, field, parent, inner, run, None)
            if not inner:
                return new
            for error in inner:
                error["within"] = [*error.get("within", ()), (field or "", which)]
            found += inner
        errors += found
        return value

    return check
