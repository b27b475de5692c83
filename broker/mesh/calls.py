"""Single calls: the newest, one by its address, and those that wait."""

# ruff: noqa: A002 - `filter` is the word of the views
from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from broker.clock import MILLISECOND, SECOND
from broker.mesh.answers import CallRecord, WaitingCall
from broker.mesh.blocks import CallBlock
from broker.mesh.cuts import Cut, cut_of
from broker.mesh.durations import milliseconds
from broker.mesh.filter import EMPTY, Filter
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot
from broker.observe.journal import COUNTED_OUTCOMES, CallFlag, NameKind, OpenCall, Outcome

WAITED_S: Final = 1.0
"""A call is said to wait when it has been open for so long."""


def recent(
    snapshot: Snapshot,
    span: Span,
    *,
    subject: Subject | None = None,
    filter: Filter = EMPTY,
    limit: int = 100,
    show_ours: bool = False,
) -> list[CallRecord]:
    """The newest calls of a span, newest first.

    Args:
        snapshot: Where to look.
        span: When they ended.
        subject: Whose; of a node, a service or a group, those that it sent too.
        filter: What they have to pass. Late, second and orphaned answers are there only if it asks for the outcome.
        limit: How many at most.
        show_ours: Whether calls made by this program are there.
    """
    with_others = "outcome" in filter.fields()
    found: list[CallRecord] = []
    for block in reversed(snapshot.call_blocks):
        cut = cut_of(snapshot, block, span, filter, subject=subject, side="either", show_ours=show_ours)
        if cut is None:
            continue
        rows = cut.numbers() if with_others else cut.numbers()[cut.column("outcome") < COUNTED_OUTCOMES]
        if not block.is_sorted:
            rows = rows[np.argsort(block.times[rows], kind="stable")]
        newest = rows[: -(limit - len(found)) - 1 : -1]
        found.extend(_record(snapshot, block, int(row)) for row in newest)
        if len(found) >= limit:
            break
    return found


def record(snapshot: Snapshot, address: tuple[int, int]) -> CallRecord | None:
    """One call by its address, (block id, row); None when it was forgotten."""
    blocks = snapshot.call_blocks
    index = address[0] - blocks[0].id if blocks else -1
    if not 0 <= index < len(blocks) or not 0 <= address[1] < blocks[index].count:
        return None
    return _record(snapshot, blocks[index], address[1])


def _record(snapshot: Snapshot, block: CallBlock, row: int) -> CallRecord:
    def value(name: str) -> int:
        return int(block.column(name)[row])

    names, action = snapshot.names, value("action")
    duration_ms = float(milliseconds(block.column("duration_s")[row : row + 1])[0])
    end_ns = value("end_ns")
    return CallRecord(
        address=(block.id, row),
        begin_ns=end_ns - round(duration_ms * MILLISECOND),
        end_ns=end_ns,
        duration_ms=duration_ms,
        namespace=names.namespace_text(NameKind.ACTION, action),
        action=names.text(NameKind.ACTION, action),
        service=snapshot.directory.service_of_action(action),
        caller=names.text(NameKind.SERVICE, value("caller")),
        source=names.text(NameKind.NODE, value("source")),
        target=names.text(NameKind.NODE, value("target")),
        outcome=Outcome(value("outcome")).name.lower(),
        error=names.error_label(value("error")),
        level=value("level"),
        request_size=value("request_size"),
        response_size=value("response_size"),
        trace=value("trace"),
        request_frame=value("request_frame"),
        response_frame=value("response_frame"),
        ours=bool(value("flags") & CallFlag.OURS),
    )


