"""Patterns of people and of Moleculer's subscriptions."""

from __future__ import annotations

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.mesh.patterns import dotted, glob
from broker.mesh.subscriptions import matches_event


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("user.created", "user.created", True),
        ("user.created", "user-created", False),
        ("user.**", "user.created.now", True),
        ("user**", "user", True),
        ("user.*", "user.created", True),
        ("user.*", "user.created.now", False),
        ("user.*", "user.", True),
        ("*", "user", True),
        ("*", "user.created", False),
        ("**", "user.created", True),
        ("*.created", "user.created", True),
        ("*.created", "a.user.created", False),
        ("**.created", "a.user.created", True),
        ("user.?reated", "user.created", True),
        ("user.*.now", "user.created.now", True),
        ("user.*.now", "userXcreated.now", True),
        ("$node.*", "$node.connected", True),
        ("$node.?onnected", "$node.connected", True),
    ],
)
def test_a_subscription_fits_as_moleculer_says(pattern, name, fits):
    assert matches_event(pattern, name) is fits


@given(st.text("ab.*?", max_size=8), st.text("ab.", max_size=8))
def test_stepping_through_a_pattern_is_what_the_regex_would_do(pattern, name):
    source = re.sub(r"\*\*|\*|\?", lambda found: {"**": ".*", "*": "[^.]*", "?": "."}[found[0]], pattern)
    assert dotted(pattern, name) == (re.fullmatch(source, name) is not None)


@given(st.text("abA*?", max_size=7), st.text("abA", max_size=8))
def test_a_glob_is_what_its_regex_would_do(pattern, name):
    source = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    if "*" not in pattern and "?" not in pattern:
        source = f".*{source}.*"
    assert glob(pattern)(name) == (re.fullmatch(source, name, re.IGNORECASE) is not None)


def test_a_hostile_pattern_takes_no_work():
    begin = process_time()
    for pattern in ("*a" * 50 + "b", "?*a" * 50 + "b", "**a" * 50 + "b"):
        assert not glob(pattern)("a" * 500)
        assert not dotted(pattern, "a" * 500)
    assert process_time() - begin < 5
