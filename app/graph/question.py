"""What the graph asks of the timeline, in one go, in the worker thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal, cast

from app.graph.looks import Label, items_of, wire_key
from app.graph.open_groups import group_by_of, kept_open
from app.widgets.canvas.items import Card, Wire
from app.widgets.canvas.scene import Content
from broker.mesh import topology as mesh
from broker.mesh.answers import GroupBy, Topology
from broker.mesh.filter import EMPTY, Filter, FilterError, parse
from broker.mesh.nesting import open_size
from broker.mesh.opened import CLOSED, Opened
from broker.mesh.paths import Paths
from broker.mesh.paths import paths as mesh_paths
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot

Direction = Literal["both", "callers", "callees"]
INTERNAL = "$node"
MOST_OPEN = 120
"""With more boxes in all groups together they are shown closed at first."""


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
class PathWish:
    """A way that somebody looks for.

    Attributes:
        source, target: Keys of cards.
        shows_all: All ways that visit no card twice; otherwise a shortest one.
    """

    source: str
    target: str
    shows_all: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall be shown.

    Attributes:
        group_by: What a card is.
        label: What is written on connections.
        find, hide: Filters; what they mean is marked, or taken out.
        focus: None for everything.
        opened: Which groups are open; None for all of them if they are few.
        path: Two cards, and whether all ways from the one to the other are meant; None for none.
    """

    group_by: GroupBy = "service"
    label: Label = "p99"
    find: Filter = EMPTY
    hide: Filter = EMPTY
    focus: Focus | None = None
    opened: Opened | None = CLOSED
    path: PathWish | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is to show.

    Attributes:
        topology: The graph, after hiding and focusing.
        content: Its cards and wires, compared with those that were shown before.
        found: Keys of cards that are meant by the search; empty without one.
        faded: Keys of cards and wires that are not.
        known: How many boxes there are in all, hidden or not.
        passing: How many of them the filter of all views leaves.
        opened: Which groups are open.
        paths: The ways that were looked for; None if none were.
        took_s: How long it took to find out.
    """

    topology: Topology
    content: Content
    found: frozenset[str]
    faded: frozenset[str]
    known: int
    took_s: float = 0.0
    opened: Opened = CLOSED
    paths: Paths | None = None
    passing: int = 0

    @property
    def cards(self) -> list[Card]:
        """In the order they are painted."""
        return list(self.content.cards.values())

    @property
    def lines(self) -> list[tuple[str, str, str, float]]:
        """What a layout is to heed: key, ends and weight of each connection; events and silence weigh little."""
        return [
            (wire.key, wire.source, wire.target, 0.05 if wire.is_event or wire.is_silent else 1.0 + wire.calls_per_s)
            for wire in self.wires
        ]

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
    opened = wanted.opened if wanted.opened is not None else _opened_if_few(snapshot, span, wanted.group_by)
    whole = mesh.topology(
        snapshot,
        span,
        group_by=wanted.group_by,
        opened=opened,
        filter=passing,
        show_internal=INTERNAL not in wanted.hide.text,
    )
    topology = whole if wanted.hide.is_empty else mesh.hide(whole, wanted.hide)
    if wanted.focus is not None and any(node.key == wanted.focus.key for node in topology.nodes):
        topology = mesh.focus(topology, {wanted.focus.key}, wanted.focus.hops, wanted.focus.direction)
    cards, wires, frames = items_of(topology, wanted.label)
    found, faded = _found(topology, wanted.find)
    ways = mesh_paths(topology, wanted.path.source, wanted.path.target) if wanted.path else None
    if wanted.path is not None and ways is not None:
        found, faded = _on_way(topology, wanted.path, ways)
    known = len(whole.nodes) + whole.hidden
    content = Content(cards, wires, before, frames)
    return Shown(topology, content, found, faded, known, perf_counter() - begin_s, opened, ways, len(whole.nodes))


def _opened_if_few(snapshot: Snapshot, span: Span, group_by: GroupBy) -> Opened:
    """All groups open where that gives no more cards than can be read."""
    return Opened(by_default=open_size(snapshot, span, group_by) <= MOST_OPEN)


def _on_way(topology: Topology, wish: PathWish, ways: Paths) -> tuple[frozenset[str], frozenset[str]]:
    """Keys of the boxes on the way, and of all that is not on it."""
    boxes = ways.boxes if wish.shows_all else frozenset(ways.shortest)
    pairs = ways.pairs if wish.shows_all else ways.shortest_pairs
    ends = boxes or frozenset({wish.source, wish.target})
    faded = {node.key for node in topology.nodes} - ends
    faded |= {
        wire_key(edge) for edge in topology.edges if edge.kind != "call" or (edge.source, edge.target) not in pairs
    }
    return ends, frozenset(faded)


def _found(topology: Topology, sought: Filter) -> tuple[frozenset[str], frozenset[str]]:
    """Keys of the boxes that are meant, and of all that is not; a connection is meant with both its ends."""
    if sought.is_empty:
        return frozenset(), frozenset()
    found = mesh.find(topology, sought)
    faded = {node.key for node in topology.nodes} - found
    faded |= {wire_key(edge) for edge in topology.edges if edge.source not in found or edge.target not in found}
    return frozenset(found), frozenset(faded)


def judge(text: str) -> str:
    """What is wrong with a filter; "" when nothing is."""
    try:
        parse(text)
    except FilterError as error:
        return error.message
    return ""


def with_group(wanted: Wanted, grouping: str) -> Wanted:
    """Other cards: a focus on a card of the old kind has no meaning then."""
    return replace(wanted, group_by=group_by_of(grouping), opened=kept_open(grouping), focus=None, path=None)


def with_label(wanted: Wanted, label: str) -> Wanted:
    """Other words on connections."""
    return replace(wanted, label=cast(Label, label))


def focus_of(value: str, key: str, title: str) -> Focus | None:
    """What "2:callers" means for a card; None for "off"."""
    hops, _, direction = value.partition(":")
    if not key or not hops.isdigit():
        return None
    return Focus(key, title, int(hops), cast(Direction, direction))
