"""Layouts that only count: rows, a grid, circles around who is called most. No Qt."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from app.graph.plan import Placing, Plan, Point

GAP_X, GAP_Y = 64.0, 44.0


def rows_of(numbers: Sequence[int], step_x: float, step_y: float, *, top: float, width: float) -> dict[int, Point]:
    """Boxes in rows from left to right.

    Args:
        numbers: What to place, in order.
        step_x, step_y: From one middle to the next.
        top: The y of the first row.
        width: How wide a row may be; a square is filled where that is wider.
    """
    per_row = max(1, int(width // step_x) + 1, math.ceil(math.sqrt(len(numbers) * step_y / step_x)))
    return {n: (place % per_row * step_x, top + place // per_row * step_y) for place, n in enumerate(numbers)}


def grid(plan: Plan) -> Placing:
    """Boxes in rows, in their order."""
    at = rows_of(range(len(plan.boxes)), plan.width + GAP_X, plan.height + GAP_Y, top=0.0, width=0.0)
    return Placing(plan.number, "grid", {plan.boxes[n]: point for n, point in at.items()})


def concentric(plan: Plan) -> Placing:
    """Circles: in the middle what has most lines, further out what has fewer."""
    lines = Counter(end for line in plan.lines for end in (line.source, line.target))
    order = sorted(range(len(plan.boxes)), key=lambda n: (-lines[n], n))
    at: dict[str, Point] = {}
    radius, begin = 0.0, 0
    apart = math.hypot(plan.width, plan.height) + 24.0
    while begin < len(order):
        room = max(1, int(2 * math.pi * radius / apart)) if radius else 1
        ring = order[begin : begin + room]
        for place, number in enumerate(ring):
            angle = 2 * math.pi * place / len(ring) - math.pi / 2
            at[plan.boxes[number]] = (radius * math.cos(angle), radius * math.sin(angle))
        begin += room
        radius += apart * 1.15
    return Placing(plan.number, "concentric", at)
