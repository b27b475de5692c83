"""Which nodes are there at a moment, and which services they offer."""

from __future__ import annotations

from dataclasses import dataclass

from broker.mesh.span import Span
from broker.mesh.state import Key, interval_at
from broker.mesh.timeline import Snapshot

GONE_STATES = frozenset({"offline", "remembered"})


def gone_nodes(snapshot: Snapshot, at_ns: int) -> set[Key]:
    """(namespace, node id) of the nodes that are known and not there at a moment, or not known to be there."""
    gone = set()
    for key, history in snapshot.state.of_kind("node").items():
        held = interval_at(history, at_ns)
        if held is not None and (held.value is None or held.value.get("state") in GONE_STATES):
            gone.add(key)
    return gone


def remembered_nodes(snapshot: Snapshot, at_ns: int) -> set[Key]:
    """(namespace, node id) of the nodes that are known from an earlier session only."""
    return {key for key, value, _ in snapshot.state.values_at("node", at_ns) if value.get("state") == "remembered"}


def our_nodes(snapshot: Snapshot) -> set[Key]:
    """(namespace, node id) of the nodes that are this program's own."""
    return {
        key
        for key, history in snapshot.state.of_kind("node").items()
        if any(one.value is not None and one.value.get("ours") for one in history)
    }


@dataclass(frozen=True, slots=True)
class Offer:
    """Where a service is.

    Attributes:
        online: Node ids that offer it now, sorted.
        offline: Node ids that offered it in the span and do not now, sorted.
        supposed: No INFO names it.
    """

    online: tuple[str, ...]
    offline: tuple[str, ...]
    supposed: bool = False

    @property
    def nodes(self) -> tuple[str, ...]:
        """All of them, online first."""
        return self.online + self.offline


def offers(snapshot: Snapshot, span: Span) -> dict[Key, Offer]:
    """Where each service was in a span, as of its end; by (namespace, full name)."""
    gone = gone_nodes(snapshot, span.to_ns)
    found = {}
    for key, history in snapshot.state.of_kind("service").items():
        now: set[str] = set()
        ever: set[str] = set()
        supposed = False
        for one in history:
            if one.value is not None and one.meets(span):
                ever.update(one.value.get("nodes") or ())
                supposed = bool(one.value.get("supposed"))
            if one.from_ns <= span.to_ns < one.to_ns:
                now = set((one.value or {}).get("nodes") or ())
        online = {node_id for node_id in now if (key[0], node_id) not in gone} if gone else now
        if ever or now:
            found[key] = Offer(tuple(sorted(online)), tuple(sorted((ever | now) - online)), supposed)
    return found
