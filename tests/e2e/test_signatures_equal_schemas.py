"""What the published schema of a typed signature accepts in the npm package, the signature accepts; and the other way.

For values that JSON can carry. Exceptions, in which the signature refuses what its schema accepts: multiples
(``Meta(multiple_of=…)``), texts whose length differs in UTF-16 units, dates before the year 1 and after 9999, sets and
dicts with limits of their size, and types within themselves, which INFO carries once.
``VALIDATION_SEED`` chooses others than those of every day.
"""

from __future__ import annotations

import copy
import inspect
import json
import math
import random
from collections.abc import Callable
from typing import Any

from broker.node.published import published
from broker.validation import Validator
from broker.validation.signatures import signature_of
from tests.e2e.npm_validator import NpmValidator, encode
from tests.e2e.signature_types import any_default, any_type
from tests.e2e.test_validation_equals_npm import SEED, pytestmark
from tests.e2e.validation_values import any_value, likely

__all__ = ["pytestmark"]

SIGNATURES = 600
VALUES = 10
NAMES = ("a", "id", "name")


def any_function(rng: random.Random) -> Callable[..., Any]:
    """A function with typed parameters."""

    def function(ctx: Any, **arguments: Any) -> Any: ...

    parameters = [inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for name in NAMES[: rng.randrange(1, 4)]:
        kind = any_type(rng)
        default = any_default(rng, kind)
        given = {} if default is ... else {"default": default}
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, **given))
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return function


def as_json(value: Any) -> Any:
    """What JSON carries of a value; what it cannot carry becomes null."""

    def plain(each: Any) -> Any:
        if isinstance(each, float) and not math.isfinite(each):
            return None
        if isinstance(each, dict):
            return {key: plain(item) for key, item in each.items()}
        if isinstance(each, list):
            return [plain(item) for item in each]
        return each if isinstance(each, str | int | float | bool) else None

    return json.loads(json.dumps(plain(value)))


def test_a_signature_accepts_what_its_published_schema_accepts() -> None:
    rng = random.Random(SEED)
    print(f"VALIDATION_SEED={SEED}")  # noqa: T201 - shown when it fails
    validator, accepted = Validator(), 0
    cases = []
    for _ in range(SIGNATURES):
        function = any_function(rng)
        signature = signature_of(function)
        assert signature is not None
        schema = published(signature.schema)
        root = {"type": "object", "props": schema}
        values = [as_json(likely(rng, root, 6) if rng.random() < 0.95 else any_value(rng)) for _ in range(VALUES)]
        cases.append((function, signature, schema, values))
    with NpmValidator() as npm:
        answers = npm.run([{"schema": encode(s), "values": encode(v), "options": {}} for _, _, s, v in cases])
    for (function, signature, schema, values), answer in zip(cases, answers, strict=True):
        check = validator.compile(signature.schema)
        for value, their in zip(values, answer["results"], strict=True):
            shown = copy.deepcopy(value)
            errors = check(value) or (signature.arguments(value)[1] if value is not None else [])
            if errors and "of length" in errors[0]["message"] and max(str(shown)) > "\uffff":
                continue  # a text that JavaScript finds longer
            says = f"{inspect.signature(function)}\n{schema}\nvalue {shown}\nnpm {their}\nours {errors}"
            assert bool(errors) == bool(their["errors"]), says
            accepted += not errors
    assert accepted > SIGNATURES * VALUES / 8
