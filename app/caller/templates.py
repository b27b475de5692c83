"""From a call or an action of the mesh to a template in the caller."""

from __future__ import annotations

from app.desk import Desk
from broker.mesh import calls
from broker.mesh.subject import Subject
from broker.operate.calling.captured import Template, template_of
from broker.operate.calling.request import Request

FORGOTTEN = "That call is no longer held: memory is bounded."


def can_be_template(subject: Subject | None) -> bool:
    """Whether something can be sent that begins with it."""
    return subject is not None and bool(subject.name) and subject.kind in ("action", "endpoint", "call", "event")


def template_title(subject: Subject) -> str:
    """What is offered to do with it."""
    return {"call": "Use as template", "event": "Emit…"}.get(subject.kind, "Call…")


def use_subject(desk: Desk, subject: Subject) -> None:
    """Lead to the caller, with this to begin with; of a call, with all that it carried."""
    if subject.kind == "call":
        _use_call(desk, subject)
    elif subject.kind == "event":
        desk.use_template(Template(Request("emit", subject.name, subject.namespace)))
    else:
        node_id = subject.other if subject.kind == "endpoint" else ""
        desk.use_template(Template(Request("call", subject.name, subject.namespace, node_id=node_id)))


def _use_call(desk: Desk, subject: Subject) -> None:
    found = calls.record(desk.snapshot, subject.address)
    if found is None:
        desk.use_template(Template(Request("call", subject.name, subject.namespace), (FORGOTTEN,)))
        return
    masks = desk.keeping.masks
    desk.body(
        found.request_frame,
        lambda body: desk.use_template(template_of(found.namespace, found.action, body, masks=masks)),
    )
