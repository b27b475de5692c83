"""The npm package fastest-validator in a process of its own, and how values are told to it that JSON cannot carry."""

from __future__ import annotations

import datetime
import json
import math
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from broker.validation import UNDEFINED
from broker.validation.javascript.coercion import text_of
from broker.validation.javascript.dates import date_of_milliseconds, milliseconds_of
from broker.validation.javascript.values import double, is_number, length_of

JS = Path(__file__).parent / "js"


class ObjectID:
    """As MongoDB's class, for the rule of that name; ``validate.js`` has the same."""

    def __init__(self, text: str) -> None:
        self.text = text

    @staticmethod
    def is_valid(value: object) -> bool:
        return isinstance(value, str) and re.fullmatch("[0-9a-fA-F]{24}", value) is not None


def short(value: Any, errors: list[Any]) -> Any:
    if length_of(text_of(value)) > 3:
        errors.append({"type": "stringMax", "expected": 3, "actual": value})
    return value


def twice(value: Any) -> Any:
    if isinstance(value, str):
        return value + value
    return double(value) + double(value) if is_number(value) else value


async def later(value: Any) -> Any:
    return twice(value)


def unknown(value: Any, errors: list[Any], _schema: Any, path: str) -> Any:
    errors.append({"type": "nobodyKnows", "message": "Bad {field} at " + path, "actual": 1})
    return value


def seven() -> int:
    return 7


def named(schema: dict[str, Any], field: str) -> list[Any]:
    return [schema["type"], field]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    each.__name__: each for each in (short, twice, later, unknown, seven, named)
}


def encode(value: Any) -> Any:
    """A value, or a schema, for ``validate.js``."""
    if value is UNDEFINED:
        return {"$": "undefined"}
    if isinstance(value, type):
        return {"$": "class", "name": value.__name__}
    if isinstance(value, datetime.date):
        return {"$": "date", "ms": milliseconds_of(value)}
    if callable(value):
        return {"$": "function", "name": value.__name__}
    if isinstance(value, ObjectID):
        return {"$": "id", "text": value.text}
    if is_number(value):
        number = double(value)
        if not math.isfinite(number) or (number == 0 and math.copysign(1, number) < 0):
            text = {math.inf: "Infinity", -math.inf: "-Infinity", 0: "-0"}.get(number, "NaN")
            return {"$": "number", "text": text}
        return number
    if isinstance(value, dict):
        if "$" in value:
            return {"$": "object", "pairs": [[key, encode(each)] for key, each in value.items()]}
        return {key: encode(each) for key, each in value.items()}
    if isinstance(value, list):
        return [encode(each) for each in value]
    return value


def decode(value: Any) -> Any:
    """What ``validate.js`` says, back as ours."""
    if isinstance(value, list):
        return [decode(each) for each in value]
    if not isinstance(value, dict):
        return value
    match value.get("$"):
        case None:
            return {key: decode(each) for key, each in value.items()}
        case "undefined":
            return UNDEFINED
        case "object":
            return {key: decode(each) for key, each in value["pairs"]}
        case "id":
            return ObjectID(value["text"])
        case "number":
            return float(value["text"].replace("Infinity", "inf"))
        case "date":
            return date_of_milliseconds(value["ms"]) if value["ms"] is not None else UNDEFINED
    return value


def canonical(value: Any) -> Any:
    """What JSON would make of an encoded value: absent keys are gone, in lists they are null; numbers are doubles."""
    if isinstance(value, dict):
        if value.get("$") == "undefined":
            return None
        if value.get("$") == "object":
            return {"$": "object", "fields": canonical(dict(value["pairs"]))}
        pairs = {key: each for key, each in value.items() if each != {"$": "undefined"}}
        return {key: canonical(each) for key, each in pairs.items()}
    if isinstance(value, list):
        return [canonical(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def alike(theirs: Any, mine: Any) -> bool:
    """Whether two canonical values are the same; where JavaScript has an invalid date, we still have what was given."""
    if theirs == {"$": "date", "ms": None}:
        return True
    if isinstance(theirs, dict) and isinstance(mine, dict):
        return theirs.keys() == mine.keys() and all(alike(theirs[key], mine[key]) for key in theirs)
    if isinstance(theirs, list) and isinstance(mine, list):
        return len(theirs) == len(mine) and all(map(alike, theirs, mine))
    return type(theirs) is type(mine) and bool(theirs == mine)


class NpmValidator:
    """The process; use it with ``with``."""

    def __enter__(self) -> Self:
        environment = {**os.environ, "TZ": "UTC"}
        self._process = subprocess.Popen(
            ["node", "validate.js"], cwd=JS, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def run(self, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Ask about some schemas at once.

        Args:
            questions: ``schema``, ``values`` and ``options``, encoded.

        Returns:
            For each ``refused``, or ``results``: for each value ``threw``, or ``errors`` and ``value``, encoded.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(questions) + "\n")
        self._process.stdin.flush()
        answers: list[dict[str, Any]] = json.loads(self._process.stdout.readline())
        return answers
