"""What a tap subscribes to."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.transport.redis.tap import patterns


def test_all_namespaces_are_one_pattern():
    assert patterns(None) == ["MOL*"]


def test_a_namespace_is_the_literal_pattern_that_an_acl_allows():
    assert patterns(["", "prod", "eu.prod-2", "prod"]) == ["MOL.*", "MOL-prod.*", "MOL-eu.prod-2.*"]


@pytest.mark.parametrize("character", list("*?[]\\^"))
def test_characters_that_mean_something_in_a_pattern_are_escaped(character):
    assert patterns([f"a{character}b"]) == [f"MOL-a\\{character}b.*"]


@given(st.text("ab*?", min_size=1, max_size=6), st.text("ab*?", min_size=1, max_size=6))
def test_a_pattern_matches_its_own_namespace_and_no_other(mine, theirs):
    glob = patterns([mine])[0].replace("\\*", "[*]").replace("\\?", "[?]")
    assert fnmatchcase(f"MOL-{theirs}.INFO", glob) == (mine == theirs)
