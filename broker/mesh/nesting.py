"""Boxes of a graph with open groups: what is in an open group stands alone, a closed group is one box."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.mesh.answers import GroupBy
from broker.mesh.boxes import (
    NO_BOX,
    ON,
    UNKNOWN,
    Box,
    Boxing,
    boxing,
    node_box,
    node_key,
    service_box,
    service_key,
)
from broker.mesh.counting import look_up
from broker.mesh.cuts import Cut, call_cuts, event_cuts
from broker.mesh.directory import Directory
from broker.mesh.groups import number_codes
from broker.mesh.names import OTHER_TEXT
from broker.mesh.opened import Opened
from broker.mesh.presence import offers
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NameKind

OUTSIDE_TITLE: Final = "outside services"
Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class NestedBoxing(Boxing):
    """Boxes of which some are what is in an open group.

    Attributes:
        codes: A service on a node, as service · nodes + node; rising. Service 0 is outside services.
        of_code: The box of each.
        nodes: How many numbers nodes can have.
        of_pair: The box of each, by (namespace, service, node id).
        groups: The open groups there can be, by key.
    """

    codes: Numbers
    of_code: Numbers
    nodes: int
    of_pair: dict[tuple[str, str, str], int]
    groups: dict[str, Box]
    has_node_boxes: bool

    @property
    def has_nodes(self) -> bool:
        """Whether some boxes are nodes."""
        return self.has_node_boxes

    def sources(self, cut: Cut) -> Numbers:
        """The box that each call (or event) comes from. Shape (count,)."""
        return self._boxes(look_up(self.directory.of_caller, cut.column("caller")), cut.column("source"))

    def targets(self, cut: Cut) -> Numbers:
        """The box that each call goes to. Shape (count,)."""
        return self._boxes(look_up(self.directory.of_action, cut.column("action")), cut.column("target"))

    def _boxes(self, services: NDArray[np.int32], nodes: NDArray[np.integer]) -> Numbers:
        codes = services.astype(np.intp) * self.nodes + np.minimum(nodes, self.nodes - 1)
        places = np.minimum(np.searchsorted(self.codes, codes), max(0, len(self.codes) - 1))
        if not len(self.codes):
            return np.zeros(len(codes), np.intp)
        return np.where(self.codes[places] == codes, self.of_code[places], NO_BOX)

    def number_of(self, namespace: str, service: str, node_id: str) -> int:
        """The box of a service on a node; NO_BOX where there is none."""
        return self.of_pair.get((namespace, service, node_id), NO_BOX)

    def number_of_node(self, namespace: str, node_id: str) -> int:
        """The box of a closed node; otherwise of what it calls from outside services."""
        found = self.numbers.get(node_key(namespace, node_id))
        return found if found is not None else self.of_pair.get((namespace, "", node_id), NO_BOX)


def nested_boxing(snapshot: Snapshot, span: Span, group_by: GroupBy, opened: Opened) -> NestedBoxing:
    """The boxes of a snapshot where some groups are open.

    Args:
        snapshot: Where to look.
        span: When; what was called in the same time before counts too.
        group_by: What a group is.
        opened: Which of them are open.
    """
    plain = boxing(snapshot, group_by)
    maker = _Maker(snapshot, plain, group_by, opened, member_counts(snapshot, span, group_by, show_internal=True))
    nodes = snapshot.names.count(NameKind.NODE) + 1
    codes = _codes_seen(snapshot, span, nodes)
    ids, spaces = snapshot.names.texts(NameKind.NODE), snapshot.names.namespace_texts_of(NameKind.NODE)
    of_code = []
    for code in codes.tolist():
        service, node = divmod(code, nodes)
        space, name = plain.directory.services[service]
        of_code.append(maker.number(service, space if service else spaces[node], name, ids[node] if node else ""))
    for (space, name), offer in offers(snapshot, span).items():
        for node_id in offer.nodes or ("",):
            maker.number(plain.directory.indices.get((space, name), 0), space, name, node_id)
    for space, node_id in snapshot.state.of_kind("node"):
        maker.close_node(space, node_id)
    return NestedBoxing(
        tuple(maker.boxes),
        maker.numbers,
        plain.of_service,
        plain.of_node,
        False,
        plain.directory,
        codes,
        np.array(of_code, np.intp),
        nodes,
        maker.of_pair,
        maker.groups,
        group_by == "node",
    )


def _codes_seen(snapshot: Snapshot, span: Span, nodes: int) -> Numbers:
    """Every service on a node that called, was called or emitted, as a code; rising."""
    directory = snapshot.directory
    whole = Span(span.before().from_ns, span.to_ns)
    parts: list[Numbers] = []

    def add(services: NDArray[np.int32], ends: NDArray[np.integer]) -> None:
        parts.append(services.astype(np.intp) * nodes + np.minimum(ends, nodes - 1))

    for cut in call_cuts(snapshot, whole, show_ours=True):
        add(look_up(directory.of_caller, cut.column("caller")), cut.column("source"))
        add(look_up(directory.of_action, cut.column("action")), cut.column("target"))
    for cut in event_cuts(snapshot, whole, show_ours=True):
        add(look_up(directory.of_caller, cut.column("caller")), cut.column("source"))
    return number_codes(parts, len(directory.services) * nodes).codes


class _Maker:
    """Makes boxes as services on nodes are met."""

    def __init__(
        self, snapshot: Snapshot, plain: Boxing, group_by: GroupBy, opened: Opened, members: dict[str, int]
    ) -> None:
        self.boxes: list[Box] = [plain.boxes[NO_BOX]]
        self.numbers: dict[str, int] = {}
        self.of_pair: dict[tuple[str, str, str], int] = {}
        self.groups: dict[str, Box] = {}
        self._directory: Directory = snapshot.directory
        self._group_by, self._opened = group_by, opened
        self._members = members

    def number(self, service: int, namespace: str, name: str, node_id: str) -> int:
        """The box of a service (0: outside services) on a node ("": unknown)."""
        pair = (namespace, name if service else "", node_id)
        found = self.of_pair.get(pair)
        if found is None:
            found = self.of_pair[pair] = self._add(self._box(service, namespace, name, node_id))
        return found

    def close_node(self, namespace: str, node_id: str) -> None:
        """Nodes that no row names are there too."""
        if self._group_by in {"node", "namespace"}:
            box = node_box(namespace, node_id, self._group_by)
            if not self._opened.holds(box.key):
                self._add(box)

    def _add(self, box: Box) -> int:
        if not box.key:
            return NO_BOX
        found = self.numbers.get(box.key)
        if found is None:
            found = self.numbers[box.key] = len(self.boxes)
            self.boxes.append(box)
        return found

    def _box(self, service: int, namespace: str, name: str, node_id: str) -> Box:
        if self._group_by == "node":
            return self._on_node(service, namespace, name, node_id)
        if not service:
            return self._outside(namespace, node_id) if node_id else self.boxes[NO_BOX]
        group = service_box(self._directory, service, namespace, name, self._group_by)
        is_one = self._group_by == "service" and group.key not in self._members
        if is_one or not self._opened.holds(group.key):
            return group
        self.groups[group.key] = group
        if self._group_by == "service":
            return _instance(namespace, name, node_id, node_id or UNKNOWN, group.key)
        subject = Subject("service", namespace, name)
        return Box(service_key(namespace, name), "service", name, namespace, subject, group.key)

    def _on_node(self, service: int, namespace: str, name: str, node_id: str) -> Box:
        group = node_box(namespace, node_id or UNKNOWN, "node")
        if not self._opened.holds(group.key):
            return group
        self.groups[group.key] = group
        if service:
            return _instance(namespace, name, node_id, name, group.key)
        key = f"outside:{namespace}/{node_id}"
        return Box(key, "outside", OUTSIDE_TITLE, namespace, group.subject, group.key)

    def _outside(self, namespace: str, node_id: str) -> Box:
        box = node_box(namespace, node_id, self._group_by)
        if self._group_by != "namespace" or not self._opened.holds(box.key):
            return box
        self.groups[box.key] = box
        return node_box(namespace, node_id, "service")._replace(group=box.key)


def _instance(namespace: str, name: str, node_id: str, title: str, group: str) -> Box:
    subject = Subject("service", namespace, name, node_id)
    return Box(f"instance:{namespace}/{name}{ON}{node_id}", "instance", title, namespace, subject, group)


def open_size(snapshot: Snapshot, span: Span, group_by: GroupBy) -> int:
    """How many boxes a graph has when all groups are open: as INFO tells, and as calls show before any INFO."""
    told = sum(member_counts(snapshot, span, group_by, show_internal=False).values())
    if group_by in {"namespace", "version"}:
        return max(told, sum(name != OTHER_TEXT for _, name in snapshot.directory.services[1:]))
    return max(told, len(_codes_seen(snapshot, span, snapshot.names.count(NameKind.NODE) + 1)))


def member_counts(snapshot: Snapshot, span: Span, group_by: GroupBy, *, show_internal: bool) -> dict[str, int]:
    """How many boxes each group would be if it were open, by its key; those with nothing to open are left out."""
    counts: Counter[str] = Counter()
    directory = snapshot.directory
    for (namespace, name), offer in offers(snapshot, span).items():
        if name.startswith("$") and not show_internal:
            continue
        if group_by == "service":
            counts[service_key(namespace, name)] += len(offer.nodes)
        elif group_by == "node":
            counts.update(node_key(namespace, node_id) for node_id in offer.nodes)
        else:
            index = directory.indices.get((namespace, name), 0)
            counts[service_box(directory, index, namespace, name, group_by).key] += 1
    least = 2 if group_by == "service" else 1
    return {key: count for key, count in counts.items() if count >= least}
