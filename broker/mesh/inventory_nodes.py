"""The nodes of a mesh."""

# ruff: noqa: A002 - `filter` is the word of the views
from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal, cast

from broker.mesh.answers import NodeRecord
from broker.mesh.filter import EMPTY, Filter
from broker.mesh.inventory_figures import Figured, figured, first_of
from broker.mesh.presence import our_nodes
from broker.mesh.span import Span
from broker.mesh.state import History, Interval, Key
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NameKind

State = Literal["online", "offline", "supposed", "remembered"]


def nodes(snapshot: Snapshot, span: Span, *, filter: Filter = EMPTY, show_ours: bool = True) -> list[NodeRecord]:
    """The nodes known at the end of a span, in order of namespace and id.

    Args:
        snapshot: Where to look.
        span: When calls ended that are counted; states are as of its end.
        filter: What calls have to pass; a node without any is there only if the filter fits itself.
        show_ours: Whether this program's own nodes are there.
    """
    received = figured(snapshot, span, "target", filter, with_health=False, show_ours=show_ours)
    sent = figured(snapshot, span, "source", filter, with_health=False, show_ours=show_ours)
    loads, ours = snapshot.loads.last(Span(0, span.to_ns)), our_nodes(snapshot)
    states = {key: (held, interval) for key, held, interval in snapshot.state.values_at("node", span.to_ns)}
    records = []
    for key in sorted(states.keys() | _seen(snapshot, span)):
        if key in ours and not show_ours:
            continue
        value, interval = states.get(key, ({}, None))
        record = _record(snapshot, span, key, value, interval, received, sent, loads.get(key), key in ours)
        if record.received.calls or record.sent.calls or filter.matches(_fields(record)):
            records.append(record)
    return records


def _seen(snapshot: Snapshot, span: Span) -> set[Key]:
    """Nodes that rows name, whoever told of them, and that no state tells to be gone for good."""
    names = snapshot.names
    spaces, texts = names.namespace_texts_of(NameKind.NODE), names.texts(NameKind.NODE)
    return {
        (spaces[number], texts[number])
        for number in range(1, names.count(NameKind.NODE))
        if 0 <= snapshot.seen.first_ns(NameKind.NODE, number) < span.to_ns
        and not snapshot.state.history("node", spaces[number], texts[number])
    }


def _record(
    snapshot: Snapshot,
    span: Span,
    key: Key,
    value: dict[str, Any],
    interval: Interval | None,
    received: Figured,
    sent: Figured,
    cpu: float | None,
    ours: bool,
) -> NodeRecord:
    number = snapshot.names.find(NameKind.NODE, *key)
    history = snapshot.state.history("node", *key)
    first_ns, last_ns = _moments(snapshot, span, number, history, value)
    client = value.get("client") or {}
    is_online = value.get("state") == "online"
    return NodeRecord(
        namespace=key[0],
        node_id=key[1],
        state=cast("State", value.get("state") or "supposed"),
        reason=str(value.get("reason") or ("" if interval else "it was called; nothing else is known of it")),
        protocol=str(value.get("protocol") or ""),
        client=" ".join(str(client[part]) for part in ("type", "version") if client.get(part)),
        lang_version=str(client.get("lang_version") or ""),
        hostname=str(value.get("hostname") or ""),
        ips=tuple(str(ip) for ip in value.get("ips") or ()),
        instance_id=str(value.get("instance_id") or ""),
        cpu=cpu if cpu is not None and is_online else float("nan"),
        services=tuple(value.get("services") or ()),
        first_ns=first_ns,
        last_ns=last_ns,
        restarts=restarts(history, span.to_ns),
        received=received.of(number),
        sent=sent.of(number),
        metadata=value.get("metadata") or {},
        ours=ours,
    )


def _moments(
    snapshot: Snapshot, span: Span, number: int | None, history: History, value: dict[str, Any]
) -> tuple[int, int]:
    """When a node was first and last heard of, as of the end of a span; one that is online is heard now."""
    began = [one.from_ns for one in history if one.value is not None and one.value.get("state") != "remembered"]
    rows = (snapshot.seen.first_ns, snapshot.seen.last_ns)
    first_row, last_row = (moment(NameKind.NODE, number) if number is not None else -1 for moment in rows)
    end_ns = min(span.to_ns, snapshot.through_ns)
    last_ns = end_ns if value.get("state") == "online" else min(end_ns, max([last_row, *began], default=0))
    return first_of(first_row, *began[:1]), max(0, last_ns)


def restarts(history: History, before_ns: int) -> int:
    """How often another instance came under the same id."""
    instances = [
        str(one.value["instance_id"])
        for one in history
        if one.value is not None and one.value.get("instance_id") and one.from_ns < before_ns
    ]
    return sum(one != other for one, other in pairwise(instances))


def _fields(record: NodeRecord) -> dict[str, object]:
    return {"node": record.node_id, "namespace": record.namespace, "service": record.services}
