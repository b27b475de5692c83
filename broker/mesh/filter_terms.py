"""The filter language: what a filter says, as a tree; its fields, values and comparisons."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from broker.mesh.filter_lexer import FilterError, Token, quoted
from broker.mesh.names import error_code
from broker.mesh.patterns import glob
from broker.observe.journal import Outcome

FieldKind = Literal["text", "error", "outcome", "duration", "number"]
Operator = Literal["=", "!=", "~", ">", ">=", "<", "<="]
ORDERING: Final = frozenset({">", ">=", "<", "<="})

OUTCOMES: Final = tuple(outcome.name.lower() for outcome in Outcome)
OUTCOME_ALIASES: Final = {"timeout": "timed_out", "timedout": "timed_out", "error": "failed", "noanswer": "no_answer"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a filter may ask for.

    Attributes:
        kind: How its values compare.
        note: What it is, for people.
        example: A value of it.
    """

    kind: FieldKind
    note: str
    example: str


FIELDS: Final = {
    "action": Field("text", "full name of the action", "v2.orders.get"),
    "service": Field("text", "full name of the called service", "v2.orders"),
    "node": Field("text", "node id, at either end", "shop-1"),
    "source": Field("text", "node id of the sender", "shop-1"),
    "target": Field("text", "node id of the receiver", "shop-1"),
    "caller": Field("text", "calling service, or node:ID outside services", "api"),
    "error": Field("error", "code, type or name of the error", "504"),
    "duration": Field("duration", "request to closing answer", "200ms"),
    "outcome": Field("outcome", "how the call ended", "failed"),
    "namespace": Field("text", "namespace of the mesh", "prod"),
    "level": Field("number", "depth of the call in its trace, from 1", "2"),
    "event": Field("text", "name of the event", "order.created"),
    "type": Field("text", "packet type", "REQ"),
    "rate": Field("number", "calls per second (boxes of the graph)", "10"),
    "errors": Field("number", "failed calls in percent (boxes of the graph)", "5%"),
    "p50": Field("duration", "half of the calls are faster (boxes of the graph)", "20ms"),
    "p90": Field("duration", "nine calls in ten are faster (boxes of the graph)", "50ms"),
    "p99": Field("duration", "99 calls in 100 are faster (boxes of the graph)", "200ms"),
}

WORD_FIELDS: Final = ("action", "service", "source", "target", "node", "caller", "event")
"""Where a bare word is looked for."""

