"""Every colour of the canvas, blended beforehand: translucent pens are many times slower."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtGui import QColor

from app.theme import Theme, mix


@dataclass(frozen=True, eq=False)
class Colours:
    """What a canvas is painted with in one theme.

    Attributes:
        tones: Bar and sign of a card, by tone.
        wires: Wires, by tone; one shade calmer than the bars.
        inks: Text in the colour of a tone, readable on a card or chip.
        crowd: Wires where there are thousands: what is fine recedes, so that the rest is seen.
        blocks: Cards too small for text, likewise.
    """

    ground: QColor
    grid: QColor
    card: QColor
    selected: QColor
    line: QColor
    text: QColor
    dim: QColor
    accent: QColor
    hatch: QColor
    chip: QColor
    frame: QColor
    dot: QColor
    event: QColor
    silent: QColor
    diamond: QColor
    tones: dict[str, QColor]
    wires: dict[str, QColor]
    inks: dict[str, QColor]
    crowd: dict[str, QColor]
    blocks: dict[str, QColor]


@lru_cache(maxsize=8)
def colours_of(theme: Theme, *, is_faded: bool = False) -> Colours:
    """The colours of a theme.

    Args:
        theme: Which.
        is_faded: For what is there but not meant: everything nearly sunk into the ground.
    """
    tones = {"none": theme.dim, "ok": theme.ok, "slow": theme.slow, "failed": theme.failed, "held": theme.held}

    def colour(front: str, share: float = 1.0) -> QColor:
        share *= 0.28 if is_faded else 1.0
        return QColor(mix(front, theme.surface0, share) if share < 1 else front)

    return Colours(
        ground=QColor(theme.surface0),
        grid=QColor(mix(theme.line, theme.surface0, 0.75)),
        card=colour(theme.surface2) if theme.is_dark else colour(theme.surface2 if is_faded else "#ffffff"),
        selected=QColor(theme.selected),
        line=colour(theme.line),
        text=colour(theme.text),
        dim=colour(theme.dim),
        accent=QColor(theme.accent),
        hatch=colour(theme.line, 0.8),
        chip=QColor(theme.surface1),
        frame=QColor(mix(theme.surface1 if theme.is_dark else theme.surface3, theme.surface0, 0.55)),
        dot=QColor(theme.text),
        event=colour(theme.held, 0.7),
        silent=colour(theme.dim, 0.6),
        diamond=QColor(theme.failed),
        tones={tone: colour(front) for tone, front in tones.items()},
        wires={tone: colour(front, 0.5 if tone == "none" else 0.68) for tone, front in tones.items()},
        crowd={tone: colour(front, 0.3 if tone in ("none", "ok") else 0.85) for tone, front in tones.items()},
        blocks={tone: colour(front, 0.55 if tone in ("none", "ok") else 1.0) for tone, front in tones.items()},
        inks={
            tone: QColor(theme.dim if tone in ("none", "ok") else theme.ink(front, theme.surface1))
            for tone, front in tones.items()
        },
    )
