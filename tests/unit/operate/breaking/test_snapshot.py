"""What a plan needs to know, out of a timeline."""

from __future__ import annotations

from broker.agent.signature import Endpoint
from broker.clock import MILLISECOND
from broker.observe.journal import Outcome
from broker.operate.breaking.known import BreakerFact, HelperFact, HoldFact, WayFact
from broker.operate.breaking.planning import plan
from broker.operate.breaking.snapshot import known_of
from broker.operate.breaking.wish import Scope, Wish
from tests.unit.mesh.mesh_builder import Mesh, at

PAY = Endpoint("pay-1", "pay.charge")
HELPER = {"instance": "run-7", "program": "p", "acts": True, "refused": {}}


def shop() -> Mesh:
    mesh = Mesh("prod")
    for node_id in ("shop-1", "cron-1", "pay-1", "pay-2"):
        mesh.node(0, node_id)
    mesh.node(0, "meshscope-1", ours=True)
    mesh.service(0, "pay", ["pay-1", "pay-2"], ["charge"])
    mesh.calls(90, "pay.charge", source="shop-1", target="pay-1", caller="orders")
    mesh.calls(30, "pay.charge", source="shop-1", target="pay-1", caller="carts", outcome=Outcome.TIMED_OUT)
    mesh.calls(12, "pay.charge", source="cron-1", target="pay-1")
    mesh.calls(9, "old.thing", source="cron-1", target="shop-1")
    heard = HELPER | {"at_ns": at(58) - 4000 * MILLISECOND, "heard_ns": at(58)}
    mesh.change(58, "helper", "shop-1", heard, "helper")
    held = {"state": "held-open", "under": "half-open", "hold": "h1", "by": "ann@desk", "reason": "r"}
    mesh.change(
        50, "breaker", "shop-1|pay-1:pay.charge", held | {"until_ns": at(90), "enabled": True, "count": 7}, "helper"
    )
    mesh.change(50, "breaker", "shop-1|pay-2:pay.charge", held | {"until_ns": at(55), "under": "closed"}, "helper")
    return mesh


def test_calls_helpers_holds_and_offers_are_known_of_one_namespace() -> None:
    known = known_of(shop().snapshot(60), "prod")
    assert round(known.window_s) == 60
    assert known.nodes == ("cron-1", "pay-1", "pay-2", "shop-1")
    assert known.helpers == {"shop-1": HelperFact("shop-1", "run-7", True, False, -4000.0)}
    assert known.offers == {"pay.charge": ("pay", ("pay-1", "pay-2")), "old.thing": ("old", ("shop-1",))}
    assert sorted(known.ways, key=lambda way: -way.calls) == [
        WayFact("shop-1", PAY, 120, 30, ("orders", "carts")),
        WayFact("cron-1", PAY, 12, 0, ()),
        WayFact("cron-1", Endpoint("shop-1", "old.thing"), 9, 0, ()),
    ]
    assert known.breakers[:2] == (
        BreakerFact("shop-1", PAY, "half-open", True, 7, HoldFact("h1", "open", "ann@desk", "r", at(90))),
        BreakerFact("shop-1", Endpoint("pay-2", "pay.charge"), "closed", None, 0, None),
    )
    assert known_of(shop().snapshot(60), "test").ways == ()


def test_only_the_last_minutes_count() -> None:
    known = known_of(shop().snapshot(60), "prod", window_s=30.0)
    assert {way.owner: way.calls for way in known.ways if way.endpoint == PAY} == {"shop-1": 60, "cron-1": 6}


def test_a_node_that_is_gone_offers_nothing_and_its_helper_cannot_be_told() -> None:
    mesh = shop().node(59, "pay-2", "offline").node(59, "shop-1", "offline")
    known = known_of(mesh.snapshot(60), "prod")
    assert (known.offers["pay.charge"], known.helpers) == (("pay", ("pay-1",)), {})


def test_a_plan_comes_out_of_a_timeline() -> None:
    wish = Wish("hold", "prod", Scope(node_id="pay-1", action="pay.charge"), "open", 60.0, by="bob@desk")
    made = plan(wish, known_of(shop().snapshot(60), "prod"))
    assert made.preview[1] == "120 calls/min from shop-1 (orders, carts) will go to pay-2; 25% of them fail now."
    assert made.warnings == (
        "Not reached, and go on as before: cron-1 (no helper, 12 calls/min).",
        "1 hold in force will be replaced, of ann@desk.",
        "Nodes that join later are not held.",
    )
