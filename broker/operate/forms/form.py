"""A form as a whole: its fields, what it starts with, what is wrong with a value."""

from __future__ import annotations

from typing import Any, Final

from broker.operate.forms.field import Field
from broker.operate.forms.judge import Judge, Problem
from broker.operate.forms.reading import read_schema
from broker.operate.forms.templates import IsTemplate, is_template
from broker.operate.forms.unions import alternative_of, start_of
from broker.validation import UNDEFINED, SchemaError

ANYTHING: Final = Field("", "any", "any", {"type": "any", "optional": True, "nullable": True}, is_required=False)


class Form:
    """What can be filled in for an action.

    Attributes:
        field: The whole: mostly an object with a field for each parameter.
        broken: Why there is no form but JSON only, in a sentence; empty when there is one.
    """

    def __init__(self, schema: object) -> None:
        """Read a schema. Never raises.

        Args:
            schema: The ``params`` of an action or event as INFO carries them; None where it has none.
        """
        self.broken = ""
        if schema is None:
            self.field, self.broken = ANYTHING, "This action does not say what parameters it takes."
        elif schema == {}:
            self.field, self.broken = ANYTHING, "This action checks no parameters: it takes whatever it is sent."
        else:
            self._read(schema)
        self.judge = Judge(self.field)

    def _read(self, schema: object) -> None:
        try:
            self.field = read_schema(schema)
            Judge(self.field)
        except SchemaError as error:
            where = f" at '{error.path}'" if error.path else ""
            self.field = ANYTHING
            self.broken = f"Its schema cannot be read as one of fastest-validator's{where}: {error.message}."
        except RecursionError:
            self.field, self.broken = ANYTHING, "Its schema nests too deep to be read."

    def start(self) -> Any:
        """What is sent before anything is filled in: an object with those objects and lists that must be there.

        None where the whole is one text or number: a node takes null for an empty object.
        """
        begun = start_of(self.field)
        if begun is not UNDEFINED:
            return begun
        return {} if self.field.kind in ("object", "any", "union") else None

    def problems(self, value: Any, is_variable: IsTemplate = is_template) -> list[Problem]:
        """What the service would refuse, as far as INFO says; nothing where a variable stands."""
        return self.judge.problems(value, is_variable)

    def alternative_of(self, union: Field, value: Any) -> int:
        """Which alternative of a union a value is meant to be."""
        return alternative_of(self.judge, union, value)
