"""What the side panel tells of one subject: asked in the worker, plain data, no Qt."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from app.breakers.cards import facts_of, state_text, way_of
from app.widgets.format import NOTHING, byte_size, call_ms, clock_time, count, date_time, length, percent
from broker.mesh import calls, inventory, latency
from broker.mesh.answers import ActionRow, CallRecord, Coming, Figures, Series
from broker.mesh.boxes import group_member
from broker.mesh.breaker_states import breaker_at, breakers_at, key_of
from broker.mesh.comings import turning_points
from broker.mesh.edge_breakers import breakers_of
from broker.mesh.filter import EMPTY, Filter, parse
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot

RECENT = 12
ROWS = 12
BUCKETS = 90
HEAT_ROWS = 16


class BreakerFact(NamedTuple):
    """A breaker, as of the end of the span.

    Attributes:
        owner: The node that holds it.
        endpoint: What it guards: "node:action".
        state: closed, open, half-open, ...
        since_ns: Since when.
        source: How it is known: event, helper, asked, guess.
    """

    owner: str
    endpoint: str
    state: str
    since_ns: int
    source: str = "event"


ORPHAN_TITLE: Final = "Answer without a request"
"""An orphan names no action."""


@dataclass(frozen=True, slots=True)
class SideFacts:
    """What the panel shows of a subject, from top to bottom.

    Attributes:
        subject: Of what.
        title: What it is called.
        kind: What it is, in a word.
        about: One line of what it is.
        figures: How it is now; None where calls make no sense.
        series: How it was.
        facts: Name and value of what else is known.
        table_title, table: What is in it, or what goes through it.
        breakers: What stands between it and its callers, the open ones first.
        schema: Parameters or settings, as JSON text.
        recent: What just happened.
        frames: Captured frames of a call: request, response.
        is_known: Whether the mesh knows it in this span.
        marks: What may explain its curves: nodes that came, went or were deployed anew, breakers.
    """

    subject: Subject | None
    title: str
    kind: str
    about: str = ""
    figures: Figures | None = None
    series: Series | None = None
    facts: tuple[tuple[str, str], ...] = ()
    table_title: str = ""
    table: tuple[ActionRow, ...] = ()
    breakers: tuple[BreakerFact, ...] = ()
    schema_title: str = ""
    schema: str = ""
    recent: tuple[CallRecord, ...] = ()
    frames: tuple[tuple[str, int], ...] = ()
    is_known: bool = True
    marks: tuple[Coming, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about one subject."""

    snapshot: Snapshot
    span: Span
    subject: Subject


def side_facts(subject: Subject | None, span: Span, wanted: Filter, snapshot: Snapshot) -> SideFacts:
    """Everything the panel shows of a subject over a span; of the whole mesh, filtered, for None."""
    if subject is None:
        return _mesh(snapshot, span, wanted)
    return _BY_KIND.get(subject.kind, _unknown)(Asked(snapshot, span, subject))


def _mesh(snapshot: Snapshot, span: Span, wanted: Filter) -> SideFacts:
    series = latency.series(snapshot, span, subject=None, filter=wanted, buckets=BUCKETS, heat_rows=HEAT_ROWS)
    found = series[0] if series else None
    rows = latency.action_table(snapshot, span, filter=wanted, by="service", spark_buckets=16)
    heard = [row for row in rows if row.figures.calls]
    return SideFacts(
        None,
        "Whole mesh" if wanted.is_empty else "What the filter leaves",
        "mesh",
        "Select anything to see it here",
        figures=found.total if found else Figures(),
        series=found,
        table_title="Services",
        table=tuple(sorted(heard, key=lambda row: -row.figures.calls)[:ROWS]),
        recent=tuple(calls.recent(snapshot, span, filter=wanted, limit=RECENT)),
        marks=tuple(turning_points(snapshot, span)),
    )


def _flow(question: Asked) -> dict[str, Any]:
    """Figures, curves and recent calls of the subject."""
    snapshot, span, subject = question.snapshot, question.span, question.subject
    series = latency.series(snapshot, span, subject=subject, buckets=BUCKETS, heat_rows=HEAT_ROWS)
    found = series[0] if series else None
    recent = tuple(calls.recent(snapshot, span, subject=subject, limit=RECENT))
    marks = tuple(turning_points(snapshot, span))
    return {"figures": found.total if found else Figures(), "series": found, "recent": recent, "marks": marks}


