"""Breakers that are not closed, on the edges of the graph that they stand on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.mesh.answers import EdgeBreaker, TopologyEdge
from broker.mesh.boxes import NO_BOX, Boxing
from broker.mesh.breaker_states import breakers_at
from broker.mesh.cuts import call_cuts
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot
from broker.mesh.way_codes import WayCodes

_ORDER: Final = ("open", "held-open", "half-open", "held-closed")


def with_breakers(snapshot: Snapshot, span: Span, boxes: Boxing, edges: list[TopologyEdge]) -> list[TopologyEdge]:
    """The edges with the breakers on them, as of the end of the span.

    A breaker lives on a node and is about an action of another node: it stands
    on the edges of whatever called that action from that node, in the span or
    in the same time before: what an open breaker holds back is not seen.
    """
    breakers = _not_closed(snapshot, span)
    found: dict[tuple[str, str], list[EdgeBreaker]] = {}
    for pair, code in _edges_of(snapshot, span, boxes, np.array(sorted(breakers), np.int64)):
        found.setdefault(pair, []).append(breakers[code])
    return [
        edge._replace(breakers=tuple(sorted(found[edge.source, edge.target], key=_rank)))
        if (edge.source, edge.target) in found
        else edge
        for edge in edges
    ]


def breakers_of(snapshot: Snapshot, span: Span, edge: Subject) -> tuple[EdgeBreaker, ...]:
    """The breakers that are not closed on one edge, the worst first."""
    breakers = _not_closed(snapshot, span)
    wanted = np.array(sorted(breakers), np.int64)
    whole = Span(span.before().from_ns, span.to_ns)
    ways = WayCodes(snapshot.names)
    found: set[int] = set()
    for cut in call_cuts(snapshot, whole, subject=edge) if breakers else ():
        codes = ways.of(cut)
        found.update(codes[np.isin(codes, wanted)].tolist())
    return tuple(sorted((breakers[code] for code in found), key=_rank))


def _rank(breaker: EdgeBreaker) -> tuple[int, int]:
    return (_ORDER.index(breaker.state) if breaker.state in _ORDER else len(_ORDER), -breaker.since_ns)


def _not_closed(snapshot: Snapshot, span: Span) -> dict[int, EdgeBreaker]:
    """By a code of (action, owner, node); those of which nobody was ever called are left out."""
    ways, found = WayCodes(snapshot.names), {}
    for told in breakers_at(snapshot, span.to_ns):
        code = ways.find(told.key) if told.state != "closed" else None
        if code is not None:
            _, owner, node_id, action = told.key
            found[code] = EdgeBreaker(owner, node_id, action, told.state, told.since_ns, told.source)
    return found


def _edges_of(
    snapshot: Snapshot, span: Span, boxes: Boxing, wanted: NDArray[np.int64]
) -> Iterator[tuple[tuple[str, str], int]]:
    """(source, target) of the edges on which calls with these codes went; in the span, and before it."""
    if not len(wanted):
        return
    ways = WayCodes(snapshot.names)
    found: set[tuple[int, int, int]] = set()
    for cut in call_cuts(snapshot, Span(span.before().from_ns, span.to_ns)):
        codes = ways.of(cut)
        is_meant = np.isin(codes, wanted)
        if is_meant.any():
            mine = cut.where(is_meant)
            ends = np.stack([boxes.sources(mine), boxes.targets(mine), codes[is_meant]], axis=1)
            found.update(tuple(row) for row in np.unique(ends, axis=0).tolist())
    for begin, end, code in found:
        if NO_BOX not in (begin, end):
            yield (boxes.boxes[begin].key, boxes.boxes[end].key), code
