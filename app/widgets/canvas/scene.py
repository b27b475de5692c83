"""What is on the canvas and where: cards, wires, their ways, and what lies under a point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF

from app.widgets.canvas.frames import Frames
from app.widgets.canvas.items import CARD_HEIGHT, CARD_WIDTH, PAINTED, Card, Frame, Point, Wire
from app.widgets.canvas.routes import LooseRoutes, Route, route_wires, sampled

MANY_WIRES = 600
"""Above these wires run loosely from middle to middle."""
EDGE = 4.0


class Change(NamedTuple):
    """What is different after new content.

    Attributes:
        is_other: Cards or wires came or went.
        cards, wires: Keys of those that look different.
        far_cards, far_wires: Keys of those that look different from far away too.
        has_other_labels: Whether labels need more or less room than before.
    """

    is_other: bool
    cards: set[str]
    wires: set[str]
    far_cards: set[str]
    far_wires: set[str]
    has_other_labels: bool


class Content:
    """Cards and wires, and what is different from those before. Made where there is time: not on the GUI thread.

    Attributes:
        cards, wires, frames: By key, in the order they are painted.
        before: What `change` is against; None for nothing.
        change: What is different.
    """

    def __init__(
        self,
        cards: Iterable[Card],
        wires: Iterable[Wire],
        before: Content | None = None,
        frames: Iterable[Frame] = (),
    ) -> None:
        """Compare with what was shown before."""
        self.cards, self.wires = {card.key: card for card in cards}, {wire.key: wire for wire in wires}
        self.frames = {frame.key: frame for frame in frames}
        self.before: Content | None = before
        self.change = self.against(before)

    def against(self, old: Content | None) -> Change:
        """What is different from another content."""
        if old is None or self.cards.keys() != old.cards.keys() or self.wires.keys() != old.wires.keys():
            return Change(True, set(), set(), set(), set(), True)
        if self.frames != old.frames:  # seldom: the whole picture is painted again, and nothing moves
            return Change(True, set(), set(), set(), set(), True)
        cards = {key for key, card in self.cards.items() if old.cards[key] != card}
        # five thousand of them, again and again: slices of tuples are compared, and no property is asked
        were = old.wires
        wires = {key for key, wire in self.wires.items() if were[key][:PAINTED] != wire[:PAINTED]}
        far_cards = {key for key in cards if old.cards[key].far_look != self.cards[key].far_look}
        far_wires = {key for key in wires if old.wires[key].far_look != self.wires[key].far_look}
        relabelled = any(len(old.wires[key].text) != len(self.wires[key].text) for key in wires)
        return Change(False, cards, wires, far_cards, far_wires, relabelled)


class Scene:
    """Cards and wires on a plane.

    Attributes:
        cards, wires: By key, in the order they are painted.
        frames: Boxes around cards.
        at: Middle of each card that has a place; one without is not shown.
        width, height: Of every card.
        faded: Keys of cards and wires that are not meant.
        found: Keys of cards and wires that are.
    """

    def __init__(self) -> None:
        self.content: Content | None = None
        self.cards: dict[str, Card] = {}
        self.wires: dict[str, Wire] = {}
        self.frames = Frames(self)
        self.at: dict[str, Point] = {}
        self.bends: dict[str, Sequence[Point]] = {}
        self.width, self.height = CARD_WIDTH, CARD_HEIGHT
        self.faded: frozenset[str] = frozenset()
        self.found: frozenset[str] = frozenset()
        self._routes: Mapping[str, Route] | None = None
        self._bounds: QRectF | None = None
        self._card_points: NDArray[np.float64] | None = None
        self._wire_boxes: NDArray[np.float64] | None = None
        self._card_keys: list[str] = []
        self._wire_keys: list[str] = []
        self._by_card: dict[str, list[str]] | None = None

    # what it is told

    def show(self, content: Content) -> Change:
        """Take new content; places stay."""
        change = content.change if content.before is self.content else content.against(self.content)
        content.before = None  # the one before the last is needed by nobody
        self.content, self.cards, self.wires = content, content.cards, content.wires
        if change.is_other:
            self.frames.show(content.frames, content.cards)
            self._forget_ways()
        return change

    def place(self, at: Mapping[str, Point], bends: Mapping[str, Sequence[Point]]) -> None:
        """Put every card somewhere, and say what points wires pass."""
        self.at, self.bends = dict(at), dict(bends)
        self._forget_ways()

    def move(self, key: str, point: Point) -> None:
        """Put one card, or a frame with its cards, somewhere else; their wires go straight from then on."""
        x, y = self.place_of(key)
        for card in self.frames.cards_of(key) or [key]:
            old = self.at[card]
            self.at[card] = (old[0] + point[0] - x, old[1] + point[1] - y)
            for wire in self.wires_of(card):
                self.bends.pop(wire, None)
        self._forget_ways(keep_ends=True)

    def _forget_ways(self, *, keep_ends: bool = False) -> None:
        self._routes = self._card_points = self._wire_boxes = self._bounds = None
        self.frames.forget()
        if not keep_ends:
            self._by_card = None

    # what it knows

    @property
    def is_crowded(self) -> bool:
        """Whether there are too many wires to guide each round the cards."""
        return len(self.wires) > MANY_WIRES

    @property
    def routes(self) -> Mapping[str, Route]:
        """The way of each wire whose ends have places."""
        if self._routes is None:
            placed = [wire for wire in self.wires.values() if wire.source in self.at and wire.target in self.at]
            if self.is_crowded and not self.bends:
                self._routes = LooseRoutes(placed, self.at)
            else:
                self._routes = route_wires(placed, self.at, self.bends, self.width, self.height)
        return self._routes

    def has(self, key: str) -> bool:
        """Whether there is a card, a wire or a frame of this key."""
        return key in self.cards or key in self.wires or key in self.frames

    def place_of(self, key: str) -> Point:
        """The middle of a card that has a place, or of a frame."""
        if key in self.at:
            return self.at[key]
        middle = self.frames.rects[key].center()
        return middle.x(), middle.y()

    def rect_of(self, key: str) -> QRectF:
        """Where a card is."""
        x, y = self.at[key]
        return QRectF(x - self.width / 2, y - self.height / 2, self.width, self.height)

    def bounds(self, keys: Iterable[str] | None = None) -> QRectF:
        """A rectangle around cards; around everything, wires as well, if none are named. Empty without any."""
        if keys is not None:
            return self._around([self.at[key] for key in keys if key in self.at])
        if self._bounds is None:
            points = [self.at[key] for key in self.cards if key in self.at]
            if points and self.bends:
                points += [(x, y) for wire in self.wires for x, y in self.bends.get(wire, ())]
            self._bounds = self.frames.united(self._around(points)) if points else QRectF()
        return QRectF(self._bounds)

    def _around(self, points: list[Point]) -> QRectF:
        if not points:
            return QRectF()
        xs, ys = [x for x, _ in points], [y for _, y in points]
        box = QRectF(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
        return box.adjusted(-self.width / 2, -self.height / 2, self.width / 2, self.height / 2)

    def wires_of(self, card: str) -> list[str]:
        """Keys of the wires that begin or end at a card."""
        if self._by_card is None:
            self._by_card = {}
            for wire in self.wires.values():
                for end in {wire.source, wire.target}:
                    self._by_card.setdefault(end, []).append(wire.key)
        return self._by_card.get(card, [])

    def neighbours(self, card: str) -> set[str]:
        """Keys of the cards at the other ends of a card's wires."""
        ends = {end for key in self.wires_of(card) for end in (self.wires[key].source, self.wires[key].target)}
        return ends - {card}

    # what lies where

    def cards_in(self, rect: QRectF) -> list[str]:
        """Keys of the cards that meet a rectangle, in the order they are painted."""
        if self._card_points is None:
            self._card_keys = [key for key in self.cards if key in self.at]
            self._card_points = np.array([self.at[key] for key in self._card_keys], np.float64).reshape(-1, 2)
        x, y = self._card_points[:, 0], self._card_points[:, 1]
        wide, high = self.width / 2 + EDGE, self.height / 2 + EDGE
        seen = (
            (x > rect.left() - wide) & (x < rect.right() + wide) & (y > rect.top() - high) & (y < rect.bottom() + high)
        )
        return [self._card_keys[i] for i in np.flatnonzero(seen).tolist()]

    def wires_in(self, rect: QRectF) -> list[str]:
        """Keys of the wires whose box meets a rectangle, in the order they are painted."""
        boxes = self._boxes()
        seen = (boxes[:, 0] < rect.right() + EDGE) & (boxes[:, 2] > rect.left() - EDGE)
        seen &= (boxes[:, 1] < rect.bottom() + EDGE) & (boxes[:, 3] > rect.top() - EDGE)
        return [self._wire_keys[i] for i in np.flatnonzero(seen).tolist()]

    def _boxes(self) -> NDArray[np.float64]:
        if self._wire_boxes is None:
            routes = self.routes
            self._wire_keys = list(routes)
            if isinstance(routes, LooseRoutes):
                self._wire_boxes = routes.boxes
            else:
                self._wire_boxes = np.array([route.box for route in routes.values()], np.float64).reshape(-1, 4)
        return self._wire_boxes

    def thing_at(self, point: QPointF, reach: float) -> str:
        """The key of the card, else the wire, else the head of a frame at a point; "" for none."""
        return self.card_at(point) or self.wire_at(point, reach) or self.frames.at(point)

    def card_at(self, point: QPointF) -> str:
        """The key of the uppermost card at a point; "" for none."""
        here = self.cards_in(QRectF(point.x(), point.y(), 0, 0))
        return next((key for key in reversed(here) if self.rect_of(key).contains(point)), "")

    def wire_at(self, point: QPointF, reach: float) -> str:
        """The key of the wire nearest to a point and not further than a reach; "" for none."""
        near = self.wires_in(QRectF(point.x() - reach, point.y() - reach, 2 * reach, 2 * reach))
        if not near:
            return ""
        ways = sampled([self.routes[key] for key in near], 48)
        begin, end = ways[:, :-1], ways[:, 1:]
        step = end - begin
        away = np.array([point.x(), point.y()]) - begin
        share = np.clip((away * step).sum(2) / np.maximum((step * step).sum(2), 1e-9), 0.0, 1.0)
        distance = np.hypot(*np.moveaxis(away - share[..., None] * step, 2, 0)).min(1)
        nearest = int(distance.argmin())
        return near[nearest] if distance[nearest] <= reach else ""
