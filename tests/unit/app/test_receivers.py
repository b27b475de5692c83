"""Who will get an event, told before it is sent."""

from __future__ import annotations

from app.caller.catalogue import receivers_lines, receivers_told
from broker.mesh.receivers import GroupReceivers, Receivers

FOUND = Receivers(
    (
        GroupReceivers("order.*", "log", ("log",), ("log-1",)),
        GroupReceivers("order.created", "mail", ("mail", "v2.mail"), ("mail-1", "mail-2")),
    ),
    ("log-1", "mail-1", "mail-2"),
)


def test_an_emitted_event_reaches_one_node_of_each_group_and_a_broadcast_one_all() -> None:
    assert receivers_told(FOUND, "emit") == "One node of each of 2 groups will get it."
    assert receivers_told(FOUND, "broadcast") == "Every listening node will get it: 3 nodes."
    assert receivers_told(Receivers((), ()), "emit").startswith("Nobody listens to it now")


def test_each_group_has_a_line_and_a_pattern_is_told() -> None:
    assert receivers_lines(FOUND, "order.created") == [
        "log: log on log-1 (as order.*)",
        "mail: mail, v2.mail on mail-1, mail-2",
    ]
    assert receivers_lines(FOUND, "order.created", most=1) == ["log: log on log-1 (as order.*)", "and 1 more"]
