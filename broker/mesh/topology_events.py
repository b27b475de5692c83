"""Events as edges of the graph: from who emits to who subscribes on the node that got the packet."""
# ruff: noqa: A002 - `filter` is the word of the views

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from broker.mesh.answers import Figures, TopologyEdge
from broker.mesh.boxes import NO_BOX, Boxing, edge_end, node_key
from broker.mesh.cuts import Cut, event_cuts
from broker.mesh.filter import Filter
from broker.mesh.groups import number_codes
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.subscriptions import Subscriptions
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NO_NAME, NameKind

Codes = NDArray[np.intp]


@dataclass(slots=True)
class _Flow:
    packets: int = 0
    events: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Routes:
    """Different ways that events took, one element each.

    Attributes:
        source: The box they come from.
        target: NODE number; NO_NAME for balanced ones.
        event: EVENT number.
        groups: GROUPS number.
        packets: How many took it.
    """

    source: Codes
    target: Codes
    event: Codes
    groups: Codes
    packets: Codes


def routes(snapshot: Snapshot, cuts: list[Cut], boxes: Boxing) -> Routes:
    """The ways that these event packets took."""
    names = snapshot.names
    sizes = (len(boxes.boxes), names.count(NameKind.NODE) + 1, names.count(NameKind.EVENT) + 1)
    groups_size = names.count(NameKind.GROUPS) + 1
    ends = [boxes.sources(cut) * sizes[1] + np.minimum(cut.column("target"), sizes[1] - 1) for cut in cuts]
    kinds = [
        np.minimum(cut.column("event"), sizes[2] - 1).astype(np.intp) * groups_size
        + np.minimum(cut.column("groups"), groups_size - 1)
        for cut in cuts
    ]
    end_numbers, kind_numbers = number_codes(ends, sizes[0] * sizes[1]), number_codes(kinds, sizes[2] * groups_size)
    width = max(1, len(kind_numbers.codes))
    ways = [
        end_numbers.numbers(end) * width + kind_numbers.numbers(kind) for end, kind in zip(ends, kinds, strict=True)
    ]
    way_numbers = number_codes(ways, max(1, len(end_numbers.codes)) * width)
    packets = np.zeros(len(way_numbers.codes), np.int64)
    for way in ways:
        np.add.at(packets, way_numbers.numbers(way), 1)
    end, kind = np.divmod(way_numbers.codes, width)
    source, target = np.divmod(end_numbers.codes[end], sizes[1])
    event, groups = np.divmod(kind_numbers.codes[kind], groups_size)
    return Routes(source, target, event, groups, packets)


def event_flows(
    snapshot: Snapshot,
    span: Span,
    boxes: Boxing,
    filter: Filter,
    *,
    show_internal: bool,
    show_ours: bool,
) -> list[TopologyEdge]:
    """The edges of events over a span."""
    cuts = list(event_cuts(snapshot, span, filter, show_ours=show_ours))
    if not cuts:
        return []
    way = routes(snapshot, cuts, boxes)
    names, subscriptions = snapshot.names, Subscriptions(snapshot, span.to_ns)
    keys = {box.key: number for number, box in enumerate(boxes.boxes)}
    flows: dict[tuple[int, int], _Flow] = {}
    for source, target, event, groups, packets in zip(
        *(column.tolist() for column in (way.source, way.target, way.event, way.groups, way.packets)), strict=True
    ):
        name = names.text(NameKind.EVENT, event)
        if source == NO_BOX or (name.startswith("$") and not show_internal):
            continue
        namespace = names.namespace_text(NameKind.EVENT, event)
        node_id = names.text(NameKind.NODE, target) if target != NO_NAME else ""
        for box in _receivers(
            subscriptions, boxes, keys, (namespace, node_id, name, names.text(NameKind.GROUPS, groups))
        ):
            flow = flows.setdefault((source, box), _Flow())
            flow.packets += packets
            flow.events.add(name)
    return [_edge(boxes, source, target, flow, span) for (source, target), flow in sorted(flows.items())]


def _receivers(
    subscriptions: Subscriptions, boxes: Boxing, keys: dict[str, int], packet: tuple[str, str, str, str]
) -> set[int]:
    """The boxes that get a packet: (namespace, node id, event, groups)."""
    namespace, node_id, _, _ = packet
    if boxes.by_node and node_id:
        return {keys[node_key(namespace, node_id)]} if node_key(namespace, node_id) in keys else set()
    found = subscriptions.of_event(*packet)
    if boxes.by_node:
        numbers = {keys.get(node_key(namespace, one.node_id), NO_BOX) for one in found}
    else:
        numbers = {int(boxes.of_service[boxes.directory.indices.get((one.namespace, one.service), 0)]) for one in found}
    numbers.discard(NO_BOX)
    if not numbers and node_id:  # it got the packet, and nobody told us who there wants it
        numbers = {keys.get(node_key(namespace, node_id), NO_BOX)} - {NO_BOX}
    return numbers


def _edge(boxes: Boxing, source: int, target: int, flow: _Flow, span: Span) -> TopologyEdge:
    one, other = boxes.boxes[source], boxes.boxes[target]
    figures = Figures(calls=flow.packets, rate=flow.packets / span.seconds if span.seconds else 0.0)
    subject = Subject("edge", other.namespace or one.namespace, edge_end(one), edge_end(other))
    return TopologyEdge(
        one.key, other.key, "event", subject, figures, float("nan"), "none", events=tuple(sorted(flow.events))
    )
