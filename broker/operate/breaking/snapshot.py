"""What a timeline knows of a mesh, as far as a plan needs it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from broker.agent.signature import Endpoint, HoldState
from broker.clock import MILLISECOND, SECOND
from broker.mesh.breaker_states import Breaker, breakers_at, coverage, with_settings
from broker.mesh.breaker_ways import ways
from broker.mesh.presence import gone_nodes, our_nodes
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot
from broker.observe.journal import Outcome
from broker.operate.breaking.known import BreakerFact, HelperFact, HoldFact, Known, WayFact

WINDOW_S: Final = 300.0
"""Calls of so long are counted, if so long was listened."""

Offers = dict[str, tuple[str, tuple[str, ...]]]


def known_of(snapshot: Snapshot, namespace: str, *, window_s: float = WINDOW_S) -> Known:
    """What is known now of one mesh.

    Args:
        snapshot: Of the timeline.
        namespace: Of the mesh.
        window_s: How far back calls are counted, at most.
    """
    at_ns = snapshot.through_ns
    from_ns = max(snapshot.begin_ns, at_ns - round(window_s * SECOND))
    span = Span(from_ns, at_ns + 1)
    counted = tuple(_ways(snapshot, span, namespace))
    gone = {node_id for space, node_id in gone_nodes(snapshot, at_ns) if space == namespace}
    ours = our_nodes(snapshot)
    nodes = sorted(
        node_id
        for (space, node_id), _, _ in snapshot.state.values_at("node", at_ns)
        if space == namespace and node_id not in gone and (space, node_id) not in ours
    )
    found = breakers_at(snapshot, at_ns, namespace=namespace)
    return Known(
        namespace,
        at_ns,
        span.seconds,
        tuple(nodes),
        {each.node_id: each for each in _helpers(snapshot, namespace, gone)},
        _offers(snapshot, namespace, at_ns, gone, counted),
        counted,
        tuple(_fact(with_settings(snapshot, each, at_ns), at_ns) for each in found),
    )


def _ways(snapshot: Snapshot, span: Span, namespace: str) -> Iterator[WayFact]:
    called = ways(snapshot, span)
    calls = called.table.calls.tolist()
    answered = called.table.outcomes[:, Outcome.OK].tolist()
    for way, services in enumerate(called.services()):
        key = called.key(way)
        if key.namespace == namespace:
            failed = calls[way] - answered[way]
            yield WayFact(key.owner, Endpoint(key.node_id, key.action), calls[way], failed, services)


def _helpers(snapshot: Snapshot, namespace: str, gone: set[str]) -> Iterator[HelperFact]:
    at_ns = snapshot.through_ns
    told = {key[1]: value for key, value, _ in snapshot.state.values_at("helper", at_ns) if key[0] == namespace}
    for (_, node_id), helper in coverage(snapshot, at_ns, namespace=namespace).helpers.items():
        if node_id not in gone:
            skew_ms = _skew_ms(told.get(node_id, {}))
            yield HelperFact(node_id, helper.instance, helper.acts, helper.is_silent, skew_ms)


def _skew_ms(value: dict[str, Any]) -> float | None:
    """How far a helper's clock is ahead, by when its list was written and when it was heard."""
    there_ns, here_ns = int(value.get("at_ns") or 0), int(value.get("heard_ns") or 0)
    return (there_ns - here_ns) / MILLISECOND if there_ns and here_ns else None


def _offers(snapshot: Snapshot, namespace: str, at_ns: int, gone: set[str], counted: tuple[WayFact, ...]) -> Offers:
    """Who offers what, as INFO says it; before any INFO, who was called."""
    services: dict[str, str] = {}
    nodes: dict[str, set[str]] = defaultdict(set)
    for (space, full_name), value, _ in snapshot.state.values_at("service", at_ns):
        if space != namespace:
            continue
        for node_id, offer in (value.get("nodes") or {}).items():
            for action in (offer or {}).get("actions") or ():
                if node_id not in gone:
                    services.setdefault(action, full_name)
                    nodes[action].add(node_id)
    for way in counted:
        action, node_id = way.endpoint.action, way.endpoint.node
        if node_id not in gone and action not in services:
            nodes[action].add(node_id)
    return {
        action: (services.get(action) or action.rpartition(".")[0], tuple(sorted(each)))
        for action, each in nodes.items()
    }


def _fact(breaker: Breaker, at_ns: int) -> BreakerFact:
    key = breaker.key
    hold = None
    if breaker.is_held and not 0 < breaker.until_ns <= at_ns:
        state: HoldState = "open" if breaker.state == "held-open" else "closed"
        hold = HoldFact(breaker.hold, state, breaker.by, breaker.reason, breaker.until_ns)
    beneath = breaker.under if breaker.is_held else breaker.state
    is_told = breaker.source != "guess"
    return BreakerFact(
        key.owner,
        Endpoint(key.node_id, key.action),
        beneath if is_told and beneath else "unknown",
        breaker.is_enabled,
        breaker.count or 0,
        hold,
    )