def _breakers(question: Asked, concerns: Callable[[str, str, str], bool]) -> tuple[BreakerFact, ...]:
    """Breakers that concern the subject: told owner, endpoint's node, endpoint's action."""
    found = []
    for one in breakers_at(question.snapshot, question.span.to_ns, namespace=question.subject.namespace):
        key, is_quiet = one.key, one.state == "closed" and one.count == 0  # a helper lists every endpoint that there is
        if not is_quiet and concerns(key.owner, key.node_id, key.action):
            found.append(BreakerFact(key.owner, key.endpoint, one.state, one.since_ns, one.source))
    return tuple(sorted(found, key=lambda fact: (fact.state == "closed", -fact.since_ns))[:ROWS])


def _rows(question: Asked, by: str, wanted: Callable[[Subject], bool]) -> tuple[ActionRow, ...]:
    """Rows of the latency table that belong to the subject, the busiest first."""
    rows = latency.action_table(question.snapshot, question.span, by=by, spark_buckets=16)  # type: ignore[arg-type]
    namespace = question.subject.namespace
    mine = [row for row in rows if row.figures.calls and row.subject.namespace == namespace and wanted(row.subject)]
    return tuple(sorted(mine, key=lambda row: -row.figures.calls)[:ROWS])


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str) if value else ""


def _joined(names: tuple[str, ...], at_most: int = 6) -> str:
    more = f" and {count(len(names) - at_most)} more" if len(names) > at_most else ""
    return ", ".join(names[:at_most]) + more if names else NOTHING


def _service(question: Asked) -> SideFacts:
    subject = question.subject
    records = inventory.services(question.snapshot, question.span, filter=EMPTY)
    found = next((r for r in records if (r.namespace, r.full_name) == (subject.namespace, subject.name)), None)
    nodes = found.nodes + found.offline_nodes if found else ()
    mine = set(found.actions) if found else set()
    about = (
        f"{count(len(nodes))} instance{'' if len(nodes) == 1 else 's'} · {_joined(nodes, 4)}" if nodes else "no node"
    )
    facts = [
        ("namespace", subject.namespace or NOTHING),
        ("known by", "the names of its actions" if found and found.supposed else "INFO packets"),
        ("listens to", _joined(found.events) if found else NOTHING),
        ("first seen", date_time(found.first_ns) if found else NOTHING),
    ]
    if found and found.offline_nodes:
        facts.insert(0, ("offline", _joined(found.offline_nodes)))
    here = subject.other
    return SideFacts(
        subject,
        f"{subject.name} on {here}" if here else subject.name,
        "instance" if here else "service",
        f"one of {about}" if here else about,
        facts=tuple(facts),
        table_title="Actions",
        table=_rows(
            question,
            "endpoint" if here else "action",
            lambda s: (s.name in mine or s.name.rpartition(".")[0] == subject.name) and here in ("", s.other),
        ),
        breakers=_breakers(
            question, lambda _o, node, action: action.rpartition(".")[0] == subject.name and here in ("", node)
        ),
        schema_title="Settings",
        schema=_pretty(found.settings) if found else "",
        is_known=found is not None,
        **_flow(question),
    )


def _node(question: Asked) -> SideFacts:
    subject = question.subject
    records = inventory.nodes(question.snapshot, question.span, filter=EMPTY)
    found = next((r for r in records if (r.namespace, r.node_id) == (subject.namespace, subject.name)), None)
    if found is None:
        return SideFacts(subject, subject.name, "node", "not known in this window", is_known=False, **_flow(question))
    about = " · ".join(
        part for part in (found.state, found.client, f"protocol {found.protocol}" if found.protocol else "") if part
    )
    facts = (
        ("reason", found.reason or NOTHING),
        ("namespace", found.namespace or NOTHING),
        ("host", found.hostname or NOTHING),
        ("addresses", _joined(found.ips)),
        ("CPU", percent(found.cpu)),
        ("runs on", found.lang_version or NOTHING),
        ("instance", found.instance_id or NOTHING),
        ("restarts", count(found.restarts)),
        ("first seen", date_time(found.first_ns)),
        ("last seen", date_time(found.last_ns)),
        ("services", _joined(found.services, 20)),
    )
    return SideFacts(
        subject,
        subject.name,
        "node",
        about,
        facts=facts if found.reason else facts[1:],
        table_title="What it answers",
        table=_rows(question, "endpoint", lambda s: s.other == subject.name),
        breakers=_breakers(question, lambda owner, node, _a: subject.name in (owner, node)),
        schema_title="Metadata",
        schema=_pretty(found.metadata),
        **_flow(question),
    )


