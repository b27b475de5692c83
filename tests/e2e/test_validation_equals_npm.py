"""Our validation says what the npm package says: verdict, errors and sanitized value, for thousands of schemas.

``VALIDATION_SEED`` chooses others than those of every day, ``VALIDATION_PAIRS`` how many.
"""

from __future__ import annotations

import asyncio
import copy
import os
import random
from typing import Any

import pytest

from broker.validation import SchemaError, Validator, ValidatorOptions
from tests.e2e.npm_validator import FUNCTIONS, NpmValidator, alike, canonical, decode, encode
from tests.e2e.validation_schemas import any_options, any_schema
from tests.e2e.validation_values import any_value, likely

pytestmark = pytest.mark.usefixtures("moleculerjs")

PAIRS = int(os.environ.get("VALIDATION_PAIRS", "20000"))
SEED = int(os.environ.get("VALIDATION_SEED", "3"))
VALUES_PER_SCHEMA = 5
SLIPS = (
    "value.match is not a function",  # a currency that is no text: for us wrong, unless another rule of a multi holds
    "Cannot read properties of null (reading '",  # equal to a field beside it, where there is nothing beside it
    "reading 'call'",  # a list of custom functions at the root: the package mixes up which of them is which
)
OUR_NAMES = {
    "messages": "messages",
    "defaults": "defaults",
    "aliases": "aliases",
    "customFunctions": "custom_functions",
    "haltOnFirstError": "halt_on_first_error",
    "considerNullAsAValue": "consider_null_as_a_value",
}


def ours(schema: Any, values: list[Any], options: dict[str, Any]) -> dict[str, Any]:
    """What we say, in the form of ``validate.js``."""
    validator = Validator(ValidatorOptions(**{OUR_NAMES[name]: value for name, value in options.items()}))
    try:
        check = validator.compile(schema)
    except SchemaError as error:
        return {"refused": str(error)}
    results = []
    for value in values:
        errors = asyncio.run(check.wait(value)) if check.is_async else check(value)
        results.append({"errors": encode(errors), "value": encode(value)})
    return {"results": results}


def disagreement(theirs: dict[str, Any], mine: dict[str, Any]) -> str | None:
    """What differs between two answers, or None."""
    if "refused" in theirs:
        if theirs["refused"].startswith("SyntaxError"):
            return None  # a text of the schema broke the code that the package generates from it
        return None if "refused" in mine else f"only npm refuses: {theirs['refused']}"
    for number, their in enumerate(theirs["results"]):
        if "refused" in mine:
            # what is written into the generated code as the name of nothing is noticed when that runs
            if "ReferenceError" not in their.get("threw", ""):
                return f"only we refuse: {mine['refused']}"
            continue
        my = mine["results"][number]
        if "threw" in their:
            if not my["errors"] and not any(slip in their["threw"] for slip in SLIPS):
                return f"npm throws at value {number}: {their['threw']}, we find nothing wrong"
            continue
        if "Invalid Date" in str(their) or "'ms': None" in str(their["errors"]):
            continue  # a function or an error was shown a date that is none, which Python has not
        for what in ("errors", "value"):
            if not alike(canonical(their[what]), canonical(my[what])):
                return f"{what} of value {number}:\n  npm  {their[what]}\n  ours {my[what]}"
    return None


def cases(rng: random.Random, count: int) -> list[tuple[Any, list[Any], dict[str, Any]]]:
    """Schemas, some values for each, and options."""
    made = []
    for _ in range(count):
        schema, options = any_schema(rng), any_options(rng)
        is_rule = isinstance(schema, list | str) or "$$root" in schema
        root = schema if is_rule else {"type": "object", "props": schema}
        values = [likely(rng, root) if rng.random() < 0.9 else any_value(rng) for _ in range(VALUES_PER_SCHEMA)]
        made.append((schema, decode(encode(values)), options))  # no two values share anything
    return made


def test_random_schemas_and_values_give_the_same_verdict_errors_and_sanitized_value() -> None:
    rng = random.Random(SEED)
    print(f"VALIDATION_SEED={SEED} VALIDATION_PAIRS={PAIRS}")  # noqa: T201 - shown when it fails
    with NpmValidator() as npm:
        for _ in range(0, PAIRS, 500 * VALUES_PER_SCHEMA):
            batch = cases(rng, 500)
            questions = [{"schema": encode(s), "values": encode(v), "options": encode(o)} for s, v, o in batch]
            for (schema, values, options), theirs in zip(batch, npm.run(questions), strict=True):
                shown = copy.deepcopy(values)
                difference = disagreement(theirs, ours(schema, values, options))
                assert difference is None, f"{difference}\nschema {schema}\nvalues {shown}\noptions {options}"


TREE = {"type": "object", "props": {"name": "string|trim", "child": None, "twin": None}}
SAME = [
    # one rule at several places, within itself, and beside itself
    (
        {"a": {"type": "string", "min": 3}, "b": None},
        [[["a"], ["b"]]],
        [{"a": "abc", "b": "ab"}, {"a": "", "b": None}, {}],
    ),
    (
        {"t": {**TREE, "optional": True}},
        [[["t"], ["t", "props", "child"]], [["t"], ["t", "props", "twin"]]],
        [
            {"t": {"name": " a ", "child": {"name": " b ", "child": {"name": 5}}, "twin": {"name": "c"}}},
            {"t": {"name": 1, "twin": {}}},
            {},
        ],
    ),
    ({"a": {"type": "string", "custom": FUNCTIONS["twice"]}, "b": None}, [[["a"], ["b"]]], [{"a": "x", "b": "y"}]),
]


@pytest.mark.parametrize(("schema", "same", "values"), SAME)
def test_one_rule_at_several_places_is_what_it_is_in_the_npm_package(
    schema: dict[str, Any], same: list[Any], values: list[Any]
) -> None:
    question = {"schema": encode(schema), "values": encode(values), "options": {}, "same": same}
    shared = copy.deepcopy(schema)
    for source, target in same:
        _at(shared, target[:-1])[target[-1]] = _at(shared, source)
    with NpmValidator() as npm:
        (theirs,) = npm.run([question])
    assert disagreement(theirs, ours(shared, values, {})) is None


def _at(value: Any, path: list[str]) -> Any:
    for key in path:
        value = value[key]
    return value
