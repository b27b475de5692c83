"""Boxes of the graph: services, nodes, namespaces or versions, and which call goes from which to which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker.mesh.answers import BoxKind, GroupBy
from broker.mesh.counting import look_up
from broker.mesh.subject import Subject
from broker.observe.journal import NO_NAME, NameKind

if TYPE_CHECKING:
    from broker.mesh.cuts import Cut
    from broker.mesh.directory import Directory
    from broker.mesh.timeline import Snapshot

NODE_PREFIX: Final = "node:"
VERSION_PREFIX: Final = "version:"
NAMESPACE_PREFIX: Final = "namespace:"
OUTSIDE_PREFIX: Final = "outside:"
ON: Final = " @ "
"""Between a service and its node, where an instance stands at the end of an edge."""
UNVERSIONED: Final = "unversioned"
UNKNOWN: Final = "(unknown)"

NO_BOX: Final = 0


class Box(NamedTuple):
    """What can be a box; see TopologyNode."""

    key: str
    kind: BoxKind
    title: str
    namespace: str
    subject: Subject
    group: str = ""  # key of the open group it is in


@dataclass(frozen=True)
class Boxing:
    """All boxes there can be, and the box of each service and node.

    Attributes:
        boxes: By number; number 0 is none.
        numbers: By the key of a box.
        of_service: The box of each service, by index of the directory.
        of_node: The box of each node, by number, and of "(other)" last.
        by_node: Whether calls go from node to node; otherwise to services, and from a
            node only where no service is the caller.
    """

    boxes: tuple[Box, ...]
    numbers: dict[str, int]
    of_service: NDArray[np.intp]
    of_node: NDArray[np.intp]
    by_node: bool
    directory: Directory

    def sources(self, cut: Cut) -> NDArray[np.intp]:
        """The box that each call (or event) comes from. Shape (count,)."""
        if self.by_node:
            return look_up(self.of_node, cut.column("source"))
        callers = cut.column("caller")
        box = look_up(self.of_service[self.directory.of_caller], callers)
        outside = callers == NO_NAME
        if outside.any():
            box[outside] = look_up(self.of_node, cut.column("source")[outside])
        return box

    def targets(self, cut: Cut) -> NDArray[np.intp]:
        """The box that each call goes to. Shape (count,)."""
        if self.by_node:
            return look_up(self.of_node, cut.column("target"))
        return look_up(self.of_service[self.directory.of_action], cut.column("action"))

    @property
    def has_nodes(self) -> bool:
        """Whether some boxes are nodes."""
        return self.by_node

    def number_of(self, namespace: str, service: str, node_id: str) -> int:
        """The box of a service on a node; NO_BOX where there is none."""
        if self.by_node:
            return self.numbers.get(node_key(namespace, node_id), NO_BOX)
        return int(self.of_service[self.directory.indices.get((namespace, service), 0)])

    def number_of_node(self, namespace: str, node_id: str) -> int:
        """The box of a node, where nodes are boxes; otherwise of what it calls from outside services."""
        return self.numbers.get(node_key(namespace, node_id), NO_BOX)


_NO_BOX = Box("", "outside", "", "", Subject("group", "", ""))


def boxing(snapshot: Snapshot, group_by: GroupBy) -> Boxing:
    """The boxes of a snapshot, grouped by one of the four ways."""
    directory = snapshot.directory
    names = snapshot.names
    boxes: list[Box] = [_NO_BOX]
    numbers: dict[str, int] = {}

    def number(box: Box) -> int:
        found = numbers.get(box.key)
        if found is None:
            found = numbers[box.key] = len(boxes)
            boxes.append(box)
        return found

    of_service = np.zeros(len(directory.services), np.intp)
    if group_by != "node":
        for index, (namespace, name) in enumerate(directory.services[1:], 1):
            of_service[index] = number(service_box(directory, index, namespace, name, group_by))
    spaces = names.namespace_texts_of(NameKind.NODE)
    of_node = np.zeros(len(spaces), np.intp)
    for index, (space, text) in enumerate(zip(spaces, names.texts(NameKind.NODE), strict=True)):
        if group_by == "node" or index:
            of_node[index] = number(node_box(space, text or UNKNOWN, group_by))
    if group_by in {"node", "namespace"}:  # nodes that no row names are there too
        for namespace, node_id in snapshot.state.of_kind("node"):
            number(node_box(namespace, node_id, group_by))
    return Boxing(tuple(boxes), numbers, of_service, of_node, group_by == "node", directory)


def service_box(directory: Directory, index: int, namespace: str, name: str, group_by: GroupBy) -> Box:
    """The box of a service, by its index in the directory: itself, its namespace or its version."""
    if group_by == "namespace":
        return namespace_box(namespace)
    if group_by == "version":
        version = directory.versions[index] or UNVERSIONED
        key = f"{VERSION_PREFIX}{version}"
        return Box(f"version:{namespace}/{version}", "version", version, namespace, Subject("group", namespace, key))
    return Box(service_key(namespace, name), "service", name, namespace, Subject("service", namespace, name))


def node_box(namespace: str, node_id: str, group_by: GroupBy) -> Box:
    """The box of a node: itself, its namespace, or what it calls from outside services."""
    if group_by == "namespace":
        return namespace_box(namespace)
    kind: Literal["node", "outside"] = "node" if group_by == "node" else "outside"
    subject = Subject("node", namespace, node_id)
    return Box(node_key(namespace, node_id), kind, node_id, namespace, subject)


def namespace_box(namespace: str) -> Box:
    """The box of a namespace."""
    subject = Subject("group", namespace, f"{NAMESPACE_PREFIX}{namespace}")
    return Box(f"namespace:{namespace}", "namespace", namespace or "(no namespace)", namespace, subject)


def service_key(namespace: str, full_name: str) -> str:
    """The key of a service's box."""
    return f"service:{namespace}/{full_name}"


