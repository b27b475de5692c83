"""``array`` and ``tuple``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from broker.validation.errors import SchemaError
from broker.validation.javascript.coercion import plain
from broker.validation.javascript.values import UNDEFINED, double, is_number, same
from broker.validation.rule import Check, Errors, Rule, Run
from broker.validation.rules.values import choices_text, one_of

if TYPE_CHECKING:
    from broker.validation.compiler import Compiler, Step

_Look = Callable[[list[Any], str | None, Errors, str | None], None]


def make_array(compiler: Compiler, rule: Rule, path: str) -> Check:
    """empty, min, max, length, contains, unique, enum, items; convert puts a single value into a list."""
    looks = _looks(rule)
    step = compiler.child(rule.schema["items"], f"{path}[]") if rule.has("items") else None
    converts = rule.schema.get("convert") is True
    complain = rule.complaint("array")

    def begin(value: Any, field: str | None, errors: Errors, label: str | None) -> list[Any] | None:
        if not isinstance(value, list):
            if isinstance(value, tuple):
                value = list(value)
            elif converts:
                value = [value]
            else:
                complain(errors, field, label, value)
                return None
        for look in looks:
            look(value, field, errors, label)
        return value  # type: ignore[no-any-return]

    def steps(_items: list[Any]) -> list[Step]:
        return [] if step is None else [step] * len(_items)

    return _with_steps(compiler, rule, begin, steps)


def make_tuple(compiler: Compiler, rule: Rule, path: str) -> Check:
    """A list with a rule for each place; empty."""
    schemas = rule.schema.get("items")
    if schemas is not None and not isinstance(schemas, list):
        raise SchemaError(f"'items' of a tuple is {schemas!r}, expected a list of rules")
    if schemas is not None and not schemas:
        raise SchemaError("'items' of a tuple is empty, expected at least one rule")
    made = [compiler.child(schema, f"{path}[{place}]") for place, schema in enumerate(schemas or ())]
    is_empty_wrong = rule.schema.get("empty") is False
    complain, empty = rule.complaint("tuple"), rule.complaint("tupleEmpty")
    wrong_length = rule.complaint("tupleLength", len(made))

    def begin(value: Any, field: str | None, errors: Errors, label: str | None) -> list[Any] | None:
        if not isinstance(value, list | tuple):
            complain(errors, field, label, value)
            return None
        if not value and is_empty_wrong:
            empty(errors, field, label, value)
        elif value and made and len(value) != len(made):
            wrong_length(errors, field, label, len(value))
        return value if isinstance(value, list) else list(value)

    def steps(items: list[Any]) -> list[Step]:
        return made if len(items) == len(made) else []

    return _with_steps(compiler, rule, begin, steps)


def _with_steps(
    compiler: Compiler,
    rule: Rule,
    begin: Callable[[Any, str | None, Errors, str | None], list[Any] | None],
    steps: Callable[[list[Any]], list[Step]],
) -> Check:
    """A check that begins with a look at the whole list, and goes on with a step for each item."""

    def check(value: Any, field: str | None, parent: Any, errors: Errors, run: Run, label: str | None) -> Any:
        items = begin(value, field, errors, label)
        if items is None:
            return value
        for place, (check_item, absent, custom, _, _) in enumerate(steps(items)):
            item = items[place]
            if item is None or item is UNDEFINED:
                new = absent(item, field, parent, errors, run, label)
            else:
                new = check_item(item, f"{field or ''}[{place}]", parent, errors, run, None)
            if custom is not None:
                new = custom(new, field, errors, parent, run)
            if new is not item:
                items[place] = new
        return items

    async def wait(value: Any, field: str | None, parent: Any, errors: Errors, run: Run, label: str | None) -> Any:
        items = begin(value, field, errors, label)
        if items is None:
            return value
        for place, (check_item, absent, custom, is_async, _) in enumerate(steps(items)):
            item = items[place]
            if item is None or item is UNDEFINED:
                new = absent(item, field, parent, errors, run, label)
            else:
                new = check_item(item, f"{field or ''}[{place}]", parent, errors, run, None)
                new = await new if is_async else new
            if custom is not None:
                new = await custom.wait(new, field, errors, parent, run)
            if new is not item:
                items[place] = new
        return items

    rule.is_async = compiler.is_async
    return wait if rule.is_async else check


def _looks(rule: Rule) -> list[_Look]:
    """What is looked at in a whole array, in the npm package's order."""
    schema = rule.schema
    looks: list[_Look] = []

    def add(kind: str, fails: Callable[[list[Any]], bool], *, by_length: bool, **expected: Any) -> None:
        complain = rule.complaint(kind, **expected)

        def look(items: list[Any], field: str | None, errors: Errors, label: str | None) -> None:
            if fails(items):
                complain(errors, field, label, len(items) if by_length else items)

        looks.append(look)

    if schema.get("empty") is False:
        add("arrayEmpty", lambda items: not items, by_length=False)
    if rule.has("min"):
        low = rule.limit("min")
        add("arrayMin", lambda items: len(items) < low, by_length=True, expected=low)
    if rule.has("max"):
        high = rule.limit("max")
        add("arrayMax", lambda items: len(items) > high, by_length=True, expected=high)
    if rule.has("length"):
        exact = rule.limit("length")
        add("arrayLength", lambda items: not same(len(items), exact), by_length=True, expected=exact)
    if rule.has("contains"):
        part = plain(schema["contains"])
        found = one_of([part])
        add("arrayContains", lambda items: not any(map(found, items)), by_length=False, expected=part)
    if schema.get("unique") is True:
        looks.append(_unique(rule))
    if rule.has("enum"):
        looks.append(_only_of(rule))
    return looks


def _unique(rule: Rule) -> _Look:
    complain = rule.complaint("arrayUnique")

    def look(items: list[Any], field: str | None, errors: Errors, label: str | None) -> None:
        seen: set[tuple[str, Any]] = set()
        doubled: dict[tuple[str, Any], Any] = {}
        for item in items:
            key = _identity(item)
            if key in seen:
                doubled.setdefault(key, item + 0 if is_number(item) else item)  # a Set has no -0
            elif is_number(item) and item != item:  # noqa: PLR0124 - indexOf() never finds NaN
                doubled[key] = item
            seen.add(key)
        if len(items) > len(seen):
            complain(errors, field, label, items, list(doubled.values()))

    return look


def _only_of(rule: Rule) -> _Look:
    allowed = one_of(rule.choices("enum"))
    complain = rule.complaint("arrayEnum", choices_text(rule.schema["enum"]))

    def look(items: list[Any], field: str | None, errors: Errors, label: str | None) -> None:
        for item in items:
            if not allowed(item):
                complain(errors, field, label, item)

    return look


def _identity(value: Any) -> tuple[str, Any]:
    """Equal for what a JavaScript Set takes for the same."""
    if isinstance(value, str):
        return "text", value
    if is_number(value):
        number = double(value)
        return ("number", number) if number == number else ("NaN", None)  # noqa: PLR0124 - NaN
    return "other", id(value)
