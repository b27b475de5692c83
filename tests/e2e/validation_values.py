"""Values and texts that are likely to be checked wrongly, for the comparison of our validation with the npm package."""

from __future__ import annotations

import datetime
import math
import random
from collections.abc import Callable
from typing import Any

from broker.validation import UNDEFINED
from tests.e2e.npm_validator import ObjectID

Make = Callable[[random.Random], Any]

TEXTS = [
    *(
        "",
        " ",
        "a",
        "ab",
        "abc",
        "abcd",
        "A",
        "aB",
        "  abc  ",
        "\tabc\n",
        "\ufeffabc\ufeff",
        "\x85abc\x1f",
        "é",
        "ß",
        "İI",
        "ΑΣ",
    ),
    *(
        "ﬁ",
        "😀",
        "😀😀",
        "a😀b",
        "\ud83d",
        "ab\ncd",
        "abc\n",
        "0",
        "1",
        "-1",
        "-0",
        "1.5",
        "1e3",
        "0x10",
        "0b11",
        "0o7",
        " 12 ",
    ),
    *(
        "1_000",
        "Infinity",
        "-Infinity",
        "NaN",
        "nan",
        "true",
        "false",
        "on",
        "off",
        "True",
        "null",
        "undefined",
        "12px",
        "٣",
    ),
    *("9007199254740993", "1e400", ".5", "5.", "+5", "deadBEEF", "abc_-1", "YWJj", "YWI=", "YQ==", "a\\/=", "toString"),
    *(
        "a@b.c",
        "a@b",
        " A@B.CO ",
        '"x y"@b.co',
        "a@[1.2.3.4]",
        "a b@c.de",
        "é@é.é",
        "a@b.c\n",
        "a@b.co.",
        "john.doe@example.com",
    ),
    *("http://a", "https://x.y/z?q#h", "ftp://a", "http://", "HTTP://a", "http:// a", " http://a", "http://\u00a0"),
    *(
        "01:23:45:67:89:ab",
        "01-23-45-67-89-AB",
        "0123.4567.89ab",
        "01:23:45:67:89",
        "0012:23:45:67:89:ab",
        "01:23-45:67:89:ab",
    ),
    *(
        "10ba038e-48da-487b-96e8-8d3b99b6d18a",
        "00000000-0000-0000-0000-000000000000",
        "10ba038e-48da-987b-96e8-8d3b99b6d18a",
    ),
    *(
        "10ba038e-48da-487b-16e8-8d3b99b6d18a",
        "10BA038E-48DA-187B-16E8-8D3B99B6D18A",
        "10ba038e-48da-787b-b6e8-8d3b99b6d18a",
    ),
    *(
        "5105 1051 0510 5100",
        "4242 4242 4242 4242",
        "4242-4242-4242-4241",
        "0000",
        "x",
        "79927398713",
        "$1,234.56",
        "-$12",
        "$12",
        "12",
    ),
    *(
        "1,234,567.8",
        "1.234,56",
        "€5",
        "0.5",
        "1234",
        "$",
        "-",
        "1,23",
        "5f0c1d2e3b4a5968778695a4",
        "5F0C1D2E3B4A5968778695A",
    ),
    *(
        "2020-01-01",
        "2020-01-01T10:00:00Z",
        "2020-02-30",
        "2020-13-01",
        "2020-01-01T25:00:00",
        "Jan 1 2020",
        "1/2/2020",
        "x 5",
    ),
    *(
        "2020-01-01T10:00",
        "2020-01-01 10:00:00.123456",
        "Wed, 25 Nov 2026 18:30:15 GMT",
        "2020-1-1",
        "12:30",
        "1577836800000",
    ),
    *(
        "25 dec 1995 (x) 13:30 GMT+0130",
        "+009999-01-01",
        "2020-06-15T12:00:00+05:30",
        "8640000000000001",
        "99",
        "Tue 3 pm",
        "20200101",
    ),
    *(
        "$&",
        "$$",
        "$`x",
        "$'",
        "{actual}",
        "{field}",
        "{expected}$1",
        'quo"te',
        "back\\slash",
        "a|b",
        "\u2028",
        "it's",
        "x" * 300,
    ),
]
NUMBERS: list[int | float] = [
    *(
        0,
        1,
        -1,
        2,
        3,
        4,
        5,
        9,
        10,
        11,
        100,
        -5,
        0.5,
        -0.5,
        1.5,
        2.9999999999999996,
        0.1 + 0.2,
        -0.0,
        1e21,
        1e-7,
        123456789012345680000,
    ),
    *(
        2**53,
        2**53 + 1,
        -(2**53) - 1,
        2**64,
        1.7976931348623157e308,
        5e-324,
        1577836800000,
        8.64e15 + 1,
        3.0,
    ),
    *(10**400, math.nan, math.inf, -math.inf),
]
KEYS = [
    "a",
    "b",
    "c",
    "id",
    "name",
    "1",
    "0",
    "10",
    "a-b",
    "a b",
    "it's",
    "é",
    "_x",
    "$y",
    "01",
    "x.y",
    "length",
    'q"q',
]
MOMENT = datetime.datetime(2020, 2, 3, 4, 5, 6, 789000, tzinfo=datetime.UTC)


