"""Who calls whom over a span of time: the graph."""
# ruff: noqa: A002 - `filter` is the word of the views

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker.mesh.answers import Figures, GroupBy, Topology, TopologyEdge, TopologyGroup, TopologyNode
from broker.mesh.boxes import NO_BOX, Box, Boxing, EdgeSubjects, boxing
from broker.mesh.counting import look_up
from broker.mesh.cuts import Cut, call_cuts
from broker.mesh.edge_breakers import with_breakers
from broker.mesh.fields import fields_of_box
from broker.mesh.figures import FigureCounter, FigureTable
from broker.mesh.filter import EMPTY, Filter
from broker.mesh.gateways import gateways
from broker.mesh.groups import Grouping, by_boxes, number_codes
from broker.mesh.health import health, worst
from broker.mesh.nesting import NestedBoxing, member_counts, nested_boxing
from broker.mesh.opened import CLOSED, Opened
from broker.mesh.presence import our_nodes
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot
from broker.mesh.topology_events import event_flows
from broker.mesh.topology_parts import find, focus, hide
from broker.mesh.topology_places import Place, places

__all__ = ["find", "focus", "hide", "topology"]

Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Traffic:
    """Calls between boxes, counted by edge and by box.

    Attributes:
        sources, targets: The box at each end of every edge.
        edges, edges_before: One element an edge.
        received, received_before, sent: One element a box.
    """

    sources: Codes
    targets: Codes
    edges: FigureTable
    edges_before: FigureTable
    received: FigureTable
    received_before: FigureTable
    sent: FigureTable


def topology(
    snapshot: Snapshot,
    span: Span,
    *,
    group_by: GroupBy = "service",
    opened: Opened = CLOSED,
    filter: Filter = EMPTY,
    show_internal: bool = False,
    show_ours: bool = False,
    show_events: bool = True,
    show_silent: bool = True,
) -> Topology:
    """The graph of a span.

    Args:
        snapshot: Where to look.
        span: When the calls ended; instances are as of its end.
        group_by: What a box is. By version, a box is all services of one version.
        opened: Which of these are open: shown as the boxes in them, a service as its instances, a node as the
            instances on it, a namespace or a version as its services. What goes to a closed one is one edge.
        filter: What calls have to pass; boxes without any then are left out, unless it names them.
        show_internal: Whether ``$node`` and other internal services and events are there.
        show_ours: Whether this program's own nodes and calls are there.
        show_events: Whether there are edges for events.
        show_silent: Whether services are there that are declared and were not heard.
    """
    boxes = nested_boxing(snapshot, span, group_by, opened) if opened else boxing(snapshot, group_by)
    traffic = _traffic(snapshot, span, boxes, filter, show_internal=show_internal, show_ours=show_ours)
    edges = with_breakers(snapshot, span, boxes, _call_edges(boxes, traffic))
    place = places(snapshot, span, boxes)
    if show_events:
        edges += event_flows(snapshot, span, boxes, filter, show_internal=show_internal, show_ours=show_ours)
    in_use = {key for edge in edges for key in (edge.source, edge.target)}
    members = member_counts(snapshot, span, group_by, show_internal=show_internal)
    nodes = _nodes(snapshot, boxes, traffic, place, in_use, members)
    if not show_ours:
        ours = our_nodes(snapshot)
        nodes = [node for node in nodes if _node_of(node) not in ours]
    if not show_internal:
        nodes = [node for node in nodes if not node.internal]
    if not show_silent:
        nodes = [node for node in nodes if not node.silent]
    shown = [node for node in nodes if not node.silent or filter.is_empty or filter.matches(fields_of_box(node))]
    keys = {node.key for node in shown}
    edges = [edge for edge in edges if edge.source in keys and edge.target in keys]
    groups = _open_groups(boxes, shown) if isinstance(boxes, NestedBoxing) else ()
    return Topology(span, tuple(shown), tuple(edges), len(nodes) - len(shown), groups)


def _open_groups(boxes: NestedBoxing, nodes: list[TopologyNode]) -> tuple[TopologyGroup, ...]:
    inside: dict[str, list[TopologyNode]] = {}
    for node in nodes:
        if node.group:
            inside.setdefault(node.group, []).append(node)
    return tuple(
        TopologyGroup(
            key,
            (box := boxes.groups[key]).kind,
            box.title,
            box.namespace,
            box.subject,
            worst(member.health for member in inside[key]),
        )
        for key in sorted(inside)
    )


