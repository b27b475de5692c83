"""From a wish and what is known to a plan: targets by name, what it will hit, what to know before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broker.agent.signature import Endpoint
from broker.clock import SECOND
from broker.operate.breaking.known import BreakerFact, HelperFact, HoldFact, Known, WayFact
from broker.operate.breaking.planning import plan, release_mine
from broker.operate.breaking.wish import Scope, Wish

NOW_NS = 1_730_000_000 * SECOND
PAY_1, PAY_2 = Endpoint("pay-1", "payments.charge"), Endpoint("pay-2", "payments.charge")
REFUND_1 = Endpoint("pay-1", "payments.refund")
ANN = "ann@desk"


def helper(node_id: str, **changes: Any) -> HelperFact:
    return replace(HelperFact(node_id, f"run of {node_id}", skew_ms=0.0), **changes)


KNOWN = Known(
    namespace="prod",
    at_ns=NOW_NS,
    window_s=120.0,
    nodes=("cron-1", "pay-1", "pay-2", "shop-1", "shop-2"),
    helpers={each: helper(each) for each in ("shop-1", "shop-2", "pay-1")},
    offers={
        "payments.charge": ("payments", ("pay-1", "pay-2")),
        "payments.refund": ("payments", ("pay-1",)),
        "shop.sell": ("shop", ("shop-1",)),
        "$node.list": ("$node", ("pay-1",)),
    },
    ways=(
        WayFact("shop-1", PAY_1, 3720, 1562, ("orders",)),
        WayFact("shop-2", PAY_1, 40, 0, ()),
        WayFact("cron-1", PAY_1, 20, 0, ("billing", "mail", "report")),
        WayFact("shop-1", REFUND_1, 12, 6, ("orders",)),
    ),
    breakers=(
        BreakerFact("shop-1", PAY_1, "closed", True, 31),
        BreakerFact("shop-1", REFUND_1, "closed", False, 0),
    ),
)


def wish(verb: Any = "hold", **scope: Any) -> Wish:
    held = {"state": "open", "for_s": 300.0} if verb == "hold" else {}
    return Wish(verb, "prod", Scope(**scope), reason="slow", by=ANN, **held)


def targets(made: Any) -> list[str]:
    return [f"{step.helper.node_id} {step.endpoint}" for step in made.steps]


def test_all_callers_of_an_endpoint_are_each_node_with_a_helper_and_the_others_are_named() -> None:
    made = plan(wish(node_id="pay-1", action="payments.charge"), KNOWN)
    assert targets(made) == ["shop-1 pay-1:payments.charge", "shop-2 pay-1:payments.charge"]
    assert [(each.node_id, each.why, each.calls_per_min) for each in made.untouched] == [("cron-1", "no helper", 10.0)]
    assert made.preview == (
        "2 breakers, passed by 1,880 calls/min (seen in the last 2 min): other nodes take them.",
        "1,860 calls/min from shop-1 (orders) will go to pay-2; 42% of them fail now.",
        "20 calls/min from shop-2 will go to pay-2.",
    )
    assert made.warnings == (
        "Not reached, and go on as before: cron-1 (no helper, 10 calls/min).",
        "Nodes that join later are not held.",
    )
    assert (made.second_warning, made.refused, made.name) == ("", "", "payments.charge")


def test_calls_that_no_other_node_takes_will_fail() -> None:
    made = plan(wish(action="payments.charge"), KNOWN)
    assert targets(made)[0] == "shop-1 pay-1:payments.charge"
    assert made.preview[:2] == (
        "5 breakers, passed by 1,880 calls/min (seen in the last 2 min): they will fail at once with 404.",
        (
            "1,860 calls/min from shop-1 (orders) will fail at once with 404; "
            "shop-1 has no other endpoint for payments.charge; 42% of them fail now."
        ),
    )


def test_an_endpoint_whose_breaker_is_open_takes_no_calls_over() -> None:
    other = BreakerFact("shop-1", PAY_2, "open", True)
    made = plan(wish(caller="shop-1", node_id="pay-1", action="payments.charge"), replace(KNOWN, breakers=(other,)))
    assert (targets(made), made.steps[0].others) == (["shop-1 pay-1:payments.charge"], ())
    held = replace(other, hold=HoldFact("h", "closed"))
    made = plan(wish(caller="shop-1", node_id="pay-1", action="payments.charge"), replace(KNOWN, breakers=(held,)))
    assert made.steps[0].others == ("pay-2",)


def test_the_callees_own_breaker_is_a_target_only_when_asked_for_and_is_warned_of_by_itself() -> None:
    made = plan(wish(node_id="pay-1", action="payments.charge", with_callee=True), KNOWN)
    assert targets(made)[-1] == "pay-1 pay-1:payments.charge"
    assert made.second_warning.startswith("The endpoint's own breaker is among them (pay-1:payments.charge)")
    assert made.steps[-1].calls_per_min == 1890.0
    assert made.preview[0].startswith("3 breakers, passed by 1,890 calls/min")
    made = plan(wish(caller="pay-1", node_id="pay-1", action="payments.charge"), KNOWN)
    assert "its own breaker stops everybody" in made.refused


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"service": "payments"}, {"pay-1:payments.charge", "pay-1:payments.refund", "pay-2:payments.charge"}),
        ({"service": "payments", "node_id": "pay-2"}, {"pay-2:payments.charge"}),
        ({"node_id": "pay-1"}, {"pay-1:payments.charge", "pay-1:payments.refund"}),
        ({"action": "payments.charge"}, {"pay-1:payments.charge", "pay-2:payments.charge"}),
        ({"node_id": "shop-1"}, {"shop-1:shop.sell"}),
    ],
)
def test_a_scope_is_every_endpoint_of_a_service_a_node_or_an_action(scope: dict[str, str], expected: set[str]) -> None:
    made = plan(wish(**scope), KNOWN)
    assert {str(step.endpoint) for step in made.steps} == expected
    assert all(step.helper.node_id != step.endpoint.node for step in made.steps)


def test_a_trip_is_refused_where_all_breakers_are_disabled_and_a_hold_is_offered() -> None:
    made = plan(wish("trip", caller="shop-1", node_id="pay-1", action="payments.refund"), KNOWN)
    assert "disabled there, so it cannot be tripped" in made.refused
    assert made.instead is not None
    assert (made.instead.verb, made.instead.state, made.instead.for_s) == ("hold", "open", 300.0)
    assert targets(plan(made.instead, KNOWN)) == ["shop-1 pay-1:payments.refund"]


def test_disabled_breakers_among_others_are_left_out_of_a_trip_by_name() -> None:
    made = plan(wish("trip", caller="shop-1", service="payments"), KNOWN)
    assert {str(step.endpoint) for step in made.steps} == {"pay-1:payments.charge", "pay-2:payments.charge"}
    assert made.warnings == ("Disabled there, and left out (hold them instead): shop-1 → pay-1:payments.refund.",)


def test_a_hold_that_takes_anothers_place_and_helpers_that_may_not_answer_are_warned_of() -> None:
    held = BreakerFact("shop-1", PAY_1, "closed", True, hold=HoldFact("h1", "closed", "bob@desk"))
    helpers = {"shop-1": helper("shop-1", is_silent=True, skew_ms=None)}
    made = plan(
        wish(caller="shop-1", node_id="pay-1", action="payments.charge"),
        replace(KNOWN, breakers=(held,), helpers=helpers),
    )
    assert made.warnings == (
        "1 hold in force will be replaced, of bob@desk.",
        "Not heard for a minute, and may not answer: the helper of shop-1.",
        "How the clock of shop-1 goes is not known: over 30 s off, it will refuse.",
    )


def test_reset_and_release_are_planned_only_where_there_is_something_to_do() -> None:
    held = BreakerFact("shop-2", PAY_1, "open", True, hold=HoldFact("h1", "closed", ANN))
    known = replace(KNOWN, breakers=(*KNOWN.breakers, held))
    made = plan(wish("reset", service="payments"), known)
    assert targets(made) == ["shop-1 pay-1:payments.charge", "shop-2 pay-1:payments.charge"]
    assert made.preview == (
        "2 breakers on 2 nodes.",
        "shop-1 → pay-1:payments.charge: closed, will count from zero.",
        "shop-2 → pay-1:payments.charge: open now, will be closed and count from zero, and no longer held closed.",
    )
    made = plan(wish("release", service="payments"), known)
    assert [(step.helper.node_id, step.hold) for step in made.steps] == [("shop-2", "h1")]
    assert "is closed and has counted nothing" in plan(wish("reset", node_id="pay-2"), known).refused
    assert "Nothing is held" in plan(wish("release", node_id="pay-2"), known).refused


def test_all_of_mine_are_released_and_nobody_elses() -> None:
    facts = (
        BreakerFact("shop-1", PAY_1, "open", True, hold=HoldFact("h1", "closed", ANN)),
        BreakerFact("shop-2", PAY_1, "closed", True, hold=HoldFact("h2", "open", "bob@desk")),
        BreakerFact("cron-1", PAY_2, "closed", True, hold=HoldFact("h3", "open", ANN)),
    )
    made = release_mine(replace(KNOWN, breakers=facts), ANN)
    assert [(step.helper.node_id, step.hold) for step in made.steps] == [("shop-1", "h1")]
    assert made.warnings == ("cron-1 → pay-2:payments.charge stays held: no helper now.",)
    assert made.preview[1].endswith("no longer held closed by ann@desk; its breaker decides again, and is open.")
    assert release_mine(KNOWN, ANN).refused == "ann@desk holds nothing."


@pytest.mark.parametrize(
    ("scope", "known", "expected"),
    [
        ({}, KNOWN, "Nothing is named"),
        ({"action": "a.b", "service": "a"}, KNOWN, "choose one of them"),
        (
            {"node_id": "pay-9"},
            KNOWN,
            "Nobody is known to offer all actions on pay-9, so there is no breaker to set. Did",
        ),
        ({"service": "payment"}, KNOWN, "Did you mean payments?"),
        ({"action": "charge"}, KNOWN, "Did you mean payments.charge?"),
        ({"node_id": "pay-1", "action": "$node.list"}, KNOWN, "Nobody is known to offer"),
        ({"caller": "cron-1", "node_id": "pay-1"}, KNOWN, "cron-1 has no helper"),
        ({"node_id": "pay-1"}, replace(KNOWN, helpers={}), "No node has a helper"),
        (
            {"node_id": "pay-1"},
            replace(KNOWN, helpers={"shop-1": helper("shop-1", acts=False)}),
            "No helper has a secret",
        ),
    ],
)
def test_what_cannot_be_done_says_why_and_what_to_do(scope: dict[str, str], known: Known, expected: str) -> None:
    made = plan(wish(**scope), known)
    assert (made.steps, expected in made.refused) == ((), True), made.refused


@pytest.mark.parametrize("for_s", [0.0, -1.0, 86_401.0])
def test_a_hold_lasts_up_to_a_day(for_s: float) -> None:
    assert "24 hours" in plan(replace(wish(node_id="pay-1"), for_s=for_s), KNOWN).refused


def test_what_would_take_a_thousand_commands_is_refused() -> None:
    offers = {f"big.a{number}": ("big", ("pay-2",)) for number in range(400)}
    assert "1,200 commands" in plan(wish(service="big"), replace(KNOWN, offers=offers)).refused
