"""Variables of a profile: what they are worth, in a text that is to be sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from broker.operate.calling.loose_json import Variable, replaced, variables_in


def no_secret(_name: str) -> str:
    """There is none."""
    return ""


@dataclass(frozen=True, slots=True)
class Values:
    """What variables are worth.

    Attributes:
        plain: Of those that are in the profile's file.
        secret_names: Those whose value the key store holds.
        secret_of: Asks the key store; "" for none. May take a while and ask the user: not on the GUI thread.
    """

    plain: Mapping[str, str] = field(default_factory=dict)
    secret_names: tuple[str, ...] = ()
    secret_of: Callable[[str], str] = field(default=no_secret, repr=False)


def missing(text: str, values: Values) -> list[str]:
    """Why variables of a text cannot be resolved, each name once; empty when all can. Does not ask the key store."""
    found: dict[str, None] = {}
    for variable in variables_in(text):
        known = values.secret_names if variable.is_secret else values.plain
        if variable.name not in known:
            what = "secret variable" if variable.is_secret else "variable"
            literal = f"{{{{{variable.written}}}}}"
            where = "has no value in this profile; set it, or write"
            found[f"{what} {variable.name} {where} {literal} for the text itself"] = None
    return list(found)


def resolve(text: str, values: Values) -> str:
    """The text with its variables replaced.

    Inside a longer JSON text a variable's letters stand. In the place of a
    value, in quotes or not, a plain one that is JSON itself is that value
    (``4711`` a number, ``"4711"`` with its quotes a text), and everything else
    a text. A secret is always a text, also if it looks like a number.

    Raises:
        LookupError: A variable has no value; names it.
    """

    def value_of(variable: Variable) -> str:
        value = values.secret_of(variable.name) if variable.is_secret else values.plain.get(variable.name)
        if value is None or (variable.is_secret and not value):
            where = "the key store" if variable.is_secret else "this profile"
            raise LookupError(f"{variable.written} has no value in {where}")
        as_text = json.dumps(value)
        if variable.is_in_text:
            return as_text[1:-1]
        return as_text if variable.is_secret or not _is_json(value) else value

    return replaced(text, value_of) if "{{" in text else text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
