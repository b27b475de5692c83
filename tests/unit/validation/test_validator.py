"""What the comparison with the npm package does not say: refusals, functions, schemas that contain themselves."""

from __future__ import annotations

import asyncio
import datetime
import re
from typing import Any

import pytest

from broker.validation import UNDEFINED, Errors, SchemaError, Validator, ValidatorOptions

VALIDATOR = Validator()


def types(errors: Errors) -> list[tuple[str | None, str]]:
    return [(error.get("field"), error["type"]) for error in errors]


def test_an_error_has_type_message_field_expected_and_actual_in_this_order() -> None:
    errors = VALIDATOR.validate({"id": 0}, {"id": "number|min:1"})
    message = "The 'id' field must be greater than or equal to 1."
    assert [list(error.items()) for error in errors] == [
        [("type", "numberMin"), ("message", message), ("field", "id"), ("expected", 1), ("actual", 0)]
    ]


def test_a_missing_value_has_no_actual_and_a_null_has() -> None:
    missing, null = VALIDATOR.validate({"b": None}, {"a": "string", "b": "string"})
    assert ("actual" in missing, null["actual"]) == (False, None)


def test_a_value_is_sanitized_in_place_and_a_schema_is_left_as_it_was() -> None:
    schema = {"$$strict": "remove", "name": "string|trim", "at": {"$$type": "object", "x": "number|convert"}}
    before = repr(schema)
    value: dict[str, Any] = {"name": " a ", "at": {"x": "0x10"}, "more": 1}
    assert VALIDATOR.validate(value, schema) == []
    assert (value, repr(schema)) == ({"name": "a", "at": {"x": 16}}, before)


def test_what_a_rule_takes_away_is_absent_and_in_a_list_none() -> None:
    value: dict[str, Any] = {"a": 1, "b": [1, 2]}
    schema = {"a": "forbidden|remove", "b": {"type": "array", "items": "forbidden|remove"}}
    assert VALIDATOR.validate(value, schema) == []
    assert value == {"b": [None, None]}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (5, "a schema is 5, expected an object of rules or a list of alternatives"),
        ({"a": {"b": {}}}, "a: a rule has no 'type', expected one of any, array"),
        ({"a": 5}, "a: a rule is 5, expected a text, a list of rules or an object with a 'type'"),
        ({"a": "strnig"}, "a: a rule has the unknown type 'strnig', expected one of any"),
        (
            {"a": {"type": "array", "items": {"$$type": "object", "b": "strnig"}}},
            r"a\[\].b: a rule has the unknown type",
        ),
        ({"a": []}, "a: a list of alternatives is empty"),
        ({"a": {"type": "number", "min": "few"}}, "a: 'min' is 'few', expected a number"),
        ({"a": {"type": "string", "pattern": "("}}, r"a: pattern '\(' is no regular expression: unterminated group"),
        ({"a": {"type": "string", "pattern": "(?<=a+)b"}}, "a: pattern .* cannot be had in Python: look-behind"),
        ({"a": {"type": "string", "pattern": "a", "patternFlags": "x"}}, "a: flags 'x' of pattern 'a'"),
        ({"a": {"type": "string", "pattern": 5}}, "a: 'pattern' is 5, expected a text or a compiled pattern"),
        ({"a": {"type": "enum"}}, "a: 'values' of 'enum' is None, expected a list of values"),
        ({"a": {"type": "tuple", "items": "string"}}, "a: 'items' of a tuple is 'string', expected a list of rules"),
        ({"a": {"type": "multi"}}, "a: 'rules' of a multi is None, expected a list of rules"),
        ({"a": {"type": "object", "props": ["string"]}}, r"a: 'props' of an object is \['string'\]"),
        ({"a": {"type": "class"}}, "a: 'instanceOf' is None, expected a class"),
        ({"a": {"type": "string", "custom": ["nobody"]}}, "a: 'custom' names 'nobody', expected a function or one of"),
    ],
)
def test_a_broken_schema_is_refused_saying_where_and_what_was_expected(schema: Any, said: str) -> None:
    with pytest.raises(SchemaError, match=f"^{said}"):
        VALIDATOR.compile(schema)


