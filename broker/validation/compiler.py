"""From a schema in any of its forms to rules, and from rules to checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from broker.validation.absence import Absent, absence
from broker.validation.customs import Custom, make_custom
from broker.validation.errors import SchemaError
from broker.validation.javascript.values import UNDEFINED, same
from broker.validation.language import lay_under, read_shorthand
from broker.validation.options import ValidatorOptions
from broker.validation.rule import Check, Errors, Rule, RuleMaker, Run


class Step(NamedTuple):
    """What a rule that holds others does with one value in it.

    Attributes:
        check: For a value that is there.
        absent: For one that is not.
        custom: What comes after either, or None.
        is_async: Whether `check` gives an awaitable.
        label: What the rule calls its field.
    """

    check: Check
    absent: Absent
    custom: Custom | None
    is_async: bool
    label: str | None


class Compiler:
    """Compiles one schema.

    Attributes:
        options: The validator's.
        is_async: Whether the schema has custom functions that may be waited for.
        removes: Whether a rule makes a value UNDEFINED, which must be cleared away in the end.
    """

    def __init__(
        self, options: ValidatorOptions, rules: Mapping[str, RuleMaker], messages: Mapping[str, Any], *, is_async: bool
    ) -> None:
        self.options = options
        self.is_async = is_async
        self.removes = False
        self._rules = rules
        self._messages = messages
        self._known: dict[int, Rule] = {}
        self._count = 0

    def rule(self, schema: Any) -> Rule:
        """A rule in any form as a rule in long form; the schema is changed where JavaScript changes it.

        Raises:
            SchemaError: It is no rule.
        """
        resolved = self._resolved(schema)
        alias = self.options.aliases.get(_text(resolved.get("type")))
        if alias is not None:
            resolved.pop("type", None)
            lay_under(resolved, alias)
        name = resolved.get("type")
        make = self._rules.get(_text(name))
        if make is None:
            found = "has no 'type'" if name is None else f"has the unknown type {name!r}"
            raise SchemaError(f"a rule {found}, expected one of {', '.join(sorted(self._rules))}")
        own = resolved.get("messages")
        messages = {**self._messages, **(own if isinstance(own, dict) else {})}
        lay_under(resolved, self.options.defaults.get(_text(name)))
        return Rule(resolved, messages, make)

    def step(self, rule: Rule, path: str) -> Step:
        """Compile a rule that stands in another.

        Raises:
            SchemaError: One of its options is wrong.
        """
        known = self._known.get(id(rule.schema))
        if known is not None:
            return self._again(known)
        self._known[id(rule.schema)] = rule
        rule.index = self._count
        self._count += 1
        try:
            rule.check = rule.make(self, rule, path)
            custom = self.custom(rule, "custom", path)
        except SchemaError as error:
            raise error.at(path) from None
        return Step(rule.check, self._absence(rule), custom, rule.is_async, rule.schema.get("label"))

    def child(self, schema: Any, path: str) -> Step:
        """Compile a part of a schema.

        Args:
            schema: In any form.
            path: Where it stands.

        Raises:
            SchemaError: It is no rule.
        """
        try:
            rule = self.rule(schema)
        except SchemaError as error:
            raise error.at(path) from None
        return self.step(rule, path)

    def custom(self, rule: Rule, option: str, path: str) -> Custom | None:
        """The custom functions in an option of a rule; None if there are none."""
        options = self.options
        is_new_style = options.use_new_custom_checker_function
        return make_custom(rule, option, path or "$$root", options.custom_functions, is_new_style=is_new_style)

    def _absence(self, rule: Rule) -> Absent:
        return absence(rule, null_is_a_value=self.options.consider_null_as_a_value)

    def _again(self, rule: Rule) -> Step:
        """A rule that is there twice, or within itself: a value is not checked by it while it already is."""
        index = rule.index

        def check(value: Any, field: str | None, parent: Any, errors: Errors, run: Run, label: str | None) -> Any:
            assert rule.check is not None  # noqa: S101 - compiled by the time anything is checked
            values = run.values_in(index)
            if any(same(each, value) for each in values):
                return value
            values.append(value)
            try:
                return rule.check(value, field, parent, errors, run, label)
            finally:
                values.pop()

        async def wait(value: Any, field: str | None, parent: Any, errors: Errors, run: Run, label: str | None) -> Any:
            assert rule.check is not None  # noqa: S101
            values = run.values_in(index)
            if any(same(each, value) for each in values):
                return value
            values.append(value)
            try:
                result = rule.check(value, field, parent, errors, run, label)
                return await result if rule.is_async else result
            finally:
                values.pop()

        made: Callable[..., Any] = wait if self.is_async else check
        return Step(made, self._absence(rule), None, self.is_async, rule.schema.get("label"))

    def _resolved(self, schema: Any) -> dict[str, Any]:
        if isinstance(schema, str):
            schema = self._from_shorthand(schema)
        elif isinstance(schema, list):
            schema = self._alternatives(schema)
        if not isinstance(schema, dict):
            raise SchemaError(f"a rule is {schema!r}, expected a text, a list of rules or an object with a 'type'")
        if schema.get("$$type"):
            shorthand = self.rule(schema.pop("$$type")).schema
            properties = dict(schema)
            schema.clear()
            lay_under(schema, shorthand)
            schema["props"] = properties
        return schema

    def _from_shorthand(self, text: str) -> dict[str, Any]:
        name, options = read_shorthand(text)
        is_array = name.endswith("[]")
        schema = self.rule({"type": "array", "items": name[:-2]}).schema if is_array else {"type": name}
        return schema | options

    def _alternatives(self, rules: list[Any]) -> dict[str, Any]:
        if not rules:
            raise SchemaError("a list of alternatives is empty, expected at least one rule")
        schema: dict[str, Any] = {"type": "multi", "rules": rules}
        if all(self.rule(each).schema.get("optional") is True for each in rules):
            schema["optional"] = True
        wanted = not self.options.consider_null_as_a_value
        if all(self.rule(each).schema.get("nullable", UNDEFINED) is wanted for each in rules):
            schema["nullable"] = wanted
        return schema


def _text(name: Any) -> str:
    return name if isinstance(name, str) else ""
