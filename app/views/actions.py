"""Actions: what can be called, with which parameters, how it is cached, who offers it, how it goes."""

from __future__ import annotations

from app.columns import figure_columns, name_of_health
from app.desk import Desk
from app.items.records import Column
from app.record_view import Kind, RecordView, first_last, namespace_column
from app.views.registry import MAIN, View, register
from app.widgets.controls import SIGNS
from app.widgets.format import NOTHING, count
from broker.mesh import inventory
from broker.mesh.answers import ActionRecord
from broker.mesh.subject import Subject


def params_line(params: object) -> str:
    """Parameters in one line: "id: number, note?: string"."""
    if not isinstance(params, dict):
        return NOTHING if not params else "alternatives"
    parts = []
    for name, rule in params.items():
        if str(name).startswith("$$"):
            continue
        text = rule if isinstance(rule, str) else rule.get("type", "…") if isinstance(rule, dict) else "…"
        optional = isinstance(rule, dict) and (rule.get("optional") is True or "default" in rule)
        kind, *options = str(text).split("|")
        optional = optional or "optional" in options
        parts.append(f"{name}{'?' if optional else ''}: {kind}")
    return ", ".join(parts) or NOTHING


def _title(action: ActionRecord) -> str:
    sign = SIGNS[action.health]
    return f"{sign} {action.name}" if sign else action.name


COLUMNS: tuple[Column[ActionRecord], ...] = (
    Column("action", _title, lambda a: (a.name.startswith("$"), a.name), width=200, tone=name_of_health),
    namespace_column(),
    Column("parameters", lambda a: params_line(a.params), width=0, tone=lambda _a: "dim"),
    *figure_columns(lambda a: a.figures),
    Column(
        "cached by",
        lambda a: a.cached or NOTHING,
        width=120,
        tone=lambda a: "" if a.cached else "dim",
        note="What the answer is kept by; cached answers never reach the bus",
    ),
    Column("visibility", lambda a: a.visibility or "published", width=90, tone=lambda _a: "dim"),
    Column(
        "on nodes",
        lambda a: count(len(a.nodes)),
        lambda a: len(a.nodes),
        True,
        80,
        tip=lambda a: ", ".join(a.nodes),
        tone=lambda a: "" if a.nodes else "dim",
    ),
    Column("known by", lambda a: "traffic" if a.supposed else "INFO", width=80, tone=lambda _a: "dim"),
    *first_last("the action"),
)

KIND = Kind(
    title="Actions",
    icon="function-variant",
    columns=COLUMNS,
    key=lambda action: (action.namespace, action.name),
    subject=lambda action: Subject("action", action.namespace, action.name),
    question=lambda snapshot, span, wanted: inventory.actions(snapshot, span, filter=wanted),
    comings=("action",),
)


class ActionsView(RecordView):
    """Drilling into an action shows its latency."""

    opens_in = "latency"


def build(desk: Desk) -> RecordView:
    """The view for a desk."""
    return ActionsView(desk, KIND)


register(View(id="actions", title="Actions", area=MAIN, order=80, icon="function-variant", build=build))
