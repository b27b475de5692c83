"""Forces: what talks much lies near. No Qt."""

from __future__ import annotations

import math

import numpy as np
import rustworkx
from numpy.typing import NDArray

from app.graph.plan import Placing, Plan, Point
from app.graph.regular import rows_of

ROUNDS = 60
SEED = 7
ROOM = 9.0
"""A card has so many times its own size, on average."""
Points = NDArray[np.float64]


def force(plan: Plan) -> Placing:
    """Place boxes by force, begin where they are, keep what is fixed, and let none cover another.

    Boxes without lines would be driven far away: they stand in rows below.
    """
    ends = {end for line in plan.lines if line.source != line.target for end in (line.source, line.target)}
    wired = [n for n, key in enumerate(plan.boxes) if n in ends or key in plan.fixed]
    at: dict[str, Point] = {}
    if wired:
        points = _placed(plan, wired)
        at = {plan.boxes[n]: (float(x), float(y)) for n, (x, y) in zip(wired, points, strict=True)}
    left = min((x for x, _ in at.values()), default=0.0)
    width = max((x for x, _ in at.values()), default=0.0) - left
    top = max((y for _, y in at.values()), default=-2 * plan.height) + 2 * plan.height
    alone = [n for n in range(len(plan.boxes)) if plan.boxes[n] not in at]
    rows = rows_of(alone, plan.width + 60.0, plan.height + 36.0, top=top, width=width)
    at |= {plan.boxes[n]: (x + left, y) for n, (x, y) in rows.items()}
    return Placing(plan.number, "force", at)


def _placed(plan: Plan, wired: list[int]) -> Points:
    """Places of the boxes that have lines. Shape (len(wired), 2)."""
    place = {number: row for row, number in enumerate(wired)}
    pairs = [(place[line.source], place[line.target]) for line in plan.lines if line.source != line.target]
    keys = [plan.boxes[number] for number in wired]
    fixed = {row for row, key in enumerate(keys) if key in set(plan.fixed) and key in plan.at}
    if fixed:
        unit = math.hypot(plan.width, plan.height) * math.sqrt(len(wired)) * 0.9
        begin = {
            row: (plan.at[key][0] / unit, plan.at[key][1] / unit) for row, key in enumerate(keys) if key in plan.at
        }
        points = _relaxed(len(wired), pairs, begin, fixed) * unit
    else:
        points = _lying(_relaxed(len(wired), pairs, {}, set()))
        points *= np.array([1.3, 0.85]) * _unit(points, pairs, plan)
    is_fixed = np.zeros(len(wired), np.bool_)
    is_fixed[list(fixed)] = True
    points[list(fixed)] = [plan.at[keys[row]] for row in fixed] if fixed else points[list(fixed)]
    _spread(points, plan.width + 28.0, plan.height + 24.0, is_fixed)
    return points


def _lying(points: Points) -> Points:
    """Turned so that the longest way across lies level, as screens do."""
    centred = points - points.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    # the axis of the largest spread becomes x; the signs are fixed so that the same graph always lies the same way
    turned: Points = centred @ axes[:, ::-1]
    turned *= np.where(turned[0] > 0, -1.0, 1.0)
    return turned


def _unit(points: Points, pairs: list[tuple[int, int]], plan: Plan) -> float:
    """How much to enlarge: until neighbours have room for a label between, and all have room for a card."""
    ends = np.array(pairs, np.intp).reshape(-1, 2)
    lengths = np.hypot(*(points[ends[:, 0]] - points[ends[:, 1]]).T)
    by_length = 1.6 * plan.width / max(1e-9, float(np.median(lengths))) if len(ends) else 1.0
    extent = np.maximum(np.ptp(points, axis=0), 1e-9)
    by_area = math.sqrt(ROOM * len(points) * plan.width * plan.height / float(extent[0] * extent[1]))
    return max(by_length, min(by_area, by_length * 12))


def _relaxed(
    count: int, pairs: list[tuple[int, int]], begin: dict[int, tuple[float, float]], fixed: set[int]
) -> Points:
    """Shape (count, 2), in the library's unit."""
    graph = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(count))
    graph.add_edges_from([(source, target, 1.0) for source, target in pairs])
    placed = rustworkx.spring_layout(
        graph,
        pos=begin or None,
        fixed=fixed or None,
        k=2.0 / math.sqrt(count),
        num_iter=ROUNDS,
        scale=1,
        center=None if fixed else (0.0, 0.0),
        seed=SEED,
    )
    return np.array([placed[n] for n in range(count)], np.float64)


def _spread(points: Points, width: float, height: float, is_fixed: NDArray[np.bool_], rounds: int = 40) -> None:
    """Push apart, in place, whatever is nearer than a box's size; along the shorter way."""
    for _ in range(rounds):
        one, other = _close(points, width, height)
        if not len(one):
            return
        gap = points[other] - points[one]
        over = np.array([width, height]) - np.abs(gap)
        is_x = over[:, 0] < over[:, 1]
        axis = np.where(is_x, 0, 1)
        rows = np.arange(len(one))
        push = over[rows, axis] * np.where(gap[rows, axis] < 0, -1.0, 1.0) * 0.55
        free_one, free_other = ~is_fixed[one], ~is_fixed[other]
        np.add.at(points, (one, axis), np.where(free_one, -push, 0.0) * np.where(free_other, 1.0, 2.0))
        np.add.at(points, (other, axis), np.where(free_other, push, 0.0) * np.where(free_one, 1.0, 2.0))


def _close(points: Points, width: float, height: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of boxes that overlap: found by sorting along x, so 1,000 boxes take a millisecond or two."""
    order = np.argsort(points[:, 0], kind="stable")
    sorted_x = points[order, 0]
    reach = np.searchsorted(sorted_x, sorted_x + width)
    counts = reach - np.arange(len(order)) - 1
    first = np.repeat(np.arange(len(order)), counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    second = first + offset + 1
    one, other = order[first], order[second]
    is_near = np.abs(points[one, 1] - points[other, 1]) < height - 1e-6
    return one[is_near], other[is_near]
