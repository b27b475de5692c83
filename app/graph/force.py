"""Forces: what talks much lies near. No Qt."""

from __future__ import annotations

import math

import numpy as np
import rustworkx
from numpy.typing import NDArray

from app.graph.plan import Placing, Plan

ROUNDS = 60
SEED = 7
Points = NDArray[np.float64]


def force(plan: Plan) -> Placing:
    """Place boxes by force, begin where they are, keep what is fixed, and let none cover another."""
    count = len(plan.boxes)
    if not count:
        return Placing(plan.number, "force")
    apart = math.hypot(plan.width, plan.height) * (1.9 if count > 60 else 1.5)
    unit = apart * math.sqrt(count) / 2  # the library lays out in [-1, 1]
    fixed = {n for n, key in enumerate(plan.boxes) if key in set(plan.fixed) and key in plan.at}
    points = _relaxed(plan, unit, fixed) * unit
    is_fixed = np.zeros(count, np.bool_)
    is_fixed[list(fixed)] = True
    _spread(points, plan.width + 28.0, plan.height + 24.0, is_fixed)
    return Placing(
        plan.number, "force", {key: (float(x), float(y)) for key, (x, y) in zip(plan.boxes, points, strict=True)}
    )


def _relaxed(plan: Plan, unit: float, fixed: set[int]) -> Points:
    """Shape (boxes, 2), in the library's unit."""
    graph = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(len(plan.boxes)))
    graph.add_edges_from([(line.source, line.target, 1.0) for line in plan.lines if line.source != line.target])
    begin = {n: (plan.at[key][0] / unit, plan.at[key][1] / unit) for n, key in enumerate(plan.boxes) if key in plan.at}
    placed = rustworkx.spring_layout(
        graph,
        pos=begin or None,
        fixed=fixed or None,
        k=2.0 / math.sqrt(len(plan.boxes)),
        num_iter=ROUNDS,
        scale=1,
        center=None if fixed else (0.0, 0.0),
        seed=SEED,
    )
    return np.array([placed[n] for n in range(len(plan.boxes))], np.float64)


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