def _action(question: Asked) -> SideFacts:
    subject = question.subject
    records = inventory.actions(question.snapshot, question.span, filter=EMPTY)
    found = next((r for r in records if (r.namespace, r.name) == (subject.namespace, subject.name)), None)
    nodes = found.nodes if found else ()
    facts = (
        ("service", found.service if found else NOTHING),
        ("namespace", subject.namespace or NOTHING),
        ("cached by", (found.cached if found else "") or "not cached"),
        ("visibility", (found.visibility if found else "") or "published"),
        ("first seen", date_time(found.first_ns) if found else NOTHING),
        ("last seen", date_time(found.last_ns) if found else NOTHING),
    )
    return SideFacts(
        subject,
        subject.name,
        "action",
        f"offered by {_joined(nodes)}" if nodes else "no node is known to offer it",
        facts=facts,
        table_title="By endpoint",
        table=_rows(question, "endpoint", lambda s: s.name == subject.name),
        breakers=_breakers(question, lambda _o, _n, action: action == subject.name),
        schema_title="Parameters",
        schema=_pretty(found.params) if found else "",
        is_known=found is not None,
        **_flow(question),
    )


def _edge(question: Asked) -> SideFacts:
    subject = question.subject
    caller, called = subject.name, subject.other
    for prefix in ("node:", "outside:", "namespace:", "version:"):
        caller, called = caller.removeprefix(prefix), called.removeprefix(prefix)
    is_outside = subject.name.startswith(("node:", "outside:")) and not called.startswith("node:")
    about = "calls from outside services" if is_outside else "calls from the one to the other"
    found = breakers_of(question.snapshot, question.span, subject)
    return SideFacts(
        subject,
        f"{caller} → {called}",
        "edge",
        about,
        facts=(("caller", caller), ("called", called), ("namespace", subject.namespace or NOTHING)),
        breakers=tuple(
            BreakerFact(one.owner, f"{one.node_id}:{one.action}", one.state, one.since_ns, one.source) for one in found
        ),
        **_flow(question),
    )