_NUMBER = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(ns|us|µs|μs|ms|s|min|m|h|%|/s)?", re.IGNORECASE | re.ASCII)
_UNITS_MS: Final = {
    "ns": 1e-6, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4, "m": 6e4, "h": 3.6e6, "": 1.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compare:
    """A field compared with a value."""

    field: str
    operator: Operator
    value: str

    @property
    def kind(self) -> FieldKind:
        """How its values compare."""
        return FIELDS[self.field].kind

    @property
    def is_numeric(self) -> bool:
        """Whether numbers are compared, of calls or of error codes."""
        return self.kind in {"duration", "number"} or (self.kind == "error" and self.operator in ORDERING)

    def __str__(self) -> str:
        return f"{self.field} {self.operator} {quoted(self.value)}"


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word: contained in a name, or with ``*`` or ``?`` all of one."""

    text: str

    def __str__(self) -> str:
        return quoted(self.text)


@dataclass(frozen=True, slots=True)
class Not:
    """All but these."""

    part: Expression

    def __str__(self) -> str:
        return f"not ({self.part})" if isinstance(self.part, And | Or) else f"not {self.part}"


@dataclass(frozen=True, slots=True)
class And:
    """What is in all of these. No part is an And itself."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " and ".join(f"({part})" if isinstance(part, Or) else str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """What is in any of these. No part is an Or itself."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " or ".join(str(part) for part in self.parts)


Expression = Compare | Word | Not | And | Or


def number_of(kind: FieldKind, value: str) -> float | None:
    """What a value means as a number: durations in ms, percent as they stand. None where it is none."""
    found = _NUMBER.fullmatch(value)
    if found is None:
        return None
    unit = (found[2] or "").lower()
    if kind == "duration":
        return float(found[1]) * _UNITS_MS[unit] if unit in _UNITS_MS else None
    return float(found[1]) if unit in {"", "%", "/s"} else None


def outcome_of(value: str) -> str:
    """The name of an outcome, as people may write it: ``timeout`` and ``timed-out`` are ``timed_out``."""
    name = value.lower().replace("-", "_").replace(" ", "_")
    return OUTCOME_ALIASES.get(name, name)


def checked(compare: Compare, operator: Token, value: Token) -> Compare:
    """A comparison that makes sense; FilterError for others."""
    kind, field = compare.kind, compare.field
    example = FIELDS[field].example
    if compare.operator in ORDERING and kind in {"text", "outcome"}:
        raise FilterError(
            f"'{compare.operator}' compares numbers and {field} is a text: expected =, != or ~",
            operator.start,
            operator.end - operator.start,
        )
    if compare.operator == "~" and kind in {"duration", "number"}:
        raise FilterError(f"'~' compares texts and {field} is a number: expected =, !=, >, >=, < or <=", operator.start)
    length = value.end - value.start
    if compare.is_numeric and number_of("number" if kind == "error" else kind, compare.value) is None:
        wanted = "a duration" if kind == "duration" else "a number"
        raise FilterError(f"'{compare.value}' is not {wanted}: expected one such as {example}", value.start, length)
    if kind == "outcome" and compare.operator != "~" and outcome_of(compare.value) not in OUTCOMES:
        raise FilterError(f"'{compare.value}' is not an outcome: expected {', '.join(OUTCOMES)}", value.start, length)
    return compare


def text_test(compare: Compare) -> Callable[[str], bool]:
    """Whether a text passes a comparison that is not numeric; ``!=`` is left to the caller as the opposite of ``=``."""
    if compare.operator == "~":
        return glob(compare.value)
    if compare.kind == "error":
        wanted = compare.value.casefold()
        return lambda text: wanted in error_parts(text)
    if compare.kind == "outcome":
        outcome = outcome_of(compare.value)
        return lambda text: text == outcome
    return lambda text: text == compare.value


def error_parts(text: str) -> set[str]:
    """What an error may be called, in lower case: of ``409|CONFLICT|X`` its parts and "409 conflict"; of none, ""."""
    lower = text.casefold()
    if not lower:
        return {""}
    parts = [part for part in lower.split("|") if part]
    return {lower, " ".join(parts[:2]), *parts}


def number_test(compare: Compare) -> Callable[[float], bool]:
    """Whether a number passes a numeric comparison; ``!=`` is left to the caller as the opposite of ``=``."""
    kind = compare.kind
    wanted = number_of("number" if kind == "error" else kind, compare.value) or 0.0
    return {
        "=": lambda number: number == wanted,
        "!=": lambda number: number == wanted,
        ">": lambda number: number > wanted,
        ">=": lambda number: number >= wanted,
        "<": lambda number: number < wanted,
        "<=": lambda number: number <= wanted,
    }[compare.operator]


def value_test(compare: Compare) -> Callable[[object], bool]:
    """Whether a value of any type passes a comparison; never raises. ``!=`` as in ``text_test``."""
    if not compare.is_numeric:
        test = text_test(compare)
        return lambda value: test(value if isinstance(value, str) else _written(value))
    of_number = number_test(compare)

    def passes(value: object) -> bool:
        if isinstance(value, str):
            code = error_code(value.replace(" ", "|"))
            return code is not None and of_number(code)
        return isinstance(value, int | float) and not isinstance(value, bool) and of_number(value)

    return passes


def _written(value: object) -> str:
    return "" if value is None else str(value)
