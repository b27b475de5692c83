"""Layers from left to right: callers before those they call. No Qt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fast_sugiyama import from_edges

from app.graph.plan import Line, Placing, Plan, Point
from app.graph.regular import rows_of

SPACING = 72.0
"""What the library places its vertices apart; a unit of ours is a row."""
LAYER_GAP, ROW_GAP = 108.0, 36.0
PART_GAP = 40.0
SMALL_LINES = 300
Pair = tuple[int, int]
Vertex = int | str


@dataclass(slots=True)
class _Part:
    """A connected part of the graph, placed with its top left corner at (0, 0), in px."""

    at: dict[int, Point]
    bends: dict[Pair, list[Point]]
    width: float
    height: float


def layered(plan: Plan) -> Placing:
    """Place boxes in layers; lines that span several get a bend in each that they pass.

    Boxes without lines stand in rows below.
    """
    parts = _parts(plan, _without_circles(plan.lines))
    at: dict[str, Point] = {}
    bends: dict[Pair, list[Point]] = {}
    top = 0.0
    for part in parts:
        at |= {plan.boxes[number]: (x, y + top) for number, (x, y) in part.at.items()}
        bends |= {pair: [(x, y + top) for x, y in points] for pair, points in part.bends.items()}
        top += part.height + PART_GAP + plan.height
    width = max((part.width for part in parts), default=0.0)
    alone = [number for number, key in enumerate(plan.boxes) if key not in at]
    rows = rows_of(alone, plan.width + LAYER_GAP, plan.height + ROW_GAP, top=top, width=width)
    at |= {plan.boxes[number]: point for number, point in rows.items()}
    return Placing(plan.number, "layered", at, _bends_of(plan, bends))


def _bends_of(plan: Plan, bends: dict[Pair, list[Point]]) -> dict[str, list[Point]]:
    """The points each line passes from its source to its target; turned ones pass them backwards."""
    found = {}
    for line in plan.lines:
        points = bends.get((line.source, line.target)) or bends.get((line.target, line.source), [])[::-1]
        if points:
            found[line.key] = points
    return found


def _without_circles(lines: Iterable[Line]) -> dict[Pair, None]:
    """Pairs that lead round no circle: heavy lines keep their direction, others are turned about."""
    kept: dict[Pair, None] = {}
    after: dict[int, set[int]] = defaultdict(set)
    for line in sorted(lines, key=lambda line: (-line.weight, line.source, line.target)):
        source, target = line.source, line.target
        if source == target:
            continue
        if _reaches(after, target, source):
            source, target = target, source
        kept[source, target] = None
        after[source].add(target)
    return kept


def _reaches(after: dict[int, set[int]], begin: int, end: int) -> bool:
    seen, waiting = {begin}, [begin]
    while waiting:
        here = waiting.pop()
        if here == end:
            return True
        for near in after[here] - seen:
            seen.add(near)
            waiting.append(near)
    return False


def _parts(plan: Plan, pairs: Iterable[Pair]) -> list[_Part]:
    """Connected parts as the library lays them out, largest first.

    It ends the process on loops, double edges and circles, so it must not be shown any.
    """
    named = [(str(source), str(target)) for source, target in pairs]
    if not named:
        return []
    # trading neighbours as well makes small graphs calmer, and takes big ones several times as long
    is_small = len(named) <= SMALL_LINES
    layouts = from_edges(named, vertex_spacing=int(SPACING), check_layout=False, transpose=is_small)
    parts = [_part(plan, positions, steps or []) for positions, _, _, steps in layouts]
    return sorted(parts, key=lambda part: (-len(part.at), min(part.at)))


def _part(plan: Plan, positions: Sequence[tuple[Vertex, Point]], steps: Iterable[tuple[Vertex, Vertex]]) -> _Part:
    """A part turned on its side and spread to the size of our boxes.

    Args:
        plan: For the size of a box.
        positions: Boxes by their number as text, and vertices that the library put into long lines as int.
        steps: Its lines, cut at those vertices.
    """
    left = min(x for _, (x, _) in positions)
    top = max(y for _, (_, y) in positions)
    step_x, step_y = plan.width + LAYER_GAP, plan.height + ROW_GAP
    at = {vertex: ((top - y) / SPACING * step_x, (x - left) / SPACING * step_y) for vertex, (x, y) in positions}
    after = {source: target for source, target in steps if isinstance(source, int)}
    bends: dict[Pair, list[Point]] = {}
    for source, target in steps:
        if isinstance(source, int) or not isinstance(target, int):
            continue
        end: Vertex = target
        passed = []
        while isinstance(end, int):
            passed.append(at[end])
            end = after[end]
        bends[int(source), int(end)] = passed
    boxes = {int(vertex): point for vertex, point in at.items() if isinstance(vertex, str)}
    return _Part(boxes, bends, max(x for x, _ in boxes.values()), max(y for _, y in at.values()))