def test_a_schema_that_contains_itself_checks_values_as_deep_as_they_are() -> None:
    tree: dict[str, Any] = {"type": "object", "props": {"name": "string"}}
    tree["props"]["children"] = {"type": "array", "optional": True, "items": tree}
    check = VALIDATOR.compile({"root": tree})
    good = {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]}
    assert check({"root": good}) == []
    good["children"][0]["children"][0]["name"] = 5  # type: ignore[index]
    assert types(check({"root": good})) == [("root.children[0].children[0].name", "string")]


def test_a_value_that_contains_itself_is_checked_once() -> None:
    node: dict[str, Any] = {"type": "object", "props": {"name": "string"}}
    node["props"]["next"] = node
    ring: dict[str, Any] = {"name": 5}
    ring["next"] = ring
    assert types(VALIDATOR.compile({"root": node})({"root": ring})) == [
        ("root.name", "string"),
        ("root.next.name", "string"),
    ]


def test_functions_get_as_many_arguments_as_they_take() -> None:
    def even(value: int, errors: Errors) -> int:
        if value % 2:
            errors.append({"type": "evenNumber", "actual": value})
        return value

    schema = {
        "a": {"type": "number", "custom": even, "messages": {"evenNumber": "{actual} is odd"}},
        "b": {"type": "array", "default": list},
        "c": {"type": "string", "custom": str.upper},
        "d": {"type": "string", "default": lambda _schema, field: field},
    }
    value: dict[str, Any] = {"a": 3, "c": "x"}
    assert VALIDATOR.validate(value, schema) == [
        {"message": "3 is odd", "field": "a", "type": "evenNumber", "actual": 3}
    ]
    assert value == {"a": 3, "b": [], "c": "X", "d": "d"}


def test_functions_of_the_old_style_give_a_list_of_errors() -> None:
    validator = Validator(ValidatorOptions(use_new_custom_checker_function=False))
    schema = {"a": {"type": "string", "custom": lambda value: [{"type": "bad", "actual": value}]}}
    assert validator.validate({"a": "x"}, schema) == [{"field": "a", "type": "bad", "actual": "x"}]


def test_coroutine_functions_are_waited_for_in_a_schema_that_says_so() -> None:
    async def taken(value: str, errors: Errors) -> str:
        await asyncio.sleep(0)
        errors.append({"type": "taken", "actual": value})
        return value

    check = VALIDATOR.compile(
        {"$$async": True, "names": {"type": "array", "items": {"type": "custom", "check": taken}}}
    )
    assert check.is_async
    assert types(asyncio.run(check.wait({"names": ["a", "b"]}))) == [("names[0]", "taken"), ("names[1]", "taken")]


def test_a_plugin_adds_rules_and_messages() -> None:
    def plugin(validator: Validator) -> None:
        validator.messages["even"] = "'{field}' is odd"
        validator.rules["even"] = lambda _compiler, rule, _path: (
            lambda value, field, _parent, errors, _run, label: (
                value if value % 2 == 0 else rule.complaint("even")(errors, field, label, value)
            )
        )

    errors = Validator(plugins=[plugin]).validate({"a": 3}, {"a": "even"})
    assert errors == [{"type": "even", "message": "'a' is odd", "field": "a", "actual": 3}]


def test_an_alias_may_not_have_the_name_of_a_rule() -> None:
    with pytest.raises(SchemaError, match="alias 'string' has the name of a rule"):
        Validator(ValidatorOptions(aliases={"string": {"type": "number"}}))


def test_patterns_and_dates_of_python_are_taken_as_they_are() -> None:
    schema = {"code": {"type": "string", "pattern": re.compile("^[A-Z]+$", re.I)}, "at": "date", "on": "date"}
    value = {"code": "abc", "at": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "on": datetime.date(2026, 1, 1)}
    assert VALIDATOR.validate(value, schema) == []
    assert VALIDATOR.validate({**value, "code": "1"}, schema)[0]["expected"] == "/^[A-Z]+$/i"


def test_undefined_is_what_is_absent() -> None:
    assert types(VALIDATOR.validate({"a": UNDEFINED}, {"a": "any"})) == [("a", "required")]
    assert types(VALIDATOR.validate(UNDEFINED, {"$$root": True, "type": "any"})) == [(None, "required")]
