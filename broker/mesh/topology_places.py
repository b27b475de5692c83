"""Where the boxes of the graph are: which nodes offer them, as of the end of a span."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from broker.mesh.boxes import NO_BOX, Boxing
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
    if boxes.by_node:
        _place_nodes(snapshot, span, found)
        return found
    told = set()
    remembered = remembered_nodes(snapshot, span.to_ns)
    for key, offer in offers(snapshot, span).items():
        box = boxes.of_service[boxes.directory.indices.get(key, 0)]
        if box != NO_BOX:
            place = found.setdefault(boxes.boxes[box].key, Place())
            place.add(set(offer.online), set(offer.offline))
            place.is_declared |= not offer.supposed
            place.is_remembered |= any((key[0], node_id) in remembered for node_id in offer.offline)
            told.add(key)
    _place_untold(snapshot, span, boxes, told, found)
    return found


def _place_nodes(snapshot: Snapshot, span: Span, found: dict[str, Place]) -> None:
    gone, remembered = gone_nodes(snapshot, span.to_ns), remembered_nodes(snapshot, span.to_ns)
    for key, history in snapshot.state.of_kind("node").items():
        if any(one.value is not None and one.meets(span) for one in history):
            here = {key[1]}
            place = found.setdefault(f"node:{key[0]}/{key[1]}", Place(is_declared=True))
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
        wanted = cut.where(np.take(supposed, cut.column("action"), mode="clip"))
        service = np.take(directory.of_action, wanted.column("action"), mode="clip").astype(np.intp)
        codes.append(service * nodes + np.minimum(wanted.column("target"), nodes - 1))
    gone = gone_nodes(snapshot, span.to_ns)
    for code in number_codes(codes, len(directory.services) * nodes).codes.tolist():
        service, node = divmod(code, nodes)
        if node == NO_NAME:
            continue
        key = (directory.services[service][0], names.text(NameKind.NODE, node))
        here = {key[1]}
        place = found.setdefault(boxes.boxes[boxes.of_service[service]].key, Place())
        place.add(set() if key in gone else here, here if key in gone else set())
