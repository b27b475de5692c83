"""The way of a wire: curves that leave at one side of a card and arrive at one of another."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPainterPath

from app.widgets.canvas.items import Point, Wire

Side = Literal["left", "right", "top", "bottom"]
Curve = tuple[float, float, float, float, float, float, float, float]
"""A cubic: begin, two control points, end."""

SIDEWAYS = 0.62
"""How much of a card's width others must lie apart for a wire to use the left and right sides."""
PORT_STEP = 7.0
STUB = 8.0


class Route(NamedTuple):
    """The way of one wire.

    Attributes:
        curves: One after the other.
        has_arrow: Whether its direction has to be shown: it does not run from right side to left side.
    """

    curves: tuple[Curve, ...]
    has_arrow: bool

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of all its points."""
        xs = [curve[i] for curve in self.curves for i in (0, 2, 4, 6)]
        ys = [curve[i] for curve in self.curves for i in (1, 3, 5, 7)]
        return min(xs), min(ys), max(xs), max(ys)

    def path(self) -> QPainterPath:
        """As Qt wants it."""
        path = QPainterPath()
        add_to(path, self)
        return path


def add_to(path: QPainterPath, route: Route) -> None:
    """Add the way to a path."""
    first = route.curves[0]
    path.moveTo(first[0], first[1])
    for curve in route.curves:
        path.cubicTo(curve[2], curve[3], curve[4], curve[5], curve[6], curve[7])


class _End(NamedTuple):
    side: Side
    wire: str
    is_source: bool
    towards: Point


def route_wires(
    wires: Iterable[Wire],
    at: Mapping[str, Point],
    bends: Mapping[str, Sequence[Point]],
    width: float,
    height: float,
) -> dict[str, Route]:
    """The way of each wire between cards of a size; ends at one side are spread in the order of where they go."""
    ends: dict[tuple[str, Side], list[_End]] = defaultdict(list)
    routes: dict[str, Route] = {}
    normal = []
    for wire in wires:
        if wire.source == wire.target:
            routes[wire.key] = _loop(at[wire.source], width, height)
            continue
        normal.append(wire)
        through = bends.get(wire.key, ())
        source, target = at[wire.source], at[wire.target]
        after, before = (through[0], through[-1]) if through else (target, source)
        ends[wire.source, leaving_side(source, after, width)].append(_End("left", wire.key, True, after))
        ends[wire.target, leaving_side(target, before, width)].append(_End("left", wire.key, False, before))
    ports = {
        (end.wire, end.is_source): (port, side)
        for (card, side), group in ends.items()
        for end, port in _ports(at[card], side, group, width, height)
    }
    for wire in normal:
        begin, begin_side = ports[wire.key, True]
        end, end_side = ports[wire.key, False]
        has_arrow = not (begin_side == "right" and end_side == "left")
        routes[wire.key] = Route(_curves(begin, begin_side, bends.get(wire.key, ()), end, end_side, width), has_arrow)
    return routes


def leaving_side(here: Point, there: Point, width: float) -> Side:
    """The side of a card from which one leaves towards a point."""
    dx = there[0] - here[0]
    if dx > width * SIDEWAYS:
        return "right"
    if dx < -width * SIDEWAYS:
        return "left"
    return "bottom" if there[1] > here[1] else "top"


def _ports(card: Point, side: Side, ends: list[_End], width: float, height: float) -> Iterable[tuple[_End, Point]]:
    is_upright = side in ("left", "right")
    ends.sort(key=lambda end: (end.towards[1] if is_upright else end.towards[0], end.wire, end.is_source))
    room = (height - 22.0) if is_upright else (width - 48.0)
    step = min(PORT_STEP if is_upright else 14.0, room / max(1, len(ends) - 1))
    x, y = card
    for place, end in enumerate(ends):
        away = (place - (len(ends) - 1) / 2) * step
        if is_upright:
            yield end, (x + (width / 2 if side == "right" else -width / 2), y + away)
        else:
            yield end, (x + away, y + (height / 2 if side == "bottom" else -height / 2))


_OUT: dict[Side, Point] = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}


def _curves(
    begin: Point, begin_side: Side, through: Sequence[Point], end: Point, end_side: Side, width: float
) -> tuple[Curve, ...]:
    across = 1.0 if end[0] >= begin[0] else -1.0
    # straight as long as it runs between two cards of a column
    half = (width / 2 + STUB) * across
    points = [begin, *(point for x, y in through for point in ((x - half, y), (x + half, y))), end]
    curves = []
    for number, (here, there) in enumerate(itertools.pairwise(points)):
        out_x, out_y = _OUT[begin_side] if number == 0 else (across, 0.0)
        in_x, in_y = _OUT[end_side] if number == len(points) - 2 else (-across, 0.0)
        dx, dy = abs(there[0] - here[0]), abs(there[1] - here[1])
        reach_out = (dx if out_x else dy) * 0.5
        reach_in = (dx if in_x else dy) * 0.5
        curves.append(
            (
                here[0], here[1],
                here[0] + out_x * reach_out, here[1] + out_y * reach_out,
                there[0] + in_x * reach_in, there[1] + in_y * reach_in,
                there[0], there[1],
            )
        )  # fmt: skip
    return tuple(curves)


def _loop(card: Point, width: float, height: float) -> Route:
    """A wire that comes back: above the right end of its card."""
    x, y = card[0] + width / 2, card[1] - height / 2
    return Route(((x - 54, y, x - 54, y - 34, x - 18, y - 34, x - 18, y),), True)


class LooseRoutes(Mapping[str, Route]):
    """Ways from middle to middle, a little bent to the left, behind the cards: for pictures with thousands of wires.

    All are found at once; what is one by itself is made when it is asked for.

    Attributes:
        keys_in_order: Of the wires.
        boxes: Left, top, right, bottom of each. Shape (wires, 4).
    """

    def __init__(self, wires: Sequence[Wire], at: Mapping[str, Point]) -> None:
        self.keys_in_order = [wire.key for wire in wires]
        self._places = {key: place for place, key in enumerate(self.keys_in_order)}
        begin = np.array([at[wire.source] for wire in wires], np.float64).reshape(-1, 2)
        end = np.array([at[wire.target] for wire in wires], np.float64).reshape(-1, 2)
        step = end - begin
        sag = np.stack([step[:, 1], -step[:, 0]], 1) * 0.09
        curves = np.stack([begin, begin + step / 3 + sag, end - step / 3 + sag, end], 1)
        self.boxes = np.concatenate([curves.min(1), curves.max(1)], 1)
        self._curves = cast(list[Curve], list(map(tuple, curves.reshape(-1, 8).tolist())))

    def __getitem__(self, key: str) -> Route:
        """The way of one wire."""
        return Route((self._curves[self._places[key]],), False)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys_in_order)

    def __len__(self) -> int:
        return len(self.keys_in_order)


def sampled(routes: Sequence[Route], samples: int) -> NDArray[np.float64]:
    """Points on ways, equally far apart along each.

    Args:
        routes: One or more.
        samples: How many points on each, both ends included.

    Returns:
        Shape (routes, samples, 2).
    """
    most = max(len(route.curves) for route in routes)
    # shorter ways repeat their end, which adds no length
    padded = [
        route.curves + ((*route.curves[-1][6:8], *route.curves[-1][6:8]) * 2,) * (most - len(route.curves))
        for route in routes
    ]
    curves = np.array(padded, np.float64).reshape(len(routes), most, 4, 2)
    t = np.linspace(0.0, 1.0, 17)
    weights = np.stack([(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3])
    dense = np.einsum("kt,rckx->rctx", weights, curves).reshape(len(routes), -1, 2)
    return _evenly(dense, samples)


def _evenly(dense: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    lengths = np.hypot(*np.moveaxis(np.diff(dense, axis=1), 2, 0))
    along = np.concatenate([np.zeros((len(dense), 1)), np.cumsum(lengths, axis=1)], axis=1)
    total = np.maximum(along[:, -1:], 1e-9)
    wanted = np.linspace(0.0, 1.0, samples)
    found = np.empty((len(dense), samples, 2))
    for row, (way, points) in enumerate(zip(along / total, dense, strict=True)):
        found[row, :, 0] = np.interp(wanted, way, points[:, 0])
        found[row, :, 1] = np.interp(wanted, way, points[:, 1])
    return found
