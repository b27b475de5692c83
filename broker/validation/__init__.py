"""The fastest-validator language: schemas of parameters, as MoleculerJS nodes publish and check them.

Pure, and usable without a node. Where it cannot say what the npm package says:

- A rule that the package cannot compile, or that throws when it runs, is a SchemaError here (a ``currency`` that is
  no text is an error of the value; a message with a quote in it is taken as it is).
- Dates before the year 1 and after 9999 are no dates; ``String(date)`` is in UTC.
- A property named like one that every JavaScript object has (``constructor``) is absent when it is absent.
- Patterns that Python's `re` has nothing for (lookbehind of varying length, the flag v) are a SchemaError.
- A value that a rule takes away (``forbidden|remove``) is absent afterwards, in a list None.
"""

from broker.validation.errors import SchemaError
from broker.validation.javascript.values import UNDEFINED
from broker.validation.options import ValidatorOptions
from broker.validation.rule import Errors, Run
from broker.validation.validator import Checker, Validator

__all__ = ["UNDEFINED", "Checker", "Errors", "Run", "SchemaError", "Validator", "ValidatorOptions"]
