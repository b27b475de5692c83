"""Places for the moment in which a layout is worked out: whoever opens groups sees them at once. No Qt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final

from app.graph.plan import Point
from app.widgets.canvas.items import FRAME_SIDE, FRAME_TOP

GAP_X, GAP_Y = 96.0, 36.0
INNER_X, INNER_Y = 24.0, 14.0
LEVEL: Final = 1.8
"""How much wider than high everything is."""


@dataclass(frozen=True, slots=True)
class _Block:
    """A group, or a box that is in none; its middle is at (0, 0).

    Attributes:
        at: Middle of each box.
        width, height: With its frame.
        near: Where it stood, as a group or as a card; None if it did not.
    """

    at: dict[str, Point]
    width: float
    height: float
    near: Point | None


def meanwhile(
    boxes: Sequence[str],
    frames: Mapping[str, str],
    known: Mapping[str, Point],
    was: Mapping[str, str],
    width: float,
    height: float,
) -> dict[str, Point]:
    """Where boxes stand until there is a layout.

    What has a place keeps it where that is most of it, and groups that are new stand around the card that they
    were. Otherwise all of it stands in rows, in about the order in which it stood before, none over another.

    Args:
        boxes: Keys.
        frames: The group of each box that is in one; the card of a closed group has the group's key.
        known: Places, also of boxes that are not there any more.
        was: The groups before.
        width, height: Of a box.
    """
    blocks = _blocks(boxes, frames, known, was, width, height)
    kept = sum(len(block.at) for block in blocks if _stands(block, known))
    if 2 * kept <= len(boxes):
        return _rows(blocks)
    at: dict[str, Point] = {}
    for block in blocks:
        if _stands(block, known):
            at |= {key: known[key] for key in block.at}
        else:
            x, y = block.near or (0.0, 0.0)
            at |= {key: (x + dx, y + dy) for key, (dx, dy) in block.at.items()}
    return at


def _stands(block: _Block, known: Mapping[str, Point]) -> bool:
    return all(key in known for key in block.at)


def _blocks(
    boxes: Sequence[str],
    frames: Mapping[str, str],
    known: Mapping[str, Point],
    was: Mapping[str, str],
    width: float,
    height: float,
) -> list[_Block]:
    inside: dict[str, list[str]] = defaultdict(list)
    for key in boxes:
        inside[frames.get(key, "")].append(key)
    before: dict[str, list[Point]] = defaultdict(list)
    for key, frame in was.items():
        if key in known:
            before[frame].append(known[key])
    alone = inside.pop("", [])
    made = [_Block({key: (0.0, 0.0)}, width, height, known.get(key) or _middle(before.get(key, ()))) for key in alone]
    for frame, members in inside.items():
        at, wide, high = _inside(members, width, height)
        near = known.get(frame) or _middle([known[key] for key in members if key in known])
        made.append(_Block(at, wide, high, near))
    return made


def _inside(members: Sequence[str], width: float, height: float) -> tuple[dict[str, Point], float, float]:
    """Boxes of a group in rows, and the size of its frame."""
    step_x, step_y = width + INNER_X, height + INNER_Y
    per_row = max(1, round(sqrt(len(members) * step_y / step_x)))
    wide = (min(per_row, len(members)) - 1) * step_x + width + 2 * FRAME_SIDE
    high = (ceil(len(members) / per_row) - 1) * step_y + height + FRAME_SIDE + FRAME_TOP
    left, top = -wide / 2 + FRAME_SIDE + width / 2, -high / 2 + FRAME_TOP + height / 2
    at = {key: (left + n % per_row * step_x, top + n // per_row * step_y) for n, key in enumerate(members)}
    return at, wide, high


def _middle(points: Sequence[Point]) -> Point | None:
    if not points:
        return None
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _rows(blocks: Sequence[_Block]) -> dict[str, Point]:
    """Rows of blocks, from above to below and from left to right as they stood; those that did not come last."""
    room = sum((block.width + GAP_X) * (block.height + GAP_Y) for block in blocks)
    most = sqrt(room * LEVEL)
    ordered = sorted(blocks, key=lambda block: (block.near is None, block.near[1] if block.near else 0.0))
    at: dict[str, Point] = {}
    row: list[_Block] = []
    top = 0.0
    for block in [*ordered, None]:
        if block is None or sum(other.width + GAP_X for other in row) + block.width > most:
            at |= _row(row, top)
            top += max((other.height for other in row), default=0.0) + GAP_Y
            row = []
        if block is not None:
            row.append(block)
    return at


def _row(row: Sequence[_Block], top: float) -> dict[str, Point]:
    at: dict[str, Point] = {}
    left = 0.0
    for block in sorted(row, key=lambda block: (block.near is None, block.near[0] if block.near else 0.0)):
        x, y = left + block.width / 2, top + block.height / 2
        at |= {key: (x + dx, y + dy) for key, (dx, dy) in block.at.items()}
        left += block.width + GAP_X
    return at
