"""Schemas of every kind with every option, for the comparison of our validation with the npm package."""

from __future__ import annotations

import datetime
import random
from typing import Any

from tests.e2e.npm_validator import FUNCTIONS, ObjectID
from tests.e2e.validation_values import KEYS, any_number, any_text, any_value

Schema = Any

PATTERNS = [
    *(
        "^[a-z]+$",
        "^\\d+$",
        "a",
        "^.{2}$",
        "^(a|b)*$",
        "\\bab\\b",
        "[^a-z]",
        "^\\s*$",
        "[\\w-]+",
        "^$",
        "\\u0061",
        "\\x61b",
        "(a)\\1",
    ),
    *(
        "^(?:a(?=b)|c)",
        "[\\d\\s]",
        "^[^]$",
        "[]",
        "a{2,}",
        "a{,2}",
        "\\/",
        "/",
        "[/]",
        "\\.",
        "$",
        "(?<x>a)\\k<x>",
        "é",
        "😀",
        "[😀]",
        "\\S+@\\S+",
    ),
    *(
        "^[\\s\\S]*$",
        "\\0",
        "\\cJ",
        "[\\b]",
        "x*?y",
        "\\D",
        "\\W",
        "\\B",
        "(?!a)",
        "(",
        "a**",
        "[b-a]",
        "\\",
        '"',
        "^\\w+\\s?$",
        "[a-z&&b]",
        "--",
    ),
]
PLAIN = [
    "any",
    "boolean",
    "date",
    "email",
    "luhn",
    "mac",
    "number",
    "string",
    "url",
    "uuid",
    "currency",
    "forbidden",
    "function",
    "array",
    "object",
]
SHORTHANDS = [
    *(
        "string",
        "string|min:3",
        "string|empty:false|optional",
        "string|no-empty",
        "string|trim|lowercase",
        "string|length:3|nullable",
    ),
    *(
        "string|convert|max:4",
        "number|min:2|max:9",
        "number|integer|positive",
        "number|convert",
        "number|convert|integer|optional",
    ),
    *(
        "number|default:5",
        "boolean|convert",
        "boolean|default:true",
        "string[]",
        "number[]|min:1",
        "string[]|unique|max:2",
        "array|convert",
    ),
    *(
        "email|normalize",
        "email|mode:precise",
        "email|empty",
        "url|empty",
        "uuid|version:4",
        "date|convert",
        "forbidden|remove",
        "forbidden",
    ),
    *(
        "string | min: 2 | max : 5",
        "string|padStart:5|padChar:0",
        "string|padEnd:4|padChar:ab",
        "string|uppercase|trimLeft",
        "string|contains:b",
    ),
    *(
        "string|pattern:^a",
        "string|hex",
        "string|base64",
        "string|numeric|convert",
        "string|alpha",
        "string|alphanum",
        "string|alphadash|trimRight",
    ),
    *(
        "string|singleLine",
        "any|optional",
        "any|default:x",
        "object|strict",
        "object|minProps:2",
        "object|maxProps:1",
        "luhn",
        "mac",
        "currency",
    ),
    *(
        "record",
        "tuple",
        "tuple|no-empty",
        "any",
        "number|equal:5",
        "number|notEqual:3|negative",
        "string|min:0x2",
        "string|min",
        "equal|value:5",
    ),
    *(
        "equal|value:abc|strict",
        "nonsense",
        "",
        "string[]|items:number",
        "enum|values:abc",
        "boolean|optional|nullable",
        "string|label:Your name",
    ),
    *(
        "nick",
        "person",
        "list",
        "number|optional|nullable",
        "string|nullable:false",
        "string|optional:false",
        "string|custom",
        "date|convert:true",
    ),
]
MESSAGES = [
    {"string": "No text: {field} {expected} {actual}", "required": "Where is {field}?"},
    {"number": "{field}{field} '{actual}' is no number", "numberMin": "$& {expected}", "stringMin": "min\\n{expected}"},
    {
        "object": "",
        "array": "A {actual}",
        "stringMax": "not \\u0041 {actual}",
        "email": "{actual}",
        "objectStrict": "{label} {actual}",
    },
]


