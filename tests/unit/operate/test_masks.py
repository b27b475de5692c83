"""What is secret is hidden in whatever is shown; what is not stays as it is, to the same object."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.operate.masks import MASKED, Masks

MASKS = Masks(("iban",), known=("s3cr3t-of-the-bus",))
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdef", max_size=6), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"password": "x", "name": "ann"}, {"password": MASKED, "name": "ann"}),
        ({"user": {"accessToken": "x", "n": 1}}, {"user": {"accessToken": MASKED, "n": 1}}),
        ({"x-api-key": 7, "cookies": ["a", {"b": 2}]}, {"x-api-key": MASKED, "cookies": [MASKED, {"b": MASKED}]}),
        ({"IBAN": "DE02"}, {"IBAN": MASKED}),
        ({"secret": None, "hasPassword": True}, {"secret": None, "hasPassword": True}),
        (["redis://u:hunter2@h:1"], ["redis://u:*******@h:1"]),
        ({"note": 'sent {"password": "hunter2"}'}, {"note": 'sent {"password": "*******"}'}),
        ({"log": "password=hunter2&n=1 token=abc"}, {"log": "password=***&n=1 token=***"}),
        ({"h": "Bearer abcdef123456"}, {"h": "Bearer ***"}),
        ({"jwt": f"it was {JWT}!"}, {"jwt": "it was ***!"}),
        ({"k": "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"}, {"k": MASKED}),
        ({"said": "with s3cr3t-of-the-bus in it"}, {"said": "with *** in it"}),
        ({"s3cr3t-of-the-bus": 1}, {"***": 1}),
    ],
)
def test_secrets_are_hidden(value: Any, masked: Any) -> None:
    assert MASKS.tree(value) == masked
    assert json.loads(MASKS.json_text(json.dumps(value))) == masked


@given(json_values)
def test_what_holds_no_secret_stays_the_same_object(value: Any) -> None:
    assert MASKS.tree(value) is value


@given(json_values)
def test_hiding_twice_is_hiding_once(value: Any) -> None:
    once = MASKS.tree({"tokens": value, "rest": value, "url": "redis://a:b@c"})
    assert MASKS.tree(once) == once


def test_a_nodes_options_are_hidden_whatever_they_are_called() -> None:
    options = {
        "namespace": "prod",
        "nodeID": "shop-1",
        "transporter": "redis://:hunter2@h:1",
        "cacher": {"type": "Redis", "options": {"redis": {"host": "h", "auth": "x", "db": 3}}},
        "requestTimeout": 10000,
        "circuitBreaker": {"enabled": True, "threshold": 0.5},
        "custom": ["sk_live_1"],
    }
    assert MASKS.tree(options, action="$node.options") == {
        "namespace": "prod",
        "nodeID": "shop-1",
        "transporter": MASKED,
        "cacher": {"type": "Redis", "options": {"redis": {"host": MASKED, "auth": MASKED, "db": 3}}},
        "requestTimeout": 10000,
        "circuitBreaker": {"enabled": True, "threshold": 0.5},
        "custom": [MASKED],
    }
    assert MASKS.json_text("not json", action="$node.options") == MASKED


@pytest.mark.parametrize("text", ["", "{", "caf\ud83d", '{"password": "x', "=", "password=", "://", "[" * 100_000])
def test_any_text_can_be_given(text: str) -> None:
    assert isinstance(MASKS.json_text(text), str)


def test_a_tree_too_deep_to_be_looked_into_is_hidden_as_a_whole() -> None:
    deep: Any = "x"
    for _ in range(20_000):
        deep = [deep]
    assert MASKS.tree(deep) == MASKED


def test_a_secret_that_becomes_known_is_hidden_from_then_on_under_any_name() -> None:
    masks = Masks()
    assert masks.tree({"q": "opensesame"}) == {"q": "opensesame"}
    masks.learn("opensesame")
    masks.learn("x")  # stands everywhere
    assert masks.tree({"q": "say opensesame, x"}) == {"q": "say ***, x"}


def test_a_message_that_only_names_a_field_stays_readable() -> None:
    text = "The 'password' field is required! expected: token, got = nothing"
    assert MASKS.text(text) == text
