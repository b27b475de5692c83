"""Nodes: who is there, with what client, on which host, how busy, since when."""

from __future__ import annotations

import math

from app.columns import figure_columns
from app.desk import Desk
from app.items.records import Column
from app.record_view import Kind, RecordView, first_last, namespace_column
from app.views.registry import MAIN, View, register
from app.widgets.format import NOTHING, percent
from broker.mesh import inventory
from broker.mesh.answers import NodeRecord
from broker.mesh.subject import Subject

STATES = {
    "online": ("● online", "ok"),
    "offline": ("▲ offline", "failed"),
    "supposed": ("? supposed", "dim"),
    "remembered": ("◷ remembered", "dim"),
}


def _services(node: NodeRecord) -> str:
    # $node is on every node and says nothing of this one
    return ", ".join(name for name in node.services if not name.startswith("$")) or NOTHING


def _cpu_order(node: NodeRecord) -> float:
    return -1.0 if math.isnan(node.cpu) else node.cpu


COLUMNS: tuple[Column[NodeRecord], ...] = (
    Column("node", lambda n: n.node_id, lambda n: (n.ours, n.node_id), width=130),
    Column(
        "state",
        lambda n: "this program" if n.ours else STATES[n.state][0],
        width=110,
        tone=lambda n: "dim" if n.ours else STATES[n.state][1],
        tip=lambda n: n.reason or STATES[n.state][0][2:],
    ),
    namespace_column(),
    Column(
        "CPU",
        lambda n: percent(n.cpu),
        _cpu_order,
        is_number=True,
        width=70,
        bar=lambda n: None if math.isnan(n.cpu) else n.cpu / 100,
        note="Of the host, as the node's heartbeat says",
    ),
    *figure_columns(lambda n: n.received),
    Column("services", _services, lambda n: len(n.services), width=0),
    Column("client", lambda n: n.client or NOTHING, width=120),
    Column("runs on", lambda n: n.lang_version or NOTHING, width=84, tone=lambda _n: "dim"),
    Column("protocol", lambda n: n.protocol or NOTHING, width=78, tone=lambda _n: "dim"),
    Column("host", lambda n: n.hostname or NOTHING, width=120, tip=lambda n: ", ".join(n.ips) or "no address told"),
    Column(
        "restarts",
        lambda n: str(n.restarts),
        lambda n: n.restarts,
        is_number=True,
        width=76,
        tone=lambda n: "slow" if n.restarts else "dim",
        note="How often it came back as another instance",
    ),
    *first_last("the node"),
)

KIND = Kind(
    title="Nodes",
    icon="server-outline",
    columns=COLUMNS,
    key=lambda node: (node.namespace, node.node_id),
    subject=lambda node: Subject("node", node.namespace, node.node_id),
    # what we ourselves are is said in the bar
    question=lambda snapshot, span, wanted: [
        node for node in inventory.nodes(snapshot, span, filter=wanted) if not node.ours
    ],
    comings=("node", "gap", "clock"),
)


def build(desk: Desk) -> RecordView:
    """The view for a desk."""
    return RecordView(desk, KIND)


register(View(id="nodes", title="Nodes", area=MAIN, order=60, icon="server-outline", build=build))
