"""Event names and patterns: the verdicts of MoleculerJS's own matcher."""

import pytest

from broker.node.matching import matches


@pytest.mark.parametrize(
    ("name", "pattern", "verdict"),
    [
        ("user.created", "user.created", True),
        ("user.created", "user.removed", False),
        ("user.created", "user.*", True),
        ("user.created.now", "user.*", False),
        ("user.created.now", "user.**", True),
        ("user.created", "*", False),
        ("created", "*", True),
        ("a.b.c", "**", True),
        ("user.created", "user.?reated", True),
        ("user.created", "*.created", True),
        ("a.user.created", "*.created", False),
        ("a.user.created", "**.created", True),
        ("$circuit-breaker.opened", "$circuit-breaker.*", True),
        ("$node.connected", "$*.connected", True),
        ("useracreated", "user.*d", True),
        ("userXcreated", "user.?r*d", True),
        ("user..x", "user.*", True),
    ],
)
def test_a_pattern_means_what_it_means_to_moleculerjs(name, pattern, verdict):
    assert matches(name, pattern) is verdict


def test_a_pattern_that_is_no_regular_expression_means_itself():
    assert matches("a(*b", "a(*b")
    assert not matches("a(xb", "a(*b")
