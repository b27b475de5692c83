"""Events as edges of the graph: from who emits to who subscribes on the node that got the packet."""
# ruff: noqa: A002 - `filter` is the word of the views

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker.mesh.answers import Figures, TopologyEdge
from broker.mesh.boxes import NO_BOX, Boxing, EdgeSubjects
from broker.mesh.cuts import Cut, event_cuts
from broker.mesh.filter import Filter
from broker.mesh.groups import number_codes
from broker.mesh.span import Span
from broker.mesh.subscriptions import Subscriptions
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NO_NAME, NameKind

Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Routes:
    """Different ways that events took, one element each.

    Attributes:
        source: The box they come from.
        kind: What was sent to whom: an index of ``kinds``.
        packets: How many took it.
        kinds: (NODE number of the target, EVENT number, GROUPS number); NO_NAME as target of a balanced one.
    """

    source: Codes
    kind: Codes
    packets: Codes
    kinds: list[tuple[int, int, int]]


def routes(snapshot: Snapshot, cuts: list[Cut], boxes: Boxing) -> Routes:
    """The ways that these event packets took."""
    names = snapshot.names
    nodes, events = names.count(NameKind.NODE) + 1, names.count(NameKind.EVENT) + 1
    groups = names.count(NameKind.GROUPS) + 1

    def kind_of(cut: Cut) -> Codes:
        event = np.asarray(np.minimum(cut.column("event"), events - 1), np.intp)
        target = np.minimum(cut.column("target"), nodes - 1)
        return np.asarray((event * nodes + target) * groups + np.minimum(cut.column("groups"), groups - 1))

    kinds = [kind_of(cut) for cut in cuts]
    numbering = number_codes(kinds, nodes * events * groups)
    width = max(1, len(numbering.codes))
    ways = [boxes.sources(cut) * width + numbering.numbers(kind) for cut, kind in zip(cuts, kinds, strict=True)]
    way_numbers = number_codes(ways, len(boxes.boxes) * width)
    packets = np.zeros(len(way_numbers.codes), np.int64)
    for way in ways:
        np.add.at(packets, way_numbers.numbers(way), 1)
    source, kind = np.divmod(way_numbers.codes, width)
    found = []
    for code in numbering.codes.tolist():
        rest, group = divmod(code, groups)
        found.append((rest % nodes, rest // nodes, group))
    return Routes(source, kind, packets, found)


def event_flows(
    snapshot: Snapshot, span: Span, boxes: Boxing, filter: Filter, *, show_internal: bool, show_ours: bool
) -> list[TopologyEdge]:
    """The edges of events over a span."""
    cuts = list(event_cuts(snapshot, span, filter, show_ours=show_ours))
    if not cuts:
        return []
    way = routes(snapshot, cuts, boxes)
    receivers = _receivers(snapshot, span, boxes, way, show_internal=show_internal)
    fan = np.array([len(one) for one in receivers], np.intp)[way.kind]
    fan[way.source == NO_BOX] = 0
    firsts = np.cumsum([0, *(len(one) for one in receivers)])[:-1]
    flat = np.array([box for one in receivers for box in one], np.intp)
    which = np.repeat(np.arange(len(fan)), fan)  # the way of each delivery
    nth = np.arange(len(which)) - np.repeat(np.cumsum(fan) - fan, fan)
    pairs = way.source[which] * len(boxes.boxes) + flat[firsts[way.kind[which]] + nth]
    numbering = number_codes([pairs], len(boxes.boxes) ** 2)
    packets = np.zeros(len(numbering.codes), np.int64)
    np.add.at(packets, numbering.numbers(pairs), way.packets[which])
    events = _events_of(snapshot, way, which, numbering.numbers(pairs), len(packets))
    ends = [divmod(code, len(boxes.boxes)) for code in numbering.codes.tolist()]
    subject_of = EdgeSubjects(boxes.boxes)
    return [
        TopologyEdge(
            boxes.boxes[source].key,
            boxes.boxes[target].key,
            "event",
            subject_of(source, target),
            Figures(calls=count, rate=count / span.seconds if span.seconds else 0.0),
            float("nan"),
            "none",
            events=names,
        )
        for (source, target), count, names in zip(ends, packets.tolist(), events, strict=True)
    ]


def _events_of(snapshot: Snapshot, way: Routes, which: Codes, pair: Codes, count: int) -> list[tuple[str, ...]]:
    """The names of the events of each pair of boxes, sorted."""
    texts = snapshot.names.texts(NameKind.EVENT)
    event = np.array([kind[1] for kind in way.kinds], np.intp)[way.kind[which]]
    found: list[set[str]] = [set() for _ in range(count)]
    for code in number_codes([pair * len(texts) + event], count * len(texts)).codes.tolist():
        found[code // len(texts)].add(texts[code % len(texts)])
    return [tuple(sorted(names)) for names in found]


def _receivers(snapshot: Snapshot, span: Span, boxes: Boxing, way: Routes, *, show_internal: bool) -> list[list[int]]:
    """The boxes that get each kind of packet."""
    names, subscriptions = snapshot.names, Subscriptions(snapshot, span.to_ns)
    found: list[list[int]] = []
    for target, event, groups in way.kinds:
        name = names.text(NameKind.EVENT, event)
        if name.startswith("$") and not show_internal:
            found.append([])
            continue
        node_id = names.text(NameKind.NODE, target) if target != NO_NAME else ""
        packet = (names.namespace_text(NameKind.EVENT, event), node_id, name, names.text(NameKind.GROUPS, groups))
        found.append(sorted(_boxes_of(subscriptions, boxes, packet)))
    return found


def _boxes_of(subscriptions: Subscriptions, boxes: Boxing, packet: tuple[str, str, str, str]) -> set[int]:
    """The boxes that get a packet: (namespace, node id, event, groups)."""
    namespace, node_id, _, _ = packet
    if boxes.by_node and node_id:
        return {boxes.number_of_node(namespace, node_id)} - {NO_BOX}
    found = subscriptions.of_event(*packet)
    numbers = {boxes.number_of(one.namespace, one.service, one.node_id) for one in found} - {NO_BOX}
    if not numbers and node_id:  # it got the packet, and nobody told us who there wants it
        numbers = {boxes.number_of_node(namespace, node_id)} - {NO_BOX}
    return numbers
