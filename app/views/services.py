"""Services: what is offered, in which version, by which nodes."""

from __future__ import annotations

from app.columns import figure_columns, name_of_health
from app.desk import Desk
from app.items.records import Column
from app.record_view import Kind, RecordView, first_last, namespace_column
from app.views.registry import MAIN, View, register
from app.widgets.controls import SIGNS
from app.widgets.format import NOTHING, count
from broker.mesh import inventory
from broker.mesh.answers import ServiceRecord
from broker.mesh.subject import Subject


def _instances(service: ServiceRecord) -> str:
    gone = f", {count(len(service.offline_nodes))} offline" if service.offline_nodes else ""
    return f"{count(len(service.nodes))}{gone}"


def _instance_tone(service: ServiceRecord) -> str:
    return "" if service.nodes and not service.offline_nodes else "failed" if not service.nodes else "slow"


def _title(service: ServiceRecord) -> str:
    sign = SIGNS[service.health]
    return f"{sign} {service.full_name}" if sign else service.full_name


COLUMNS: tuple[Column[ServiceRecord], ...] = (
    Column("service", _title, lambda s: (s.full_name.startswith("$"), s.full_name), width=160, tone=name_of_health),
    namespace_column(),
    Column("instances", _instances, lambda s: len(s.nodes), True, 108, tone=_instance_tone),
    *figure_columns(lambda s: s.figures),
    Column(
        "on nodes", lambda s: ", ".join((*s.nodes, *(f"{n} (offline)" for n in s.offline_nodes))) or NOTHING, width=0
    ),
    Column(
        "actions",
        lambda s: count(len(s.actions)),
        lambda s: len(s.actions),
        True,
        70,
        tip=lambda s: ", ".join(s.actions),
    ),
    Column(
        "listens to",
        lambda s: count(len(s.events)),
        lambda s: len(s.events),
        True,
        80,
        tip=lambda s: ", ".join(s.events),
    ),
    Column("version", lambda s: s.version or NOTHING, width=70, tone=lambda _s: "dim"),
    Column(
        "known by",
        lambda s: "names of its actions" if s.supposed else "INFO",
        width=140,
        tone=lambda s: "slow" if s.supposed else "dim",
        note="A service is supposed until an INFO packet tells of it",
    ),
    *first_last("the service"),
)

KIND = Kind(
    title="Services",
    icon="cube-outline",
    columns=COLUMNS,
    key=lambda service: (service.namespace, service.full_name),
    subject=lambda service: Subject("service", service.namespace, service.full_name),
    question=lambda snapshot, span, wanted: inventory.services(snapshot, span, filter=wanted),
    comings=("service",),
)


def build(desk: Desk) -> RecordView:
    """The view for a desk."""
    return RecordView(desk, KIND)


register(View(id="services", title="Services", area=MAIN, order=70, icon="cube-outline", build=build))