def _node_of(node: TopologyNode) -> tuple[str, str]:
    """(namespace, node id) of a node or an instance; of others something that is no node."""
    subject = node.subject
    return subject.namespace, subject.name if subject.kind == "node" else subject.other


def _traffic(
    snapshot: Snapshot,
    span: Span,
    boxes: Boxing,
    filter: Filter,
    *,
    show_internal: bool,
    show_ours: bool,
) -> _Traffic:
    def cuts_of(when: Span) -> list[Cut]:
        cuts = list(call_cuts(snapshot, when, filter, show_ours=show_ours))
        return cuts if show_internal else _without_internal(snapshot, cuts)

    now, before = cuts_of(span), cuts_of(span.before())
    code, size, subject_of = by_boxes(boxes)
    codes_now, codes_before = [code(cut) for cut in now], [code(cut) for cut in before]
    groups = Grouping(code, number_codes([*codes_now, *codes_before], size), subject_of)
    sources, targets = np.divmod(groups.numbering.codes, len(boxes.boxes))
    counter = _counted(snapshot, groups, now, codes_now)
    counter_before = _counted(snapshot, groups, before, codes_before)
    count, seconds = len(boxes.boxes), span.seconds
    return _Traffic(
        sources,
        targets,
        counter.table(seconds),
        counter_before.table(seconds),
        counter.merged(targets, count, seconds),
        counter_before.merged(targets, count, seconds),
        counter.merged(sources, count, seconds),
    )


def _counted(snapshot: Snapshot, groups: Grouping, cuts: list[Cut], codes: list[Codes]) -> FigureCounter:
    counter = FigureCounter(groups.count, snapshot.names)
    for cut, code in zip(cuts, codes, strict=True):
        counter.add(cut, groups.numbering.numbers(code))
    return counter


def _without_internal(snapshot: Snapshot, cuts: list[Cut]) -> list[Cut]:
    directory = snapshot.directory
    internal = np.array([name.startswith("$") for _, name in directory.services])[directory.of_action]
    if not internal.any():
        return cuts
    kept = [cut.where(~look_up(internal, cut.column("action"))) for cut in cuts]
    return [cut for cut in kept if cut.count]


def _call_edges(boxes: Boxing, traffic: _Traffic) -> list[TopologyEdge]:
    keys = [box.key for box in boxes.boxes]
    subject_of = EdgeSubjects(boxes.boxes)
    rows = zip(
        traffic.sources.tolist(),
        traffic.targets.tolist(),
        traffic.edges.figures(),
        traffic.edges_before.figures(),
        traffic.edges.client_errors.tolist(),
        strict=True,
    )
    return [
        TopologyEdge(
            keys[source],
            keys[target],
            "call",
            subject_of(source, target),
            figures,
            before.p99_ms,
            health(figures, before, client_errors=client),
        )
        for source, target, figures, before, client in rows
        if NO_BOX not in (source, target) and figures.calls
    ]


def _nodes(
    snapshot: Snapshot,
    boxes: Boxing,
    traffic: _Traffic,
    place: dict[str, Place],
    in_use: set[str],
    members: dict[str, int],
) -> list[TopologyNode]:
    received, before = traffic.received.figures(), traffic.received_before.figures()
    sent = traffic.sent.figures()
    hinted = gateways(snapshot)
    nodes = []
    for number, box in enumerate(boxes.boxes):
        here = place.get(box.key)
        if number == NO_BOX or (box.key not in in_use and (here is None or not here.is_declared)):
            continue
        client = int(traffic.received.client_errors[number])
        nodes.append(
            TopologyNode(
                box.key,
                box.kind,
                box.title,
                box.namespace,
                box.subject,
                received[number],
                sent[number],
                health(received[number], before[number], client_errors=client),
                instances=here.nodes if here else (),
                offline_instances=len(here.offline) if here else 0,
                silent=box.key not in in_use,
                supposed=box.kind in ("service", "instance") and not (here is not None and here.is_declared),
                offline=here is not None and bool(here.offline) and not here.online and not here.is_remembered,
                internal=box.subject.kind == "service" and box.subject.name.startswith("$"),
                is_gateway=_is_gateway(box, received[number], sent[number], hinted),
                group=box.group,
                members=members.get(box.key, 0) if not box.group else 0,
            )
        )
    return nodes


def _is_gateway(box: Box, received: Figures, sent: Figures, hinted: set[tuple[str, str]]) -> bool:
    if box.kind not in ("service", "instance"):
        return False
    return (box.namespace, box.subject.name) in hinted or (sent.calls >= 50 and received.calls * 20 <= sent.calls)
