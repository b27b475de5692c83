"""Groups of calls: by action, edge, endpoint, service, node or caller, numbered densely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from broker.mesh.boxes import Boxing, EdgeSubjects, boxing, edge_end
from broker.mesh.counting import look_up
from broker.mesh.cuts import Cut
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NameKind

By = Literal["action", "edge", "endpoint", "service", "node", "caller", "none"]
Codes = NDArray[np.intp]

TABLE_CODES: Final = 8_000_000
"""Codes below this are numbered by a table, above by a sorted search."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """Codes that occur, numbered densely in their order.

    Attributes:
        codes: The codes that occur, rising.
        table: The number by code, where codes are few enough; None otherwise.
    """

    codes: Codes
    table: NDArray[np.int32] | None

    def numbers(self, codes: Codes) -> Codes:
        """The numbers of codes that occur. Shape as given."""
        if self.table is not None:
            return look_up(self.table, codes).astype(np.intp)
        return np.searchsorted(self.codes, codes)


def number_codes(parts: Sequence[Codes], size: int) -> Numbering:
    """Number the codes of these arrays, all of them below ``size``."""
    if size <= TABLE_CODES:
        occurs = np.zeros(size, np.bool_)
        for part in parts:
            occurs[part] = True
        codes = np.flatnonzero(occurs)
        table = np.zeros(size, np.int32)
        table[codes] = np.arange(len(codes))
        return Numbering(codes, table)
    found = [np.unique(part) for part in parts]
    return Numbering(np.unique(np.concatenate(found)) if found else np.empty(0, np.intp), None)


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups of calls.

    Attributes:
        code: What group a row belongs to, as a code that may have holes.
        numbering: The groups that occur.
        subject_of: The subject of a code.
    """

    code: Callable[[Cut], Codes]
    numbering: Numbering
    subject_of: Callable[[int], Subject]

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.numbering.codes)

    def of(self, cut: Cut) -> Codes:
        """The group of each row. Shape (count,)."""
        return self.numbering.numbers(self.code(cut))

    def subject(self, group: int) -> Subject:
        """What a group is."""
        return self.subject_of(int(self.numbering.codes[group]))

    def label(self, group: int) -> str:
        """What to write on a group."""
        subject = self.subject(group)
        return subject.other if subject.kind == "endpoint" else subject.name

    def in_order_of_names(self) -> list[int]:
        """The groups, in order of namespace, name and the rest."""
        return sorted(range(self.count), key=self.subject)


def grouping(snapshot: Snapshot, by: By, cuts: Sequence[Cut]) -> Grouping:
    """The groups that these rows fall into."""
    code, size, subject_of = _MAKERS[by](snapshot)
    return Grouping(code, number_codes([code(cut) for cut in cuts], size), subject_of)


Maker = tuple[Callable[[Cut], Codes], int, Callable[[int], Subject]]


def _named(snapshot: Snapshot, kind: NameKind, column: str, subject_kind: Literal["action", "node"]) -> Maker:
    texts, spaces = snapshot.names.texts(kind), snapshot.names.namespace_texts_of(kind)
    last = len(texts) - 1
    return (
        lambda cut: np.minimum(cut.column(column), last, dtype=np.intp),
        len(texts),
        lambda code: Subject(subject_kind, spaces[code], texts[code]),
    )


def _by_action(snapshot: Snapshot) -> Maker:
    return _named(snapshot, NameKind.ACTION, "action", "action")


def _by_node(snapshot: Snapshot) -> Maker:
    return _named(snapshot, NameKind.NODE, "target", "node")


def _by_endpoint(snapshot: Snapshot) -> Maker:
    action, actions, action_subject = _by_action(snapshot)
    node, nodes, node_subject = _by_node(snapshot)

    def subject(code: int) -> Subject:
        one = action_subject(code // nodes)
        return Subject("endpoint", one.namespace, one.name, node_subject(code % nodes).name)

    return lambda cut: action(cut) * nodes + node(cut), actions * nodes, subject


def _by_service(snapshot: Snapshot) -> Maker:
    directory = snapshot.directory

    def subject(code: int) -> Subject:
        namespace, name = directory.services[code]
        return Subject("service", namespace, name)

    return (
        lambda cut: look_up(directory.of_action, cut.column("action")).astype(np.intp),
        len(directory.services),
        subject,
    )


def _by_edge(snapshot: Snapshot) -> Maker:
    return by_boxes(boxing(snapshot, "service"))


def by_boxes(boxes: Boxing) -> Maker:
    """Groups by the boxes at both ends; the code is source · boxes + target."""
    count, subject_of = len(boxes.boxes), EdgeSubjects(boxes.boxes)
    return (
        lambda cut: boxes.sources(cut) * count + boxes.targets(cut),
        count * count,
        lambda code: subject_of(*divmod(code, count)),
    )


def _by_caller(snapshot: Snapshot) -> Maker:
    boxes = boxing(snapshot, "service")

    def subject(code: int) -> Subject:
        box = boxes.boxes[code]
        return box.subject._replace(name=edge_end(box))

    return boxes.sources, len(boxes.boxes), subject


def _as_one(_: Snapshot) -> Maker:
    return lambda cut: np.zeros(cut.count, np.intp), 1, lambda _: Subject("group", "", "")


_MAKERS: Final[dict[str, Callable[[Snapshot], Maker]]] = {
    "action": _by_action,
    "edge": _by_edge,
    "endpoint": _by_endpoint,
    "service": _by_service,
    "node": _by_node,
    "caller": _by_caller,
    "none": _as_one,
}
