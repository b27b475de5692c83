"""Where the selection goes with the arrow keys and with Tab."""

from __future__ import annotations

import math
from typing import Literal

from app.widgets.canvas.items import FRAME_SIDE
from app.widgets.canvas.scene import Scene

Way = Literal["left", "right", "up", "down"]
_STEPS: dict[Way, tuple[float, float]] = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
WIDEST = math.radians(62)
NOT_WIRED = 2.2
"""How much further away a card counts that is not connected."""


def next_card(scene: Scene, key: str, way: Way) -> str:
    """The card that lies in a direction from another: connected ones first, near ones first; "" for none."""
    x, y = scene.at[key]
    step_x, step_y = _STEPS[way]
    near = scene.neighbours(key)
    best, best_cost = "", math.inf
    for other in scene.cards:
        if other == key or other not in scene.at:
            continue
        dx, dy = scene.at[other][0] - x, scene.at[other][1] - y
        distance = math.hypot(dx, dy)
        if distance < 1.0:
            continue
        angle = math.acos(max(-1.0, min(1.0, (dx * step_x + dy * step_y) / distance)))
        cost = distance * (1.0 + angle) * (1.0 if other in near else NOT_WIRED)
        if angle <= WIDEST and cost < best_cost:
            best, best_cost = other, cost
    return best


def in_reading_order(scene: Scene) -> list[str]:
    """Keys of all cards and frames, column by column from the left, each from above."""
    column = scene.width
    places = {key: scene.at[key] for key in scene.cards if key in scene.at}
    places |= {key: (rect.left() + column / 2 + FRAME_SIDE, rect.top()) for key, rect in scene.frames.rects.items()}
    return sorted(places, key=lambda key: (round(places[key][0] / column), places[key][1], key))