def any_text(rng: random.Random) -> str:
    """A nasty text, or one of a few random characters."""
    if rng.random() < 0.8:
        return rng.choice(TEXTS)
    return "".join(rng.choice('abAB01 _-.\n😀é"\\$') for _ in range(rng.randrange(8)))


def any_number(rng: random.Random) -> int | float:
    """A nasty number, or one near the limits that schemas have here."""
    return rng.choice(NUMBERS) if rng.random() < 0.6 else rng.choice((rng.randrange(-3, 14), rng.uniform(-3, 12)))


def any_value(rng: random.Random, depth: int = 2) -> Any:
    """Anything."""
    kind = rng.randrange(14 if depth else 11)
    if kind < 4:
        return any_text(rng)
    if kind < 7:
        return any_number(rng)
    if kind == 7:
        return rng.choice((True, False))
    if kind == 8:
        return rng.choice((None, None, UNDEFINED))
    if kind == 9:
        return rng.choice((MOMENT.replace(), ObjectID("5f0c1d2e3b4a5968778695a4"), [], {}))
    if kind == 10:
        return rng.choice(([[]], [1, 1], ["a", "a"], [None], {"a": None}))
    if kind == 11:
        return {rng.choice(KEYS): any_value(rng, depth - 1) for _ in range(rng.randrange(4))}
    return [any_value(rng, depth - 1) for _ in range(rng.randrange(5))]


def likely(rng: random.Random, schema: Any, depth: int = 3) -> Any:
    """A value that the schema may like, or nearly."""
    if rng.random() < 0.12:
        return any_value(rng)
    if isinstance(schema, list):
        return likely(rng, rng.choice(schema), depth) if schema else any_value(rng)
    if isinstance(schema, str):
        name = schema.split("|")[0].strip()
        if name.endswith("[]"):
            return [likely(rng, name[:-2], depth - 1) for _ in range(rng.randrange(4))]
        return _of_type(rng, name, {}, depth)
    if not isinstance(schema, dict):
        return any_value(rng)
    if "$$type" in schema:
        return _fields(rng, schema, depth)
    name = schema.get("type")
    return _of_type(rng, name if isinstance(name, str) else "any", schema, depth)


def _fields(rng: random.Random, schemas: dict[str, Any], depth: int) -> dict[str, Any]:
    names = [name for name in schemas if not name.startswith("$$")]
    rng.shuffle(names)
    fields = {name: likely(rng, schemas[name], depth - 1) for name in names if rng.random() < 0.85 and depth}
    if rng.random() < 0.3:
        fields[rng.choice(KEYS)] = any_value(rng, 1)
    return fields


def _of_type(rng: random.Random, name: str, schema: dict[str, Any], depth: int) -> Any:
    if name in ("object", "person"):
        return _fields(rng, schema.get("props") or schema.get("properties") or {}, depth)
    if name in ("array", "list") and depth:
        items = schema.get("items", schema.get("enum", ["string", "number"]))
        return [likely(rng, items, depth - 1) for _ in range(rng.randrange(5))]
    if name == "tuple" and isinstance(schema.get("items"), list):
        return [likely(rng, each, depth - 1) for each in schema["items"]]
    if name == "multi" and isinstance(schema.get("rules"), list):
        return likely(rng, schema["rules"], depth)
    if name == "record":
        value = schema.get("value", "any")
        return {rng.choice([*KEYS, any_text(rng)]): likely(rng, value, depth - 1) for _ in range(rng.randrange(4))}
    if name == "number":
        return any_number(rng)
    if name == "boolean":
        return rng.choice((True, False, 1, 0, 1.0, "on", "true", "off"))
    if name == "date" and rng.random() < 0.5:
        return rng.choice((MOMENT.replace(), any_number(rng)))
    if name in ("enum", "equal") and rng.random() < 0.7:
        return rng.choice(
            [*(schema.get("values") or []), schema.get("value")]
            if isinstance(schema.get("values"), list)
            else [schema.get("value")]
        )
    if name in ("string", "email", "url", "uuid", "mac", "luhn", "currency", "date", "objectID", "nick"):
        return any_text(rng)
    return any_value(rng)
