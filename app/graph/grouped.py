"""A layout with groups: each is laid out by itself, then all of them like boxes of their size. No Qt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.graph.plan import Line, Placing, Plan, Point
from app.widgets.canvas.items import FRAME_SIDE, FRAME_TOP

GAP_X, GAP_Y = 96.0, 36.0
SWEEPS: Final = 6
PUSHES: Final = 200
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Block:
    """A group laid out by itself, or a box that is in none.

    Attributes:
        at: Middle of each box, from the middle of the block.
        width, height: Of the whole, its frame included.
        bends: Of the lines in it, from the middle of the block.
    """

    at: dict[str, Point]
    width: float
    height: float
    bends: dict[str, list[Point]]


def grouped(plan: Plan, lay_out: Callable[[Plan], Placing]) -> Placing:
    """Place boxes so that those of a group stand together and no group covers anything else.

    Args:
        plan: With groups.
        lay_out: Lays out a plan without.
    """
    members = [group for group in plan.groups if group]
    in_group = {number for group in members for number in group}
    alone = [number for number in range(len(plan.boxes)) if number not in in_group]
    block_of = {
        number: block for block, group in enumerate([*members, *([number] for number in alone)]) for number in group
    }
    inside: dict[int, list[Line]] = defaultdict(list)
    for line in plan.lines:
        if block_of[line.source] == block_of[line.target]:
            inside[block_of[line.source]].append(line)
    blocks = [_block(plan, group, inside[block], lay_out) for block, group in enumerate(members)]
    blocks += [_Block({plan.boxes[number]: (0.0, 0.0)}, plan.width, plan.height, {}) for number in alone]
    lines = _between(plan.lines, block_of)
    names = [min(block.at) for block in blocks]
    outer = Plan(plan.number, plan.kind, names, lines, plan.width, plan.height)
    placing = lay_out(outer)
    middles = _spread(blocks, np.array([placing.at[name] for name in names], np.float64), lines, placing.kind)
    at: dict[str, Point] = {}
    bends: dict[str, list[Point]] = {}
    for block, (x, y) in zip(blocks, middles.tolist(), strict=True):
        at |= {key: (x + dx, y + dy) for key, (dx, dy) in block.at.items()}
        bends |= {key: [(x + dx, y + dy) for dx, dy in points] for key, points in block.bends.items()}
    return Placing(plan.number, placing.kind, at, bends, placing.problem)


def _block(plan: Plan, group: Sequence[int], inside: Sequence[Line], lay_out: Callable[[Plan], Placing]) -> _Block:
    place = {number: here for here, number in enumerate(group)}
    lines = [Line(line.key, place[line.source], place[line.target], line.weight) for line in inside]
    # what does not call each other is one column: a flow from left to right reads best through narrow groups
    is_column = plan.kind == "layered" and all(line.source == line.target for line in lines)
    boxes = [plan.boxes[number] for number in group]
    if is_column:
        per_column = max(4, round(len(boxes) ** 0.5) * 2)
        step_x, step_y = plan.width + 24.0, plan.height + 14.0
        at = {key: (n // per_column * step_x, n % per_column * step_y) for n, key in enumerate(boxes)}
        placing = Placing(plan.number, plan.kind, at)
    else:
        placing = lay_out(msgspec.structs.replace(plan, boxes=boxes, lines=lines, at={}, fixed=[], groups=[]))
    xs, ys = [x for x, _ in placing.at.values()], [y for _, y in placing.at.values()]
    width = max(xs) - min(xs) + plan.width + 2 * FRAME_SIDE
    height = max(ys) - min(ys) + plan.height + FRAME_SIDE + FRAME_TOP
    middle_x = (max(xs) + min(xs)) / 2
    middle_y = (max(ys) + min(ys)) / 2 - (FRAME_TOP - FRAME_SIDE) / 2
    at = {key: (x - middle_x, y - middle_y) for key, (x, y) in placing.at.items()}
    bends = {key: [(x - middle_x, y - middle_y) for x, y in points] for key, points in placing.bends.items()}
    return _Block(at, width, height, bends)


def _between(lines: Sequence[Line], block_of: Mapping[int, int]) -> list[Line]:
    """One line for each pair of blocks, as heavy as all of them."""
    weights: dict[tuple[int, int], float] = defaultdict(float)
    for line in lines:
        weights[block_of[line.source], block_of[line.target]] += line.weight
    return [
        Line(f"{source} {target}", source, target, weight)
        for (source, target), weight in sorted(weights.items())
        if source != target
    ]


def _spread(blocks: Sequence[_Block], points: Floats, lines: Sequence[Line], kind: str) -> Floats:
    """Middles of blocks of different sizes, from middles of boxes of one size. Shape (blocks, 2)."""
    sizes = np.array([(block.width, block.height) for block in blocks], np.float64)
    if kind == "layered":
        return _columns(points, sizes, lines)
    points = points * np.maximum(1.0, np.sqrt(sizes.prod(1).mean() / sizes.prod(1).min()))
    _push_apart(points, sizes + np.array([GAP_X / 2, GAP_Y]))
    return points


def _columns(points: Floats, sizes: Floats, lines: Sequence[Line]) -> Floats:
    """Columns as wide as the widest in them; in each, the order stays, near what the lines lead to."""
    columns = [np.flatnonzero(np.round(points[:, 0]) == x) for x in np.unique(np.round(points[:, 0]))]
    columns = [column[np.argsort(points[column, 1], kind="stable")] for column in columns]
    placed = np.zeros_like(points)
    left = 0.0
    for column in columns:
        width = float(sizes[column, 0].max())
        placed[column, 0] = left + width / 2
        left += width + GAP_X
        placed[column, 1] = _apart(points[column, 1], sizes[column, 1])
        placed[column, 1] -= placed[column, 1].mean()
    near: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for line in lines:
        near[line.source].append((line.target, line.weight))
        near[line.target].append((line.source, line.weight))
    for sweep in range(SWEEPS):
        for column in columns if sweep % 2 else reversed(columns):
            wish = np.array([_pull(number, near, placed) for number in column.tolist()])
            placed[column, 1] = _apart(wish, sizes[column, 1])
    return placed


def _pull(number: int, near: Mapping[int, list[tuple[int, float]]], placed: Floats) -> float:
    around = near.get(number)
    if not around:
        return float(placed[number, 1])
    # a heavy line pulls more, but not as much more as it is heavier
    weights = [1.0 + weight**0.5 for _, weight in around]
    pulls = sum(float(placed[other, 1]) * weight for (other, _), weight in zip(around, weights, strict=True))
    return float(pulls / sum(weights))


def _apart(wish: Floats, heights: Floats) -> Floats:
    """Middles in the order given, as near to what is wished as their heights allow."""
    steps = (heights[:-1] + heights[1:]) / 2 + GAP_Y
    offsets = np.concatenate([[0.0], np.cumsum(steps)])
    # without the heights, the order must only not fall: neighbours that cross are pooled at their mean
    pools: list[tuple[float, int]] = []
    for value in (wish - offsets).tolist():
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, count), (other, more) = pools[-2], pools[-1]
            pools[-2:] = [((one * count + other * more) / (count + more), count + more)]
    level = np.array([value for value, count in pools for _ in range(count)], np.float64)
    middles: Floats = level + offsets
    return middles


def _push_apart(points: Floats, sizes: Floats) -> None:
    """Push apart, in place, whatever overlaps; along the shorter way."""
    for _ in range(PUSHES):
        one, other = _overlapping(points, sizes)
        if not len(one):
            return
        gap = points[other] - points[one]
        over = (sizes[one] + sizes[other]) / 2 - np.abs(gap)
        axis = np.where(over[:, 0] < over[:, 1], 0, 1)
        rows = np.arange(len(one))
        push = over[rows, axis] * np.where(gap[rows, axis] < 0, -1.0, 1.0) * 0.52
        np.add.at(points, (one, axis), -push)
        np.add.at(points, (other, axis), push)


def _overlapping(points: Floats, sizes: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of blocks that overlap, found along x by their left sides: all pairs of 1,000 would take seconds."""
    left, right = points[:, 0] - sizes[:, 0] / 2, points[:, 0] + sizes[:, 0] / 2
    order = np.argsort(left, kind="stable")
    counts = np.searchsorted(left[order], right[order] - 1e-6) - np.arange(len(order)) - 1
    np.maximum(counts, 0, out=counts)
    first = np.repeat(np.arange(len(order)), counts)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    one, other = order[first], order[second]
    over = (sizes[one, 1] + sizes[other, 1]) / 2 - np.abs(points[one, 1] - points[other, 1])
    overlaps = over > 1e-6
    return one[overlaps], other[overlaps]
