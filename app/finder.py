"""What the palette offers: views, commands, and everything of the mesh that has a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from app.caller.templates import use_subject
from app.desk import Desk
from app.views.registry import View
from app.widgets.palette import Entry
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NameKind

ICONS = {"node": "server-outline", "service": "cube-outline", "action": "function-variant", "event": "bullhorn-outline"}
LEADS = {"node": "nodes", "service": "graph", "action": "latency", "event": "events"}
KINDS = (("service", NameKind.SERVICE), ("action", NameKind.ACTION), ("node", NameKind.NODE), ("event", NameKind.EVENT))


def named(snapshot: Snapshot) -> list[Subject]:
    """Everything that has a name, services first; in the worker."""
    found: dict[Subject, None] = {}
    for kind in ("service", "node"):
        for namespace, key in snapshot.state.of_kind(kind):
            found[Subject(kind, namespace, key)] = None
    for kind, names in KINDS:
        texts, namespaces = snapshot.names.texts(names), snapshot.names.namespace_texts_of(names)
        for text, namespace in list(zip(texts, namespaces, strict=True))[1:-1]:
            found[Subject(kind, namespace, text)] = None  # type: ignore[arg-type]
    return list(found)


def entries_of(desk: Desk, subjects: Sequence[Subject]) -> list[Entry]:
    """The things of the mesh as entries; choosing one leads to where it can be understood."""
    found = [
        Entry(
            subject.name,
            f"{subject.kind}{_where(subject)}",
            ICONS[subject.kind],
            partial(desk.show_view, LEADS[subject.kind], subject),
        )
        for subject in subjects
    ]
    found += [
        Entry(f"Call {subject.name}…", f"caller{_where(subject)}", "send-outline", partial(use_subject, desk, subject))
        for subject in subjects
        if subject.kind == "action"
    ]
    return found


def _where(subject: Subject) -> str:
    return f" in {subject.namespace}" if subject.namespace else ""


def entries_of_views(views: Sequence[View], show: Callable[[str], None]) -> list[Entry]:
    """The views as entries."""
    return [Entry(view.title, "view", view.icon, partial(show, view.id)) for view in views]
