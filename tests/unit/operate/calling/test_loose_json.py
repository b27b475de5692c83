"""JSON with variables."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.operate.calling.loose_json import (
    NotJsonError,
    dumps,
    loads,
    problem_of,
    quoted,
    replaced,
    variables_in,
)
from broker.operate.calling.variables import Values, missing, resolve

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_variables_are_found_in_texts_and_in_the_place_of_values():
    found = variables_in('{"a": {{user id}}, "b": "x {{ host }}", "token": {{secret:token}}, "c": {{n}}}')
    assert [(v.name, v.is_secret, v.is_in_text) for v in found] == [
        ("host", False, True),
        ("token", True, False),
        ("n", False, False),
    ]


def test_a_plain_variable_is_the_json_it_holds_and_otherwise_a_text():
    values = Values({"id": "4711", "name": 'say "hi"', "list": "[1, 2]"})
    assert json.loads(resolve('{"a": {{id}}, "b": {{name}}, "c": {{list}}}', values)) == {
        "a": 4711,
        "b": 'say "hi"',
        "c": [1, 2],
    }


def test_a_text_that_is_nothing_but_a_variable_is_its_value_too():
    values = Values({"id": "4711", "zip": '"04109"'}, ("pin",), {"pin": "0042"}.__getitem__)
    assert json.loads(resolve('{"id": "{{id}}", "zip": "{{zip}}", "pin": "{{secret:pin}}", "{{id}}" : 1}', values)) == {
        "id": 4711,
        "zip": "04109",
        "pin": "0042",
        "4711": 1,
    }


def test_letters_of_a_variable_stand_inside_a_text_whatever_they_are():
    values = Values({"name": 'a "quoted"\nline \\'})
    assert json.loads(resolve('{"hello {{name}}": "to {{name}}!"}', values)) == {
        'hello a "quoted"\nline \\': 'to a "quoted"\nline \\!'
    }


def test_a_secret_is_always_a_text():
    values = Values({}, ("pin",), {"pin": "0042"}.__getitem__)
    assert json.loads(resolve('{"pin": {{secret:pin}}}', values)) == {"pin": "0042"}


def test_a_secret_that_the_key_store_does_not_give_is_not_sent_as_nothing():
    with pytest.raises(LookupError, match=r"\{\{secret:pin\}\} has no value in the key store"):
        resolve("{{secret:pin}}", Values({}, ("pin",), lambda _name: ""))


def test_what_cannot_be_resolved_is_told_once_a_name():
    assert missing('{"a": {{id}}, "b": "{{id}} {{secret:token}}"}', Values()) == [
        "variable id has no value in this profile; set it, or write {{{{id}}}} for the text itself",
        "secret variable token has no value in this profile; set it, or write {{{{secret:token}}}} for the text itself",
    ]


def test_four_braces_are_a_text_with_two():
    assert resolve('{"template": "Dear {{{{name}}}}"}', Values()) == '{"template": "Dear {{name}}"}'
    assert missing('{"template": "Dear {{{{name}}}}"}', Values()) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '{"a": {{x}}, "b": 1,}',
            "not JSON at column 21: expecting property name enclosed in double quotes, found '}'",
        ),
        ('{\n  "a": {{x}},\n  "b" 1\n}', "not JSON at line 3, column 7: expecting ':' delimiter, found '1'"),
        ("{", "not JSON at column 2: expecting property name enclosed in double quotes, found the end"),
        ('{"a": NaN}', "NaN is no JSON"),
    ],
)
def test_a_problem_points_at_the_place_as_it_is_written(text: str, problem: str):
    assert problem_of(text) == problem


def test_nothing_is_right():
    assert problem_of("  \n") == ""


def test_variables_stay_as_written_when_json_is_written_anew():
    assert dumps(loads('{"a":{{secret:token}},"b":["{{x}} y"]}')) == (
        '{\n  "a": {{secret:token}},\n  "b": [\n    "{{x}} y"\n  ]\n}'
    )


@given(JSON_VALUES)
def test_captured_json_means_itself_once_it_is_quoted(value: object):
    text = quoted(json.dumps(value))
    assert json.loads(resolve(text, Values())) == value
    assert variables_in(text) == []


@given(st.text())
def test_no_text_is_too_odd(text: str):
    variables_in(text)
    replaced(text, lambda variable: variable.written)
    try:
        loads(text)
    except NotJsonError:
        assert problem_of(text) or not text.strip()
