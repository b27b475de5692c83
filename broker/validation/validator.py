"""Compiles schemas: what of this package others use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from broker.validation.compiler import Compiler
from broker.validation.errors import SchemaError
from broker.validation.javascript.values import UNDEFINED
from broker.validation.language import clone
from broker.validation.messages import MESSAGES, fill
from broker.validation.options import ValidatorOptions
from broker.validation.rule import Errors, Rule, RuleMaker, Run
from broker.validation.rules import RULES


class Checker:
    """A compiled schema.

    Attributes:
        is_async: Whether it has custom functions that may be waited for: then only `wait` may be used.
    """

    def __init__(self, rule: Rule, compiler: Compiler) -> None:
        self.is_async = compiler.is_async
        step = compiler.step(rule, "")
        self._check, self._absent, self._custom = step.check, step.absent, step.custom
        self._is_check_async = step.is_async
        self._label = rule.schema.get("label") or None
        self._removes = compiler.removes

    def __call__(self, value: Any, meta: Any = None) -> Errors:
        """Check a value, and sanitize what is in it, in place.

        Args:
            value: Anything; where it is a text or a number itself, its sanitized form is lost, as in JavaScript.
            meta: For custom functions, as ``run.meta``.

        Returns:
            What is wrong, in the order in which it was found; empty when all is right.
        """
        errors: Errors = []
        run = Run(value, meta)
        seen = value
        if value is None or value is UNDEFINED:
            seen = self._absent(value, None, None, errors, run, self._label)
        else:
            self._check(value, None, None, errors, run, self._label)
        if self._custom is not None:
            self._custom(seen, None, errors, None, run)
        return self._end(value, errors)

    async def wait(self, value: Any, meta: Any = None) -> Errors:
        """The same for a schema with ``$$async``."""
        errors: Errors = []
        run = Run(value, meta)
        seen = value
        if value is None or value is UNDEFINED:
            seen = self._absent(value, None, None, errors, run, self._label)
        else:
            result = self._check(value, None, None, errors, run, self._label)
            if self._is_check_async:
                await result
        if self._custom is not None:
            await self._custom.wait(seen, None, errors, None, run)
        return self._end(value, errors)

    def _end(self, value: Any, errors: Errors) -> Errors:
        if self._removes:
            _clear(value)
        if errors:
            fill(errors)
        return errors


class Validator:
    """The fastest-validator language.

    Attributes:
        options: As given.
        rules: By type: what makes their checks. Plugins may add some.
        messages: By type of error. Plugins may change some.
    """

    def __init__(
        self, options: ValidatorOptions | None = None, plugins: list[Callable[[Validator], object]] | None = None
    ) -> None:
        """Begin.

        Args:
            options: The npm package's.
            plugins: Called with this validator, in turn.

        Raises:
            SchemaError: An alias has the name of a rule.
        """
        self.options = options or ValidatorOptions()
        self.rules: dict[str, RuleMaker] = dict(RULES)
        self.messages: dict[str, Any] = {**MESSAGES, **self.options.messages}
        for name in self.options.aliases:
            if name in self.rules:
                raise SchemaError(f"alias {name!r} has the name of a rule, expected another name")
        for plugin in plugins or ():
            plugin(self)

    def compile(self, schema: Any) -> Checker:
        """Make a check of a schema.

        Args:
            schema: An object of rules, or a list of alternatives. It is not changed.

        Raises:
            SchemaError: It is no schema; says where and what was expected.
        """
        if not isinstance(schema, Mapping | list | tuple):
            raise SchemaError(f"a schema is {schema!r}, expected an object of rules or a list of alternatives")
        root: Any = clone(schema)
        is_object = isinstance(root, dict)
        is_async = is_object and root.pop("$$async", None) is True
        compiler = Compiler(self.options, self.rules, self.messages, is_async=is_async)
        if is_object and root.get("$$root") is not True:
            properties = {name: rule for name, rule in root.items() if not str(name).startswith("$$")}
            root = {"type": "object", "strict": root.get("$$strict", UNDEFINED), "properties": properties}
        elif not is_object:
            root = compiler.rule(root).schema
        return Checker(compiler.rule(root), compiler)

    def validate(self, value: Any, schema: Any) -> Errors:
        """Compile a schema and check a value with it, once."""
        return self.compile(schema)(value)


def _clear(value: Any) -> None:
    """Take away what a rule made UNDEFINED: keys go, in lists None stands instead, as JSON would have it."""
    if isinstance(value, dict):
        for key in [key for key, item in value.items() if item is UNDEFINED]:
            del value[key]
        for item in value.values():
            _clear(item)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            if item is UNDEFINED:
                value[place] = None
            else:
                _clear(item)