def maybe(rng: random.Random, schema: dict[str, Any], name: str, chance: float, *values: Any) -> None:
    if rng.random() < chance:
        schema[name] = rng.choice(values)


def any_rule(rng: random.Random, depth: int = 3) -> Schema:
    """A rule in any form."""
    kind = rng.random()
    if kind < 0.25 or depth == 0:
        return rng.choice(SHORTHANDS)
    if kind < 0.32:
        return [any_rule(rng, depth - 1) for _ in range(rng.randrange(1, 4))]
    if kind < 0.4:
        nested: dict[str, Any] = {
            "$$type": rng.choice(("object", "object|optional", "object|strict:remove", "object|strict"))
        }
        maybe(rng, nested, "$$strict", 0.2, True, "remove")
        return nested | fields(rng, depth - 1)
    return _common(rng, long_rule(rng, depth))


def fields(rng: random.Random, depth: int) -> dict[str, Schema]:
    return {rng.choice(KEYS): any_rule(rng, depth) for _ in range(rng.randrange(4))}


def any_schema(rng: random.Random) -> Schema:
    """A whole schema."""
    kind = rng.random()
    if kind < 0.08:
        return any_rule(rng) if rng.random() < 0.1 else [any_rule(rng) for _ in range(rng.randrange(3))]
    if kind < 0.2:
        rule = any_rule(rng)
        return (
            {"$$root": True, **rule} if isinstance(rule, dict) else {"$$root": True, "type": "multi", "rules": [rule]}
        )
    schema = {rng.choice(KEYS): any_rule(rng) for _ in range(rng.randrange(1, 4))}
    maybe(rng, schema, "$$strict", 0.3, True, "remove", False)
    if rng.random() < 0.1:
        schema["$$async"] = True
        _let_wait(schema)
    return schema


def _let_wait(schema: Any) -> None:
    """Make the functions of an asynchronous schema asynchronous."""
    for key, each in enumerate(schema) if isinstance(schema, list) else schema.items():
        if each is FUNCTIONS["twice"]:
            schema[key] = FUNCTIONS["later"]
        elif isinstance(each, dict | list):
            _let_wait(each)


def _common(rng: random.Random, schema: dict[str, Any]) -> dict[str, Any]:
    maybe(rng, schema, "optional", 0.25, True, True, False, 1)
    maybe(rng, schema, "nullable", 0.15, True, False)
    if rng.random() < 0.12:
        schema["default"] = rng.choice(
            (any_text(rng), any_number(rng), any_value(rng), [1], {"a": {"b": 1}}, None, FUNCTIONS["seven"])
        )
        if isinstance(schema["default"], datetime.date) and rng.random() < 0.5:
            schema["default"] = FUNCTIONS["named"]
    maybe(rng, schema, "messages", 0.12, *MESSAGES)
    maybe(rng, schema, "label", 0.1, "Your name", "it's", "")
    if schema["type"] == "date":
        return schema  # a function would be shown the invalid date that JavaScript has and Python has not
    if rng.random() < 0.08:
        schema["custom"] = rng.choice([FUNCTIONS[name] for name in ("short", "twice", "unknown")])
    elif rng.random() < 0.03:
        schema["custom"] = [FUNCTIONS["twice"], rng.choice(("short", "unknown|x:1", "twice"))]
    return schema