def waiting(
    snapshot: Snapshot,
    at_ns: int | None = None,
    *,
    subject: Subject | None = None,
    filter: Filter = EMPTY,
    limit: int = 1_000,
) -> list[WaitingCall]:
    """Calls that had been open for more than a second at a moment, longest first.

    Args:
        snapshot: Where to look.
        at_ns: The moment, in ns since the epoch; None for now.
        subject: Whose: an action, a service, a node at either end, an endpoint or an edge; None for everybody's.
        filter: What they have to pass; they have no outcome, error or duration yet.
        limit: How many at most.
    """
    moment_ns = snapshot.through_ns if at_ns is None else at_ns
    calls = list(_open_at(snapshot, moment_ns))
    calls.sort(key=lambda call: call.begin_ns)
    found: list[WaitingCall] = []
    for call in calls:
        told = _waiting(snapshot, call, moment_ns)
        if _is_about(snapshot, told, subject) and (filter.is_empty or filter.matches(_fields(snapshot, told))):
            found.append(told)
            if len(found) >= limit:
                break
    return found


def waiting_count(snapshot: Snapshot, at_ns: int) -> int:
    """How many calls had been open for more than a second at a moment."""
    return sum(1 for _ in _open_at(snapshot, at_ns))


def _open_at(snapshot: Snapshot, at_ns: int) -> Iterator[OpenCall]:
    """Calls that had been open for more than a second at a moment, in no order."""
    until_ns = at_ns - round(WAITED_S * SECOND)
    yield from (call for call in snapshot.waiting if call.begin_ns <= until_ns)
    if at_ns < snapshot.through_ns:
        yield from _waited(snapshot, at_ns)


def _waiting(snapshot: Snapshot, call: OpenCall, at_ns: int) -> WaitingCall:
    names = snapshot.names
    return WaitingCall(
        namespace=names.namespace_text(NameKind.ACTION, call.action),
        action=names.text(NameKind.ACTION, call.action),
        caller=names.text(NameKind.SERVICE, call.caller),
        source=names.text(NameKind.NODE, call.source),
        target=names.text(NameKind.NODE, call.target),
        begin_ns=call.begin_ns,
        waited_ms=(at_ns - call.begin_ns) / MILLISECOND,
    )


def _waited(snapshot: Snapshot, at_ns: int) -> Iterator[OpenCall]:
    """Calls that have ended since, and were waiting then."""
    for block in snapshot.call_blocks:
        if block.to_ns <= at_ns:
            continue
        begin_ns = block.times - np.rint(milliseconds(block.column("duration_s")) * MILLISECOND).astype(np.int64)
        waited = (block.times > at_ns) & (begin_ns <= at_ns - WAITED_S * SECOND)
        waited &= block.column("outcome") < COUNTED_OUTCOMES
        cut = Cut(block, np.flatnonzero(waited))
        columns = (cut.column(name).tolist() for name in ("action", "caller", "source", "target", "trace"))
        for begin, *ends in zip(begin_ns[waited].tolist(), *columns, strict=True):
            yield OpenCall(0, begin, 0, *ends)


def _fields(snapshot: Snapshot, call: WaitingCall) -> dict[str, object]:
    return {
        "namespace": call.namespace,
        "action": call.action,
        "service": _service(snapshot, call),
        "caller": call.caller or f"node:{call.source}",
        "source": call.source,
        "target": call.target,
        "node": (call.source, call.target),
    }


def _service(snapshot: Snapshot, call: WaitingCall) -> str:
    number = snapshot.names.find(NameKind.ACTION, call.namespace, call.action)
    return snapshot.directory.service_of_action(number or 0)


def _is_about(snapshot: Snapshot, call: WaitingCall, subject: Subject | None) -> bool:
    if subject is None:
        return True
    if call.namespace != subject.namespace:
        return False
    ends = {call.source, call.target}
    caller = call.caller or f"node:{call.source}"
    return {
        "action": lambda: call.action == subject.name,
        "endpoint": lambda: (call.action, call.target) == (subject.name, subject.other),
        "node": lambda: subject.name in ends,
        "service": lambda: subject.name in {_service(snapshot, call), call.caller} and subject.other in {"", *ends},
        "edge": lambda: _edge_fits(subject, {caller, f"node:{call.source}"}, {_service(snapshot, call), call.target}),
    }.get(subject.kind, lambda: False)()


def _edge_fits(subject: Subject, callers: set[str], targets: set[str]) -> bool:
    return subject.name in callers and subject.other.removeprefix("node:") in targets
