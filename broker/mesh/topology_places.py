"""Where the boxes of the graph are: which nodes offer them, as of the end of a span."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from broker.mesh.boxes import NO_BOX, Boxing
from broker.mesh.counting import look_up
from broker.mesh.cuts import call_cuts
from broker.mesh.groups import number_codes
from broker.mesh.presence import gone_nodes, offers, remembered_nodes
from broker.mesh.span import Span
from broker.mesh.state import Key
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NO_NAME, NameKind


@dataclass(slots=True)
class Place:
    """Where a box is.

    Attributes:
        online: Node ids that offer it, sorted.
        offline: Node ids that did in the span and no longer do, sorted.
        is_declared: Whether an INFO, a heartbeat or the like tells of it; otherwise only calls do.
        is_remembered: Whether some of its nodes are known from an earlier session only: nobody knows whether
            they are there.
    """

    online: list[str] = field(default_factory=list)
    offline: list[str] = field(default_factory=list)
    is_declared: bool = False
    is_remembered: bool = False

    @property
    def nodes(self) -> tuple[str, ...]:
        """All of them, online first."""
        return (*self.online, *self.offline)

    def add(self, online: set[str], offline: set[str]) -> None:
        """Offer it on these nodes too."""
        here = set(self.online) | online
        self.offline = sorted((set(self.offline) | offline) - here)
        self.online = sorted(here)


def places(snapshot: Snapshot, span: Span, boxes: Boxing) -> dict[str, Place]:
    """The place of each box that has one, by key."""
    found: dict[str, Place] = {}
    if boxes.has_nodes:
        _place_nodes(snapshot, span, boxes, found)
    if boxes.by_node:
        return found
    told = set()
    remembered = remembered_nodes(snapshot, span.to_ns)
    for key, offer in offers(snapshot, span).items():
        for node_id, is_online in (*((one, True) for one in offer.online), *((one, False) for one in offer.offline)):
            place = _place_at(boxes, boxes.number_of(*key, node_id), found)
            if place is not None:
                place.add({node_id} if is_online else set(), set() if is_online else {node_id})
                place.is_declared |= not offer.supposed
                place.is_remembered |= not is_online and (key[0], node_id) in remembered
                told.add(key)
        if not offer.nodes and (place := _place_at(boxes, boxes.number_of(*key, ""), found)) is not None:
            place.is_declared |= not offer.supposed
            told.add(key)
    _place_untold(snapshot, span, boxes, told, found)
    return found


def _place_at(boxes: Boxing, number: int, found: dict[str, Place]) -> Place | None:
    """The place of a box; None where it is none, or a node, which `_place_nodes` has placed."""
    box = boxes.boxes[number]
    return None if number == NO_BOX or box.kind == "node" else found.setdefault(box.key, Place())


def _place_nodes(snapshot: Snapshot, span: Span, boxes: Boxing, found: dict[str, Place]) -> None:
    gone, remembered = gone_nodes(snapshot, span.to_ns), remembered_nodes(snapshot, span.to_ns)
    for key, history in snapshot.state.of_kind("node").items():
        box = boxes.boxes[boxes.number_of_node(*key)]
        if box.kind == "node" and any(one.value is not None and one.meets(span) for one in history):
            here = {key[1]}
            place = found.setdefault(box.key, Place(is_declared=True))
            place.is_remembered = key in remembered
            place.add(set() if key in gone else here, here if key in gone else set())


def _place_untold(snapshot: Snapshot, span: Span, boxes: Boxing, told: set[Key], found: dict[str, Place]) -> None:
    """Services that no state tells of are on the nodes that were called for them."""
    directory, names = snapshot.directory, snapshot.names
    is_untold = np.array([key not in told for key in directory.services])
    supposed = is_untold[directory.of_action] & (directory.of_action > 0)
    if not supposed.any():
        return
    nodes = names.count(NameKind.NODE) + 1
    codes = []
    for cut in call_cuts(snapshot, span):
        wanted = cut.where(look_up(supposed, cut.column("action")))
        service = look_up(directory.of_action, wanted.column("action")).astype(np.intp)
        codes.append(service * nodes + np.minimum(wanted.column("target"), nodes - 1))
    gone = gone_nodes(snapshot, span.to_ns)
    for code in number_codes(codes, len(directory.services) * nodes).codes.tolist():
        service, node = divmod(code, nodes)
        if node == NO_NAME:
            continue
        key = (directory.services[service][0], names.text(NameKind.NODE, node))
        here = {key[1]}
        here_number = boxes.number_of(key[0], directory.services[service][1], key[1])
        place = _place_at(boxes, here_number, found)
        if place is not None:
            place.add(set() if key in gone else here, here if key in gone else set())