def _breaker(question: Asked) -> SideFacts:
    """One breaker, and the calls that it lets through."""
    subject, snapshot, span = question.subject, question.snapshot, question.span
    key = key_of(subject.namespace, subject.name)
    found = breaker_at(snapshot, key, span.to_ns)
    word, _ = state_text(found)
    side = f'target = "{key.node_id}"' if key.is_own else f'source = "{key.owner}" and target = "{key.node_id}"'
    wanted = parse(f'action = "{key.action}" and {side}')
    series = latency.series(snapshot, span, filter=wanted, buckets=BUCKETS, heat_rows=HEAT_ROWS)
    return SideFacts(
        subject,
        key.action,
        "breaker",
        f"{way_of(key)} · {word}",
        figures=series[0].total if series else Figures(),
        series=series[0] if series else None,
        recent=tuple(calls.recent(snapshot, span, filter=wanted, limit=RECENT // 2)),
        facts=facts_of(found, "", min(span.to_ns, snapshot.through_ns)),
        marks=tuple(turning_points(snapshot, span)),
    )


def _group(question: Asked) -> SideFacts:
    """Everything of a namespace, or of a version."""
    subject = question.subject
    kind, _, name = subject.name.partition(":")
    snapshot = question.snapshot
    member = group_member(snapshot.directory, subject.namespace, subject.name)
    names = [key[1] for key, is_in in zip(snapshot.directory.services, member.tolist(), strict=True) if is_in]
    shown = tuple(sorted(one for one in names if not one.startswith("$")))
    return SideFacts(
        subject,
        name or "(no namespace)" if kind == "namespace" else name,
        kind or "group",
        f"{count(len(shown))} service{'' if len(shown) == 1 else 's'}",
        facts=(("namespace", subject.namespace or NOTHING), ("services", _joined(shown, 20))),
        table_title="Services",
        table=_rows(question, "service", lambda s: s.name in shown),
        **_flow(question),
    )


def _endpoint(question: Asked) -> SideFacts:
    subject = question.subject
    facts = (("action", subject.name), ("node", subject.other), ("namespace", subject.namespace or NOTHING))
    return SideFacts(
        subject,
        f"{subject.name} on {subject.other}",
        "endpoint",
        "an action as one node offers it",
        facts=facts,
        **_flow(question),
    )


def _event(question: Asked) -> SideFacts:
    subject = question.subject
    records = inventory.events(question.snapshot, question.span, filter=EMPTY)
    found = next((r for r in records if (r.namespace, r.name) == (subject.namespace, subject.name)), None)
    if found is None:
        return SideFacts(subject, subject.name, "event", "not seen in this window", is_known=False)
    facts = (
        ("packets", f"{count(found.packets)} in {length(question.span.seconds)}"),
        ("namespace", found.namespace or NOTHING),
        ("groups", _joined(found.groups)),
        ("sent by", _joined(found.emitters, 12)),
        ("subscribed", _joined(found.subscribers, 12)),
        ("received by", _joined(found.received_by, 12)),
        ("first seen", date_time(found.first_ns)),
        ("last seen", date_time(found.last_ns)),
    )
    return SideFacts(
        subject,
        subject.name,
        "event",
        "one packet for each receiver",
        facts=facts,
        schema_title="Parameters",
        schema=_pretty(found.params),
    )


def _call(question: Asked) -> SideFacts:
    subject = question.subject
    found = calls.record(question.snapshot, subject.address)
    if found is None:
        return SideFacts(subject, subject.name, "call", "no longer held: memory is bounded", is_known=False)
    if found.outcome == "orphan":
        return _orphan(subject, found)
    outcome = found.outcome.replace("_", " ")
    facts = (
        ("outcome", f"{outcome} · {found.error}" if found.error else outcome),
        ("duration", call_ms(found.duration_ms)),
        ("began", f"{clock_time(found.begin_ns, with_ms=True)}"),
        ("ended", f"{clock_time(found.end_ns, with_ms=True)}"),
        ("caller", found.caller or "outside services"),
        ("from node", found.source or NOTHING),
        ("to node", found.target or NOTHING),
        ("level", str(found.level)),
        ("request", byte_size(found.request_size)),
        ("response", byte_size(found.response_size)),
        ("trace", f"{found.trace:016x}" if found.trace else NOTHING),
        ("namespace", found.namespace or NOTHING),
    )
    frames = (("Request", found.request_frame), ("Response", found.response_frame))
    return SideFacts(
        subject,
        found.action,
        "call",
        f"{outcome} after {call_ms(found.duration_ms)}",
        facts=facts,
        frames=tuple(frame for frame in frames if frame[1]),
    )


def _orphan(subject: Subject, found: CallRecord) -> SideFacts:
    """An answer of whose call nothing else is known; what it carries may be a node's secrets, and is kept nowhere."""
    facts = (
        ("heard", clock_time(found.end_ns, with_ms=True)),
        ("from node", found.target or NOTHING),
        ("to node", found.source or NOTHING),
        ("error", found.error or NOTHING),
        ("response", byte_size(found.response_size)),
        ("payload", "not kept: request not heard"),
    )
    frames = (("Response", found.response_frame),) if found.response_frame else ()
    return SideFacts(subject, ORPHAN_TITLE, "answer", "its request was not heard", facts=facts, frames=frames)


def _gap(question: Asked) -> SideFacts:
    return SideFacts(question.subject, "Nothing heard", "gap", question.subject.name)


def _unknown(question: Asked) -> SideFacts:
    subject = question.subject
    return SideFacts(subject, subject.name or subject.kind, subject.kind, subject.namespace)


_BY_KIND: dict[str, Callable[[Asked], SideFacts]] = {
    "service": _service,
    "node": _node,
    "action": _action,
    "edge": _edge,
    "endpoint": _endpoint,
    "event": _event,
    "call": _call,
    "gap": _gap,
    "group": _group,
    "breaker": _breaker,
}


def filter_for(subject: Subject) -> Filter | None:
    """The filter that shows only this subject; None where there is none."""
    texts = {
        "service": f'service = "{subject.name}"' + (f' and node = "{subject.other}"' if subject.other else ""),
        "node": f'node = "{subject.name}"',
        "action": f'action = "{subject.name}"',
        "endpoint": f'action = "{subject.name}" and node = "{subject.other}"',
    }
    text = texts.get(subject.kind)
    return parse(text) if text else None
