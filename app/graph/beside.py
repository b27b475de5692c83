"""A place for boxes that are new, beside those they talk to, without moving any other. No Qt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from app.graph.plan import Point

GAP_X, GAP_Y = 108.0, 36.0


class _Taken:
    """Places that boxes cover, found by the cell of a coarse grid they lie in."""

    def __init__(self, points: Iterable[Point], width: float, height: float) -> None:
        self._width, self._height = width, height
        self._cells: dict[tuple[int, int], list[Point]] = {}
        for point in points:
            self.add(point)

    def _cell(self, point: Point) -> tuple[int, int]:
        return int(point[0] // self._width), int(point[1] // self._height)

    def add(self, point: Point) -> None:
        self._cells.setdefault(self._cell(point), []).append(point)

    def is_free(self, point: Point) -> bool:
        column, row = self._cell(point)
        return not any(
            abs(x - point[0]) < self._width and abs(y - point[1]) < self._height
            for near in ((column + i, row + j) for i in (-1, 0, 1) for j in (-1, 0, 1))
            for x, y in self._cells.get(near, ())
        )


def place_beside(
    new: Sequence[str],
    known: Mapping[str, Point],
    lines: Collection[tuple[str, str]],
    width: float,
    height: float,
) -> dict[str, Point]:
    """Places for new boxes; those that talk to known ones first.

    Args:
        new: Keys without a place.
        known: Where the others are. They stay.
        lines: (caller, called) by key.
        width, height: Of a box.

    Returns:
        A place for each new key: right of its callers, otherwise left of those
        it calls, otherwise below everything. None covers another.
    """
    at = dict(known)
    taken = _Taken(at.values(), width + 24.0, height + 16.0)
    callers: dict[str, list[str]] = {}
    called: dict[str, list[str]] = {}
    for source, target in lines:
        callers.setdefault(target, []).append(source)
        called.setdefault(source, []).append(target)
    waiting = list(new)
    placed: dict[str, Point] = {}
    while waiting:
        key = next((k for k in waiting if any(o in at for o in (*callers.get(k, ()), *called.get(k, ())))), waiting[0])
        waiting.remove(key)
        wish = _wish(callers.get(key, ()), called.get(key, ()), at, width + GAP_X, height + GAP_Y)
        point = _free_near(wish, taken, height + GAP_Y)
        at[key] = placed[key] = point
        taken.add(point)
    return placed


def _wish(
    callers: Sequence[str], called: Sequence[str], at: Mapping[str, Point], step_x: float, step_y: float
) -> Point:
    left = [at[key] for key in callers if key in at]
    if left:
        return max(x for x, _ in left) + step_x, sum(y for _, y in left) / len(left)
    right = [at[key] for key in called if key in at]
    if right:
        return min(x for x, _ in right) - step_x, sum(y for _, y in right) / len(right)
    if not at:
        return 0.0, 0.0
    return min(x for x, _ in at.values()), max(y for _, y in at.values()) + step_y


def _free_near(wish: Point, taken: _Taken, step: float) -> Point:
    """The wished place or the nearest free one above or below it."""
    for turn in range(1000):
        away = (turn + 1) // 2 * (1 if turn % 2 else -1) * step / 2
        point = (wish[0], wish[1] + away)
        if taken.is_free(point):
            return point
    return wish
