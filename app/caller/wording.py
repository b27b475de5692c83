"""A request in words: what it hits, where, and what is written into the history."""

from __future__ import annotations

from typing import Final

from app.caller.catalogue import receivers_told
from app.caller.keeping import Keeping
from broker.mesh.receivers import Receivers
from broker.operate.calling.history import Entry
from broker.operate.calling.request import Request
from broker.operate.commands import Broadcast, Call, Command, Emit, Report

VERBS: Final = {"call": "Call", "emit": "Emit", "broadcast": "Broadcast"}
MOST_LETTERS: Final = 200


def as_written(request: Request) -> Command:
    """The command as it is judged: what it does and to what, variables as they are written."""
    if request.kind == "call":
        return Call(request.namespace, request.name, request.params, request.meta, node_id=request.node_id)
    kind = Emit if request.kind == "emit" else Broadcast
    return kind(request.namespace, request.name, request.params, request.meta, groups=request.groups)


def where_told(request: Request) -> str:
    """Where it goes."""
    on = f", on {request.node_id}" if request.node_id else ""
    return f"in {request.namespace or 'the empty namespace'}{on}"


def hits_told(request: Request, found: Receivers | None) -> str:
    """Whom it reaches."""
    if request.kind == "call":
        return f"One request to {request.node_id or 'one of the nodes that offer it'}."
    if found is None:
        return ""
    return f"{receivers_told(found, request.kind)} {', '.join(found.node_ids)}".strip()


def entry_of(request: Request, report: Report, keeping: Keeping, at_ns: int) -> Entry:
    """What the history keeps of it."""
    answer = report.answer
    error = answer.error if answer is not None else None
    if error is not None:
        message = " ".join(str(error[name]) for name in ("code", "type") if error.get(name))
        message = message or str(error.get("name") or "")
    else:
        message = "" if report.outcome == "done" else report.message
    return Entry(
        at_ns,
        keeping.place,
        request,
        report.outcome,
        keeping.masks.text(message)[:MOST_LETTERS],
        answer.duration_ms if answer is not None and answer.node_id else 0.0,
        answer.node_id if answer is not None else "",
        answer.size_bytes if answer is not None else 0,
    )
