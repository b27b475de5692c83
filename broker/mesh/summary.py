"""The summary that ``inspect --json`` prints."""

from __future__ import annotations

from typing import Any, Final

from broker.mesh.breaker_states import breakers_at
from broker.mesh.export import number
from broker.mesh.inventory_events import events
from broker.mesh.inventory_nodes import nodes
from broker.mesh.inventory_services import services, value_until
from broker.mesh.latency import gaps_in
from broker.mesh.span import Span
from broker.mesh.summary_calls import count_calls
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NameKind

FORMAT: Final = 1


def summary(snapshot: Snapshot, span: Span | None = None) -> dict[str, Any]:
    """What was there and what was done, as plain data ready for JSON.

    ``calls`` counts requests first seen in the span, those still open among
    them: they are known once they have been open for a second, or when the
    session's last ``advance`` tells of them, so take the summary after it.

    Args:
        snapshot: Where to look.
        span: [from, to); None for everything. Totals that have no time of their own (lost packets,
            open requests, orphaned answers) are those of the whole session.
    """
    whole = snapshot.everything()
    asked = whole if span is None else span
    calls = count_calls(snapshot, asked)
    return {
        "format": FORMAT,
        "from_ns": asked.from_ns,
        "to_ns": asked.to_ns,
        "packets": _packets(snapshot, asked, is_whole=asked.from_ns <= whole.from_ns and asked.to_ns >= whole.to_ns),
        "gaps": _gaps(snapshot, asked),
        "nodes": _nodes(snapshot, asked),
        "services": _services(snapshot, asked),
        "actions": calls.actions,
        "edges": calls.edges,
        "events": _events(snapshot, asked),
        "traces": {"count": calls.traces, "deepest": calls.deepest},
        "breakers": _breakers(snapshot, asked),
    }


def _packets(snapshot: Snapshot, span: Span, *, is_whole: bool) -> dict[str, Any]:
    tally, counters = snapshot.tally, snapshot.counters
    by_type: dict[str, int] = {}
    for (_, kind), packets in sorted(counters.total(span, "packets").items()):
        text = snapshot.names.text(NameKind.PACKET_TYPE, kind)
        by_type[text] = by_type.get(text, 0) + packets
    totals = {name: sum(counters.total(span, name).values()) for name in ("bytes", "undecodable", "ours")}
    return {
        "total": tally.packets if is_whole else sum(by_type.values()),
        "bytes": tally.bytes if is_whole else totals["bytes"],
        "by_type": dict(sorted(by_type.items())),
        "undecodable": tally.undecodable if is_whole else totals["undecodable"],
        "undecodable_reasons": dict(tally.undecodable_reasons),
        "lost": tally.lost,
        "requests_open": tally.requests_open,
        "requests_timed_out": tally.requests_timed_out,
        "responses_orphaned": tally.responses_orphaned,
        "responses_late": tally.responses_late,
        "responses_doubled": tally.responses_doubled,
        "ours": tally.ours if is_whole else totals["ours"],
    }


def _gaps(snapshot: Snapshot, span: Span) -> list[dict[str, Any]]:
    found = []
    for gap in gaps_in(snapshot, span):
        held = snapshot.state.at("gap", "", "", gap.from_ns)
        reason = held.value.get("reason") if held is not None and held.value else None
        found.append({"from_ns": gap.from_ns, "to_ns": gap.to_ns, "reason": str(reason or "")})
    return found


def _nodes(snapshot: Snapshot, span: Span) -> list[dict[str, Any]]:
    found = []
    for record in nodes(snapshot, span, show_ours=False):
        held = snapshot.state.at("node", record.namespace, record.node_id, span.to_ns)
        client = ((held.value if held else None) or {}).get("client") or {}
        found.append(
            {
                "id": record.node_id,
                "namespace": record.namespace,
                "state": record.state,
                "reason": record.reason,
                "protocol": record.protocol,
                "client": {part: str(client.get(part) or "") for part in ("type", "version", "lang_version")},
                "hostname": record.hostname,
                "ips": list(record.ips),
                "instance_id": record.instance_id,
                "cpu": number(record.cpu),
                "services": list(record.services),
            }
        )
    return found


def _services(snapshot: Snapshot, span: Span) -> list[dict[str, Any]]:
    found = []
    for record in services(snapshot, span):
        value = value_until(snapshot.state.history("service", record.namespace, record.full_name), span.to_ns)
        found.append(
            {
                "namespace": record.namespace,
                "name": record.name,
                "version": value.get("version"),
                "full_name": record.full_name,
                "supposed": record.supposed,
                "nodes": list(record.nodes),
            }
        )
    return found


def _events(snapshot: Snapshot, span: Span) -> list[dict[str, Any]]:
    return [
        {
            "namespace": record.namespace,
            "name": record.name,
            "emitters": list(record.emitters),
            "subscribers": list(record.subscribers),
            "packets": record.packets,
        }
        for record in events(snapshot, span)
    ]


def _breakers(snapshot: Snapshot, span: Span) -> list[dict[str, Any]]:
    return [
        {
            "namespace": breaker.key.namespace,
            "owner": breaker.key.owner,
            "endpoint": breaker.key.endpoint,
            "state": breaker.state,
            "since_ns": breaker.since_ns,
            "source": breaker.source,
        }
        for breaker in breakers_at(snapshot, span.to_ns)
    ]
