"""What the graph asks of the timeline, in one go, in the worker thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal, cast

from app.graph.looks import Label, items_of, wire_key
from app.widgets.canvas.items import Card, Wire
from app.widgets.canvas.scene import Content
from broker.mesh import topology as mesh
from broker.mesh.answers import GroupBy, Topology
from broker.mesh.filter import EMPTY, Filter
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot

Direction = Literal["both", "callers", "callees"]
INTERNAL = "$node"


@dataclass(frozen=True, slots=True)
class Focus:
    """Only what is near a box.

    Attributes:
        key: The box.
        title: Its name.
        hops: How many connections away.
        direction: Against them, along them, or both.
    """

    key: str
    title: str
    hops: int = 1
    direction: Direction = "both"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall be shown.

    Attributes:
        group_by: What a card is.
        label: What is written on connections.
        find, hide: Filters; what they mean is marked, or taken out.
        focus: None for everything.
    """

    group_by: GroupBy = "service"
    label: Label = "p99"
    find: Filter = EMPTY
    hide: Filter = EMPTY
    focus: Focus | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is to show.

    Attributes:
        topology: The graph, after hiding and focusing.
        content: Its cards and wires, compared with those that were shown before.
        found: Keys of cards that are meant by the search; empty without one.
        faded: Keys of cards and wires that are not.
        known: How many boxes there are in all, hidden or not.
        took_s: How long it took to find out.
    """

    topology: Topology
    content: Content
    found: frozenset[str]
    faded: frozenset[str]
    known: int
    took_s: float = 0.0

    @property
    def cards(self) -> list[Card]:
        """In the order they are painted."""
        return list(self.content.cards.values())

    @property
    def wires(self) -> list[Wire]:
        """In the order they are painted."""
        return list(self.content.wires.values())


def ask(wanted: Wanted, span: Span, passing: Filter, before: Content | None, snapshot: Snapshot) -> Shown:
    """The graph of a span.

    Args:
        wanted: What of it.
        span: When.
        passing: What calls must pass, in every view.
        before: What is shown now.
        snapshot: Of the timeline.
    """
    begin_s = perf_counter()
    whole = mesh.topology(
        snapshot,
        span,
        group_by=wanted.group_by,
        filter=passing,
        show_internal=INTERNAL not in wanted.hide.text,
    )
    topology = whole if wanted.hide.is_empty else mesh.hide(whole, wanted.hide)
    if wanted.focus is not None and any(node.key == wanted.focus.key for node in topology.nodes):
        topology = mesh.focus(topology, {wanted.focus.key}, wanted.focus.hops, wanted.focus.direction)
    cards, wires = items_of(topology, wanted.label)
    found, faded = _found(topology, wanted.find)
    known = len(whole.nodes) + whole.hidden
    content = Content(cards, wires, before)
    return Shown(topology, content, found, faded, known, perf_counter() - begin_s)


def _found(topology: Topology, sought: Filter) -> tuple[frozenset[str], frozenset[str]]:
    """Keys of the boxes that are meant, and of all that is not; a connection is meant with both its ends."""
    if sought.is_empty:
        return frozenset(), frozenset()
    found = mesh.find(topology, sought)
    faded = {node.key for node in topology.nodes} - found
    faded |= {wire_key(edge) for edge in topology.edges if edge.source not in found or edge.target not in found}
    return frozenset(found), frozenset(faded)


def with_group(wanted: Wanted, group_by: str) -> Wanted:
    """Other cards: a focus on a card of the old kind has no meaning then."""
    return replace(wanted, group_by=cast(GroupBy, group_by), focus=None)


def with_label(wanted: Wanted, label: str) -> Wanted:
    """Other words on connections."""
    return replace(wanted, label=cast(Label, label))


def focus_of(value: str, key: str, title: str) -> Focus | None:
    """What "2:callers" means for a card; None for "off"."""
    hops, _, direction = value.partition(":")
    if not key or not hops.isdigit():
        return None
    return Focus(key, title, int(hops), cast(Direction, direction))
