"""Who will get an event, before it is sent."""

from __future__ import annotations

from app.caller.catalogue import Receiver, Receivers, receivers, receivers_told
from broker.mesh.timeline import Timeline
from broker.observe.journal import Batch, StateChange

SECOND = 1_000_000_000


def timeline() -> Timeline:
    made = Timeline()
    offers = {
        "mail-1": {"events": {"order.created": {"group": "mail"}}},
        "mail-2": {"events": {"order.created": {"group": "mail"}}},
        "gone-1": {"events": {"order.created": {"group": "mail"}}},
    }
    changes = [
        StateChange("node", "prod", "mail-1", SECOND, {"state": "online"}, "info"),
        StateChange("node", "prod", "mail-2", SECOND, {"state": "online"}, "info"),
        StateChange("node", "prod", "gone-1", SECOND, {"state": "offline"}, "info"),
        StateChange("node", "prod", "log-1", SECOND, {"state": "online"}, "info"),
        StateChange("service", "prod", "mail", SECOND, {"name": "mail", "nodes": offers}, "info"),
        StateChange(
            "service", "prod", "log", SECOND, {"name": "log", "nodes": {"log-1": {"events": {"order.*": {}}}}}, "info"
        ),
    ]
    made.take(Batch(through_ns=2 * SECOND, changes=changes))
    return made


def test_groups_services_and_online_nodes_are_told() -> None:
    found = receivers("prod", "order.created", (), timeline().snapshot())
    assert found == Receivers(
        (Receiver("log", "log", ("log-1",), "order.*"), Receiver("mail", "mail", ("mail-1", "mail-2"))), ("gone-1",)
    )
    assert receivers_told(found, "emit") == "One node of each of 2 groups will get it."
    assert receivers_told(found, "broadcast") == "Every listening node will get it: 3 nodes."


def test_only_wanted_groups_get_it() -> None:
    found = receivers("prod", "order.created", ("mail",), timeline().snapshot())
    assert found.groups == ("mail",)
    assert receivers_told(found, "emit") == "One node of each of 1 group will get it."


def test_another_namespace_hears_nothing() -> None:
    found = receivers("test", "order.created", (), timeline().snapshot())
    assert found == Receivers()
    assert receivers_told(found, "emit").startswith("Nobody listens to it now")
