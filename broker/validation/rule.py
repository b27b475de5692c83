"""What a schema is compiled to: rules, checks and the errors they find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from broker.validation.errors import SchemaError
from broker.validation.javascript.coercion import text_of
from broker.validation.javascript.literals import literal_number, literal_text
from broker.validation.javascript.values import UNDEFINED

if TYPE_CHECKING:
    from broker.validation.compiler import Compiler

Errors = list[dict[str, Any]]
"""What is wrong, in the order in which it was found: type, message, field, expected, actual, label."""


class Run:
    """One check of one value; custom functions get it as their context.

    Attributes:
        data: The whole value.
        meta: What the caller handed in: in a node, the call's context.
        open: For each rule that contains itself, the values that are being checked by it.
    """

    __slots__ = ("_set", "data", "meta", "open")

    def __init__(self, data: Any, meta: Any) -> None:
        self.data = data
        self.meta = meta
        self.open: dict[int, list[Any]] | None = None
        self._set: dict[int, dict[str, Any]] | None = None

    def fields_set_on(self, value: Any) -> dict[str, Any]:
        """What rules have set on an object that has no keys, such as a date: kept beside it while it is checked."""
        if self._set is None:
            self._set = {}
        return self._set.setdefault(id(value), {})

    def values_in(self, index: int) -> list[Any]:
        """The values that are being checked by a rule that contains itself."""
        if self.open is None:
            self.open = {}
        return self.open.setdefault(index, [])


Check = Callable[[Any, str | None, Any, Errors, Run, str | None], Any]
"""(value, its field, its parent, errors found so far, the run, its label): gives the value, sanitized.

Only called with values that are there: neither None nor UNDEFINED. In a schema with ``$$async`` it may give an
awaitable.
"""

Complain = Callable[..., None]
"""(errors, field, label, actual=..., expected=...): adds an error."""

RuleMaker = Callable[["Compiler", "Rule", str], Check]
"""What makes the check of a rule; the text says where in the schema it stands."""


@dataclass(slots=True, eq=False)
class Rule:
    """One rule of a schema, in long form.

    Attributes:
        schema: Its options.
        messages: By type of error; None where one was taken away.
        make: Makes its check.
        index: Its number within the schema.
        check: What was made; None while that is under way.
        is_async: Whether its check gives an awaitable.
    """

    schema: dict[str, Any]
    messages: dict[str, Any]
    make: RuleMaker
    index: int = -1
    check: Check | None = field(default=None, repr=False)
    is_async: bool = False

    def complaint(self, kind: str, expected: Any = UNDEFINED) -> Complain:
        """What adds an error of this rule.

        Args:
            kind: The error's type.
            expected: What it says was expected, unless told otherwise when it is added; UNDEFINED for nothing.
        """
        message = literal_text(text_of(self.messages.get(kind, UNDEFINED)))
        usually = expected

        def complain(
            errors: Errors, field: str | None, label: str | None, actual: Any = UNDEFINED, expected: Any = usually
        ) -> None:
            error: dict[str, Any] = {"type": kind, "message": message}
            if field is not None:
                error["field"] = field
            if expected is not UNDEFINED:
                error["expected"] = expected
            if actual is not UNDEFINED:
                error["actual"] = actual
            if label:
                error["label"] = label
            errors.append(error)

        return complain

    def has(self, option: str) -> bool:
        """Whether an option is given, and not as null."""
        value = self.schema.get(option, UNDEFINED)
        return value is not None and value is not UNDEFINED

    def limit(self, option: str) -> Any:
        """An option that must be a number.

        Raises:
            SchemaError: It is none.
        """
        return literal_number(self.schema[option], option)

    def choices(self, option: str) -> list[Any]:
        """An option that must be a list.

        Raises:
            SchemaError: It is none.
        """
        value = self.schema.get(option)
        if not isinstance(value, list):
            raise SchemaError(f"'{option}' of '{self.schema.get('type')}' is {value!r}, expected a list of values")
        return value
