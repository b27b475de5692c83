"""Custom functions in schemas: checks and defaults written in Python."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from broker.validation.errors import SchemaError
from broker.validation.javascript.values import UNDEFINED
from broker.validation.language import read_shorthand
from broker.validation.rule import Errors, Rule, Run

Function = Callable[..., Any]
_Call = Callable[[Any, Errors, Any, Run], Any]


def positional_count(function: Function, most: int) -> int:
    """How many of up to `most` arguments a function wants: those it cannot do without."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return min(1, most)
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return most
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(most, sum(each.kind in positional and each.default is each.empty for each in parameters))


class Custom:
    """What is done with a value by functions of the schema's author.

    A function is called as ``(value, errors, schema, path, parent, run)``, with as many of these as it takes. It gives
    the value, and adds to `errors` what is wrong: dictionaries with ``type``, and whatever else the error shall say. A
    value that is absent is None to it, and stays absent if it gives None.
    """

    def __init__(self, rule: Rule, path: str, calls: list[_Call], *, gives_errors: bool) -> None:
        self._rule = rule
        self._path = path
        self._calls = calls
        self._gives_errors = gives_errors

    def __call__(self, value: Any, field: str | None, errors: Errors, parent: Any, run: Run) -> Any:
        """The value as the functions left it; what they found is added to `errors`."""
        found: Errors = []
        for call in self._calls:
            value = self._taken(value, call(None if value is UNDEFINED else value, found, parent, run), found)
        self._report(found, field, errors)
        return value

    async def wait(self, value: Any, field: str | None, errors: Errors, parent: Any, run: Run) -> Any:
        """The same with functions that may be coroutine functions."""
        found: Errors = []
        for call in self._calls:
            result = call(None if value is UNDEFINED else value, found, parent, run)
            if isinstance(result, Awaitable):
                result = await result
            value = self._taken(value, result, found)
        self._report(found, field, errors)
        return value

    def _taken(self, value: Any, result: Any, found: Errors) -> Any:
        if self._gives_errors:
            found.extend(result if isinstance(result, list) else ())
            return value
        return UNDEFINED if value is UNDEFINED and result is None else result

    def _report(self, found: Errors, field: str | None, errors: Errors) -> None:
        for error in found:
            full: dict[str, Any] = {}
            message = self._rule.messages.get(error.get("type", ""), UNDEFINED)
            if message is not UNDEFINED:
                full["message"] = message
            if field is not None:
                full["field"] = field
            errors.append(full | error)


def make_custom(
    rule: Rule, option: str, path: str, functions: Mapping[str, Function], *, is_new_style: bool
) -> Custom | None:
    """The custom functions of a rule; None when it has none.

    Args:
        rule: The rule.
        option: Which option holds them: ``custom`` or ``check``.
        path: Where the rule stands, as the functions are told.
        functions: Those that a schema may name.
        is_new_style: Whether they give the value and add errors; if not, they give a list of errors.

    Raises:
        SchemaError: A function is named that is not there.
    """
    given = rule.schema.get(option)
    if callable(given):
        return Custom(rule, path, [_bound(given, rule.schema, path, is_new_style)], gives_errors=not is_new_style)
    if not isinstance(given, list):
        return None
    calls = []
    for index, each in enumerate(given if is_new_style else ()):
        if callable(each):
            calls.append(_bound(each, rule.schema, path, is_new_style))
            continue
        options = each
        if isinstance(each, str):
            kind, rest = read_shorthand(each)
            options = given[index] = {"type": kind, **rest}
        name = options.get("type") if isinstance(options, Mapping) else None
        if not isinstance(name, str) or name not in functions:
            raise SchemaError(f"'{option}' names {name!r}, expected a function or one of {sorted(functions)}")
        schema = {**rule.schema, "custom": options, "index": index}
        calls.append(_bound(functions[name], schema, path, is_new_style))
    return Custom(rule, path, calls, gives_errors=False)


def _bound(function: Function, schema: dict[str, Any], path: str, is_new_style: bool) -> _Call:
    if is_new_style:
        count = max(1, positional_count(function, 6))
        return lambda value, found, parent, run: function(*(value, found, schema, path, parent, run)[:count])
    count = max(1, positional_count(function, 5))
    return lambda value, _found, parent, run: function(*(value, schema, path, parent, run)[:count])
