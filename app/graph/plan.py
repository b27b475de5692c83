"""What is asked of a layout, and what it answers: plain data that crosses a pipe as JSON. No Qt."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["layered", "force", "grid", "concentric"]
Point = tuple[float, float]

LAYERED_BOXES = 300
LAYERED_LINES = 1200
"""Above these a layered layout takes too long, and nobody can read it."""


class Line(msgspec.Struct, array_like=True, frozen=True):
    """A connection between two boxes, by their places in `Plan.boxes`.

    Attributes:
        key: What its bends are returned under.
        weight: How much it should decide; the direction of heavy ones wins where lines go round in a circle.
    """

    key: str
    source: int
    target: int
    weight: float = 1.0


class Plan(msgspec.Struct, frozen=True):
    """What is to be laid out.

    Attributes:
        number: Comes back with the placing.
        kind: How.
        boxes: Keys, in an order that stays the same from one plan to the next.
        lines: Connections.
        width, height: Of a box.
        at: Where some boxes are now, by key; force begins there.
        fixed: Keys that must stay where they are.
        groups: Boxes that stand together, by their places in `boxes`, with room for a frame around them.
    """

    number: int
    kind: Kind
    boxes: list[str]
    lines: list[Line]
    width: float = 158.0
    height: float = 54.0
    at: dict[str, Point] = {}
    fixed: list[str] = []
    groups: list[list[int]] = []

    def fits_layers(self) -> bool:
        """Whether a layered layout of it is quick and readable."""
        return len(self.boxes) <= LAYERED_BOXES and len(self.lines) <= LAYERED_LINES


class Placing(msgspec.Struct, frozen=True):
    """Where boxes belong.

    Attributes:
        number: Of the plan.
        kind: How they were placed in the end.
        at: Middle of each box, by key.
        bends: Points that a line passes on its way from source to target, by its key; straight ones are left out.
        problem: Why it is not what was asked for; "" when it is.
    """

    number: int
    kind: Kind
    at: dict[str, Point] = {}
    bends: dict[str, list[Point]] = {}
    problem: str = ""