def node_key(namespace: str, node_id: str) -> str:
    """The key of a node's box."""
    return f"node:{namespace}/{node_id}"


def group_member(directory: Directory, namespace: str, name: str) -> NDArray[np.bool_]:
    """Which services a name stands for, by index: a full name, ``version:v2`` or ``namespace:prod``."""
    member = np.zeros(len(directory.services), np.bool_)
    if name.startswith(VERSION_PREFIX):
        version = name.removeprefix(VERSION_PREFIX)
        for index, (space, _) in enumerate(directory.services[1:], 1):
            member[index] = space == namespace and (directory.versions[index] or UNVERSIONED) == version
    elif name.startswith(NAMESPACE_PREFIX):
        for index, (space, _) in enumerate(directory.services[1:], 1):
            member[index] = space == namespace
    elif (index := directory.indices.get((namespace, name), 0)) > 0:
        member[index] = True
    return member


def edge_end(box: Box) -> str:
    """What stands for a box at an end of an edge's Subject."""
    if box.kind in {"node", "outside"}:
        return f"{NODE_PREFIX}{_node_id(box)}"
    if box.kind == "instance":
        return f"{box.subject.name}{ON}{box.subject.other}"
    return box.subject.name


class EdgeSubjects:
    """What calls from one box to another are, by the numbers of both; the words for an end are made once."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._boxes = boxes
        self._ends: dict[int, str] = {}

    def __call__(self, source: int, target: int) -> Subject:
        """The subject of an edge."""
        one, other = self._boxes[source], self._boxes[target]
        name = self._end(source)
        if one.kind == "outside" and other.kind in {"node", "instance"}:
            name = f"{OUTSIDE_PREFIX}{_node_id(one)}"  # from a node to a node would mean all of its calls
        return Subject("edge", other.namespace or one.namespace, name, self._end(target))

    def _end(self, number: int) -> str:
        end = self._ends.get(number)
        if end is None:
            end = self._ends[number] = edge_end(self._boxes[number])
        return end


def _node_id(box: Box) -> str:
    return box.subject.name if box.subject.name != UNKNOWN else ""
