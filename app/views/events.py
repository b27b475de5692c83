"""Events: what is sent, by whom, to which groups, who listens, and who got it."""

from __future__ import annotations

from app.desk import Desk
from app.items.records import Column
from app.record_view import Kind, RecordView, first_last, namespace_column
from app.views.registry import MAIN, View, register
from app.widgets.format import NOTHING, count, rate
from broker.mesh import inventory
from broker.mesh.answers import EventRecord
from broker.mesh.subject import Subject


def _unheard(event: EventRecord) -> str:
    return "slow" if event.packets and not event.subscribers and not event.received_by else ""


COLUMNS: tuple[Column[EventRecord], ...] = (
    Column("event", lambda e: e.name, lambda e: (e.name.startswith("$"), e.name), width=220),
    namespace_column(),
    Column(
        "packets",
        lambda e: rate(e.rate),
        lambda e: e.rate,
        True,
        80,
        tip=lambda e: f"{count(e.packets)} packets",
        tone=lambda e: "" if e.packets else "dim",
        note="Packets between nodes, a second; one for each receiver",
    ),
    Column(
        "groups",
        lambda e: ", ".join(e.groups) or NOTHING,
        width=150,
        note="Of a balanced event one node a group gets it; a broadcast names no group",
    ),
    Column("sent by", lambda e: ", ".join(e.emitters) or NOTHING, width=170),
    Column(
        "subscribed",
        lambda e: ", ".join(e.subscribers) or NOTHING,
        width=0,
        tone=_unheard,
        note="Nodes whose INFO subscribes to it, patterns matched",
    ),
    Column(
        "received by", lambda e: ", ".join(e.received_by) or NOTHING, width=170, note="Nodes that were seen to get it"
    ),
    *first_last("the event"),
)

KIND = Kind(
    title="Events",
    icon="bullhorn-outline",
    columns=COLUMNS,
    key=lambda event: (event.namespace, event.name),
    subject=lambda event: Subject("event", event.namespace, event.name),
    question=lambda snapshot, span, wanted: inventory.events(snapshot, span, filter=wanted),
    comings=("event",),
)


def build(desk: Desk) -> RecordView:
    """The view for a desk."""
    return RecordView(desk, KIND)


register(View(id="events", title="Events", area=MAIN, order=90, icon="bullhorn-outline", build=build))