def _limits(rng: random.Random, schema: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        maybe(rng, schema, name, 0.25, 0, 1, 2, 3, 4, 5, 10, 2.5, -1, "3", True, None)
    return schema


def long_rule(rng: random.Random, depth: int) -> dict[str, Any]:
    """A rule in long form."""
    kinds = (
        _string,
        _string,
        _number,
        _number,
        _boolean,
        _date,
        _email,
        _enum,
        _equal,
        _currency,
        _uuid,
        _plain,
        _special,
    )
    containers = (_object, _object, _array, _array, _tuple, _record, _multi)
    if rng.random() < 0.5:
        return rng.choice(kinds)(rng)
    return rng.choice(containers)(rng, depth - 1)


def _string(rng: random.Random) -> dict[str, Any]:
    schema = _limits(rng, {"type": "string"}, "min", "max", "length")
    maybe(rng, schema, "empty", 0.2, True, False)
    for name in (
        "trim",
        "trimLeft",
        "trimRight",
        "lowercase",
        "uppercase",
        "localeLowercase",
        "localeUppercase",
        "convert",
    ):
        maybe(rng, schema, name, 0.08, True, True, 1)
    for name in ("alpha", "numeric", "alphanum", "alphadash", "hex", "singleLine", "base64"):
        maybe(rng, schema, name, 0.07, True)
    maybe(rng, schema, "padStart", 0.06, 3, 5, True, "4")
    maybe(rng, schema, "padEnd", 0.06, 3, 6)
    maybe(rng, schema, "padChar", 0.1, "x", "ab", "😀", 0, "")
    maybe(rng, schema, "contains", 0.1, "b", "", 1, "b\\c", "😀")
    maybe(rng, schema, "enum", 0.1, ["abc", "ab"], ["1", 1, None], [], "abc", ["a\\b", "x, y"])
    if rng.random() < 0.25:
        schema["pattern"] = rng.choice(PATTERNS)
        maybe(rng, schema, "patternFlags", 0.4, "", "i", "u", "m", "s", "g", "y", "iu", "gi", "x", "ii")
    return schema


def _number(rng: random.Random) -> dict[str, Any]:
    schema = _limits(rng, {"type": "number"}, "min", "max", "equal", "notEqual")
    for name in ("integer", "positive", "negative", "convert"):
        maybe(rng, schema, name, 0.2, True, True, 1)
    maybe(rng, schema, "max", 0.05, 2**53 + 1, 1e21, "1e3", [3], {})
    return schema


def _boolean(rng: random.Random) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "boolean"}
    maybe(rng, schema, "convert", 0.6, True, 1)
    return schema


def _date(rng: random.Random) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "date"}
    maybe(rng, schema, "convert", 0.8, True)
    return schema


def _email(rng: random.Random) -> dict[str, Any]:
    schema = _limits(rng, {"type": "email"}, "min", "max")
    maybe(rng, schema, "mode", 0.5, "quick", "precise")
    maybe(rng, schema, "empty", 0.4, True, False)
    maybe(rng, schema, "normalize", 0.3, True)
    return schema


def _enum(rng: random.Random) -> dict[str, Any]:
    values = [any_value(rng, 1) if rng.random() < 0.3 else rng.choice(("a", "b", 1, 2, True, "1")) for _ in range(3)]
    schema: dict[str, Any] = {"type": "enum", "values": values}
    maybe(rng, schema, "values", 0.06, [], "abc", None, 5)
    return schema


def _equal(rng: random.Random) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "equal"}
    if rng.random() < 0.4:
        schema["field"] = rng.choice(KEYS)
    elif rng.random() < 0.9:
        schema["value"] = rng.choice((any_value(rng), any_text(rng), any_number(rng)))
    maybe(rng, schema, "strict", 0.4, True, False)
    return schema


def _currency(rng: random.Random) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "currency"}
    maybe(rng, schema, "currencySymbol", 0.6, "$", "€", "£")
    maybe(rng, schema, "symbolOptional", 0.4, True, False)
    maybe(rng, schema, "thousandSeparator", 0.2, ".", " ")
    maybe(rng, schema, "decimalSeparator", 0.2, ",")
    maybe(rng, schema, "customRegex", 0.1, "/^\\d+$/", "/^a/i", "^a$")
    return schema


def _uuid(rng: random.Random) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "uuid"}
    maybe(rng, schema, "version", 0.6, 0, 1, 4, 7, 8, 9, "4", True, "x", 4.5)
    return schema


