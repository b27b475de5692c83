"""Schemas become forms, texts become values, and mistakes have a place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.operate.forms import Form, JsonMistakeError, read_json, write_json
from broker.operate.forms.dates import understood, why_no_date
from broker.operate.forms.field import Kind
from broker.operate.forms.paths import at, moved, put, renamed
from broker.operate.forms.templates import is_template
from broker.operate.forms.texts import fits, shown, typed
from broker.operate.forms.unions import blank_of
from broker.validation import UNDEFINED

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def words(rule: object) -> str:
    return Form({"a": rule}).field.fields[0].words


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("number|integer|positive|max:100", "integer, positive, at most 100"),
        ("string|min:3|max:20", "3 to 20 characters"),
        ({"type": "string", "pattern": "^[a-z]+$", "patternFlags": "i"}, "text, pattern /^[a-z]+$/i"),
        ("string|length:1|optional", "1 character, optional"),
        ("string[]|max:2", "array of text, at most 2 items"),
        ({"type": "array", "items": {"type": "enum", "values": [1, 2]}, "optional": True}, "array of enum, optional"),
        ("boolean|default:false", "boolean, default false"),
        ("date|convert|nullable", "date, or null"),
        ("date", "date, not as text: only some serializers carry one"),
        ({"type": "equal", "field": "password"}, "the same as password"),
        ({"type": "tuple", "items": ["number", "string"]}, "exactly 2 items: number, text"),
        ({"type": "record", "value": "uuid"}, "object with any keys, each uuid"),
        (["string", "number", "string|min:3"], "text or number"),
        ({"type": "object", "minProps": 1, "strict": True}, "object, at least 1 property, no other keys"),
        ({"type": "currency", "currencySymbol": "€"}, "amount of money with €"),
        ("forbidden", "must not be sent"),
    ],
)  # fmt: skip
def test_what_a_field_may_be_is_said_in_words(rule: object, said: str) -> None:
    assert words(rule) == said


@pytest.mark.parametrize(
    ("rule", "unsure"),
    [
        ({"type": "string", "pattern": {}}, "a pattern that INFO does not carry"),
        ({"type": "string", "pattern": "(?<=a+)b"}, "a pattern that only JavaScript can read"),
        ({"type": "class"}, "an instance of a class of the service's"),
        ({"type": "objectID"}, "an id as the service's database has it"),
        ({"type": "custom"}, "a check of the service's own"),
        ({"type": "number", "custom": "even"}, "a check of the service's own"),
        ({"type": "number", "messages": {"even": "no"}}, "a check of the service's own, 'even'"),
        ("nickname", "the type 'nickname' is the service's own"),
        ({"type": "enum"}, "the list of its values is not in INFO"),
        ({"type": "enum", "values": "[Array 1200]"}, "the list of its values is not in INFO"),
        ({"type": "equal"}, "the value that it must equal is not in INFO"),
        ({"type": "currency", "customRegex": {}}, "a pattern that INFO does not carry"),
        (None, "its rule is not in INFO"),
        ("[Object 40]", "its rule is not in INFO"),
    ],
)
def test_what_info_does_not_carry_is_said_to_be_checked_by_the_service_only(rule: object, unsure: str) -> None:
    form = Form({"a": rule})
    assert form.field.fields[0].unsure == (unsure,)
    value = 5 if isinstance(rule, dict) and rule["type"] == "number" else "5"
    assert form.problems({"a": value}) == []


def test_an_alternative_that_was_lost_takes_anything() -> None:
    form = Form({"a": ["number", None]})
    assert form.problems({"a": {"x": 1}}) == []
    assert form.field.fields[0].fields[1].unsure == ("its rule is not in INFO",)


def test_a_rule_whose_options_are_broken_is_any_json_and_says_why() -> None:
    (field,) = Form({"a": {"type": "number", "min": "few"}}).field.fields
    assert field.kind == "any"
    assert field.unsure == ("its rule cannot be read: 'min' is 'few', expected a number",)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("string", ": the schema is 'string', expected an object of rules."),
        ({"a": {"b": {"c": 1}}}, " at 'a': a rule has no 'type'."),
        (
            {"a": {"$$type": "object", "b": 5}},
            " at 'a.b': a rule is 5, expected a text, a list of rules or an object with a 'type'.",
        ),
        ([], ": a list of alternatives is empty, expected at least one rule."),
    ],
)
def test_a_broken_schema_is_said_to_be_and_leaves_raw_json(schema: object, why: str) -> None:
    form = Form(schema)
    assert form.broken == f"Its schema cannot be read as one of fastest-validator's{why}"
    assert form.start() == {}
    assert form.problems({"anything": 1}) == []


def test_problems_have_a_path_and_the_schemas_own_message() -> None:
    form = Form(
        {
            "x-id": {"type": "string", "min": 3, "messages": {"stringMin": "'{actual}' is short"}},
            "list": {"type": "array", "items": {"$$type": "object", "a.b": "number"}},
            "by": {"type": "record", "key": "string|alpha", "value": "number"},
        }
    )
    found = form.problems({"x-id": "ab", "list": [{"a.b": 1}, {"a.b": "2"}], "by": {"c": "1", "4": 1}})
    assert [(each.path, each.message, each.short) for each in found] == [
        (("x-id",), "'2' is short", "'2' is short"),
        (("list", 1, "a.b"), "The 'list[1]['a.b']' field must be a number.", "must be a number"),
        (("by", "4"), "The 'by.4' key must be an alphabetic string.", "key must be an alphabetic string"),
        (("by", "c"), "The 'by.c' field must be a number.", "must be a number"),
    ]


def test_a_variable_is_no_problem_until_it_is_filled_in() -> None:
    form = Form({"n": "number", "list": "number[]", "o": {"$$type": "object", "x": "string"}, "e": "email|optional"})
    value = {"n": "{{n}}", "list": ["{{a}}", 5], "o": "{{ object }}", "e": "x{{y}}"}
    assert form.problems(value) == []
    assert [each.path for each in form.problems(value, lambda _text: False)] == [("n",), ("list", 0), ("o",), ("e",)]
    assert [text for text in ("{{a}}", "x {{a b}} y", "{{}}", "{a}", "}}{{") if is_template(text)] == [
        "{{a}}",
        "x {{a b}} y",
    ]


def test_a_form_starts_with_the_objects_and_lists_that_must_be_there() -> None:
    form = Form(
        {"a": "string", "b": {"$$type": "object", "c": "number[]"}, "d": "object|optional", "e": "number|default:5"}
    )
    assert form.start() == {"b": {"c": []}}
    assert Form({"$$root": True, "type": "string"}).start() is None
    card = Form(
        [{"type": "object", "props": {"kind": {"type": "equal", "value": "card"}, "no": "luhn"}}, "string"]
    ).field
    assert [blank_of(each) for each in card.fields] == [{"kind": "card"}, ""]


def test_a_value_is_the_alternative_that_has_least_against_it() -> None:
    form = Form(
        [
            {"type": "object", "props": {"kind": {"type": "equal", "value": "a"}, "x": "number", "y": "number"}},
            {"type": "object", "props": {"kind": {"type": "equal", "value": "b"}, "z": "number"}},
            "number",
        ]
    )
    values: list[Any] = [{"kind": "a"}, {"kind": "b", "x": 1}, 5, "text", UNDEFINED]
    assert [form.alternative_of(form.field, value) for value in values] == [0, 1, 2, 2, 0]


@given(st.sampled_from(("text", "number", "date")), JSON)
def test_what_a_line_shows_of_a_value_is_read_back_as_that_value(kind: Kind, value: Any) -> None:
    if fits(kind, value):
        again = typed(kind, shown(kind, value))
        assert type(again) is type(value)
        assert again == value
    else:
        assert write_json(read_json(write_json(value))) == write_json(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        (" -5 ", -5),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("12px", "12px"),
        ("0x10", "0x10"),
        ("", UNDEFINED),
        ("007", "007"),
        ("1e400", "1e400"),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_what_is_typed_in_a_numbers_field_is_a_number_where_it_is_one(text: str, value: object) -> None:
    assert typed("number", text) == value


@given(JSON)
def test_json_is_read_back_as_it_was_written(value: Any) -> None:
    assert json.loads(json.dumps(read_json(write_json(value)))) == json.loads(json.dumps(value))


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('{\n  "a": 1,\n}', (3, 1), "expected a key in double quotes"),
        ('{"a": tru}', (1, 7), "expected a value"),
        ('{"a" 1}', (1, 6), "expected ':' behind the key"),
        ("[1 2]", (1, 4), "expected ',' or the end"),
        ("[1] x", (1, 5), "expected the end, there is more"),
        ('["a', (1, 2), "this text has no end"),
        ('["NaN", NaN]', (1, 9), "NaN is no JSON"),
        ('[1, 1e999]', (1, 5), "1e999 is greater than a number can be"),
        ('{"a": {{id}}}', (1, 8), 'write a variable in quotes: "{{name}}"'),
        ("", (1, 1), "expected a value, there is nothing"),
    ],
)  # fmt: skip
def test_a_mistake_in_json_has_a_place_and_says_what_was_expected(
    text: str, place: tuple[int, int], message: str
) -> None:
    with pytest.raises(JsonMistakeError) as caught:
        read_json(text)
    assert (caught.value.line, caught.value.column) == place
    assert caught.value.message == message


def test_parts_are_put_in_and_taken_away_and_the_rest_is_kept() -> None:
    value = {"a": {"b": 1, "unknown": [1]}, "c": [1, 2]}
    assert put(value, ("a", "b"), 2) == {"a": {"b": 2, "unknown": [1]}, "c": [1, 2]}
    assert put(value, ("a", "b"), UNDEFINED) == {"a": {"unknown": [1]}, "c": [1, 2]}
    assert put(value, ("c", 3), 4) == {"a": {"b": 1, "unknown": [1]}, "c": [1, 2, None, 4]}
    assert put({}, ("x", "y", 0), "z") == {"x": {"y": ["z"]}}
    assert put({}, ("x", "y"), UNDEFINED) == {}
    assert at(value, ("c", 1)) == 2
    assert at(value, ("c", "1")) is UNDEFINED
    assert value == {"a": {"b": 1, "unknown": [1]}, "c": [1, 2]}
    assert moved([1, 2, 3], 0, 9) == [2, 3, 1]
    assert list(renamed({"a": 1, "b": 2}, "a", "c").items()) == [("c", 1), ("b", 2)]
    assert renamed({"a": 1, "b": 2}, "a", "b") == {"a": 1, "b": 2}


def test_a_date_says_what_it_is_taken_for_and_why_it_is_none() -> None:
    assert understood("2026-03-01") == "2026-03-01 00:00:00 UTC"
    assert understood("2026-03-01T10:00:00+02:00") == "2026-03-01 08:00:00 UTC"
    assert understood(1772323200000) == "2026-03-01 00:00:00 UTC"
    assert understood("2026-03-01 10:00") == ""  # in the service's own zone
    assert why_no_date("2026-13-01") == "month is 13"
    assert why_no_date("2026-02-40") == "day is 40"
    assert why_no_date("soon") == ""


OPTIONS = ("items", "rules", "key", "value", "values", "pattern", "min", "messages")
RULES = st.recursive(
    st.sampled_from(["string", "number|optional", "tuple", "multi", "record", "x", "", "string[]", None, 5, {}, []])
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["enum", "equal", "string", "currency", "array", "object", "date"])}
    ),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["object", "array", "tuple", "multi", "record", "string"])},
            optional={
                "props": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
                **dict.fromkeys(OPTIONS, inner | JSON),
            },
        )
        | st.dictionaries(
            st.sampled_from(["a", "$$type", "$$strict", "$$root", "type", "b.c"]), inner | JSON, max_size=3
        )
    ),
    max_leaves=6,
)


@given(RULES | JSON, JSON)
def test_whatever_info_says_there_is_a_form_or_a_sentence_why_not(schema: Any, value: Any) -> None:
    form = Form(schema)
    assert form.broken or form.field.kind
    assert all(each.message for each in form.problems(form.start()))
    assert all(isinstance(each.path, tuple) for each in form.problems(value))