def _plain(rng: random.Random) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": rng.choice(PLAIN)}
    maybe(rng, schema, "empty", 0.3, True, False)
    maybe(rng, schema, "remove", 0.3, True)
    maybe(rng, schema, "convert", 0.2, True)
    maybe(rng, schema, "type", 0.05, "nonsense", None, 5, "String")
    return schema


def _special(rng: random.Random) -> dict[str, Any]:
    kind = rng.randrange(4)
    if kind == 0:
        schema: dict[str, Any] = {"type": "objectID", "ObjectID": ObjectID}
        maybe(rng, schema, "convert", 0.6, True, "hexString")
        return schema
    if kind == 1:
        return {"type": "class", "instanceOf": ObjectID}
    if kind == 2:
        return {"type": "custom", "check": rng.choice([FUNCTIONS[name] for name in ("short", "twice", "unknown")])}
    schema = {"type": rng.choice(("nick", "person", "list"))}
    maybe(rng, schema, "min", 0.3, 2)
    maybe(rng, schema, "optional", 0.3, True)
    return schema


def _object(rng: random.Random, depth: int) -> dict[str, Any]:
    schema = _limits(rng, {"type": "object"}, "minProps", "maxProps")
    if rng.random() < 0.85:
        schema[rng.choice(("props", "props", "properties"))] = fields(rng, depth)
    maybe(rng, schema, "strict", 0.4, True, "remove", False)
    return schema


def _array(rng: random.Random, depth: int) -> dict[str, Any]:
    schema = _limits(rng, {"type": "array"}, "min", "max", "length")
    maybe(rng, schema, "empty", 0.2, True, False)
    maybe(rng, schema, "unique", 0.2, True)
    maybe(rng, schema, "convert", 0.2, True)
    maybe(rng, schema, "contains", 0.15, 1, "a", True, [1], {"a": 1})
    maybe(rng, schema, "enum", 0.15, ["a", 1, None], [1, 2], "abc")
    if rng.random() < 0.7:
        schema["items"] = any_rule(rng, depth)
    return schema


def _tuple(rng: random.Random, depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "tuple"}
    if rng.random() < 0.9:
        schema["items"] = [any_rule(rng, depth) for _ in range(rng.randrange(1, 4))]
    maybe(rng, schema, "items", 0.05, [], "string", {"type": "string"})
    maybe(rng, schema, "empty", 0.3, True, False)
    return schema


def _record(rng: random.Random, depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "record"}
    if rng.random() < 0.5:
        schema["key"] = rng.choice(
            ("string|min:2", "string|alpha", "string|uppercase", "number|convert", {"type": "string", "max": 1})
        )
    if rng.random() < 0.8:
        schema["value"] = any_rule(rng, depth)
    return schema


def _multi(rng: random.Random, depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "multi", "rules": [any_rule(rng, depth) for _ in range(rng.randrange(4))]}
    maybe(rng, schema, "rules", 0.05, "string", None)
    return schema


def any_options(rng: random.Random) -> dict[str, Any]:
    """Options of a validator, by the package's names."""
    options: dict[str, Any] = {
        "aliases": {
            "nick": {"type": "string", "min": 3, "max": 8},
            "person": {"type": "object", "props": {"name": {"type": "string", "trim": True}, "id": "number|optional"}},
            "list": {"type": "array", "items": {"type": "number"}},
        }
    }
    maybe(rng, options, "haltOnFirstError", 0.15, True)
    maybe(rng, options, "considerNullAsAValue", 0.15, True)
    maybe(rng, options, "messages", 0.15, *MESSAGES)
    maybe(
        rng,
        options,
        "defaults",
        0.2,
        {"object": {"strict": "remove"}},
        {"string": {"trim": True}, "object": {"strict": True}},
        {"number": {"convert": True}},
    )
    options["customFunctions"] = {name: FUNCTIONS[name] for name in ("short", "twice", "unknown")}
    return options
