"""What a canvas shows: plain data, compared to find out what has to be painted again. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

Tone = Literal["none", "ok", "slow", "failed", "held"]
Sign = Literal["", "slow", "warned", "failed", "held"]
Shape = Literal["card", "pill", "square"]
Point = tuple[float, float]

CARD_WIDTH, CARD_HEIGHT = 158.0, 54.0
FRAME_SIDE, FRAME_TOP = 16.0, 38.0
"""How far a frame stands from the cards in it: at its sides and below, and above, where its name is."""
HEAD = 30.0
"""How high the part of a frame is that can be taken hold of."""


class Card(NamedTuple):
    """A box.

    Attributes:
        key: Stays the same from one picture to the next.
        title: Its name.
        detail: The line below it.
        tone: Its health: the bar at its left edge.
        sign: What is drawn beside the colour, so that it is never the only sign.
        marks: Small squares, one an instance.
        lost: How many of them, the last ones, are hollow: gone.
        shape: What kind of thing it is.
        is_dashed: Declared, but silent.
        is_hatched: Gone.
        is_doubtful: Only supposed to be there: a question mark.
        is_gateway: The outside comes in here: an arrow.
        frame: Key of the frame around it; "" for none.
        is_stack: Several things as one: it can be opened.
    """

    key: str
    title: str
    detail: str = ""
    tone: Tone = "none"
    sign: Sign = ""
    marks: int = 0
    lost: int = 0
    shape: Shape = "card"
    is_dashed: bool = False
    is_hatched: bool = False
    is_doubtful: bool = False
    is_gateway: bool = False
    frame: str = ""
    is_stack: bool = False

    @property
    def far_look(self) -> tuple[object, ...]:
        """What of it is seen from so far that nothing can be read."""
        return self.tone, self.is_dashed, self.is_hatched


@dataclass(frozen=True, slots=True)
class Frame:
    """A box around cards, with its name above them.

    Attributes:
        key: Stays the same from one picture to the next.
        title: Its name.
        detail: Dim, behind its name.
        sign: What is drawn beside its name: something in it needs a look.
    """

    key: str
    title: str
    detail: str = ""
    sign: Sign = ""


class Wire(NamedTuple):
    """A connection from one card to another.

    Attributes:
        key: Stays the same from one picture to the next.
        source, target: Keys of cards.
        tone: Its health.
        thickness: In px at zoom 1.
        label: What its chip says; none if empty.
        barrier: What holds calls up on its way, as a sign and a word: "▬ open"; "" for nothing.
        barrier_tone: The colour of that.
        is_event: Violet and dashed.
        is_silent: Nothing runs along it: grey and dashed.
        calls_per_s, failures_per_s: How many dots and diamonds run along it.
        seconds: How long something is under way: how fast they run. 0 unknown.
    """

    key: str
    source: str
    target: str
    tone: Tone = "ok"
    thickness: float = 1.5
    label: str = ""
    barrier: str = ""
    barrier_tone: Tone = "none"
    is_event: bool = False
    is_silent: bool = False
    calls_per_s: float = 0.0  # all before is painted
    failures_per_s: float = 0.0
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """All that its chip says."""
        return " · ".join(filter(None, (self.barrier, self.label)))

    @property
    def far_look(self) -> tuple[object, ...]:
        """What of it is painted where there are thousands."""
        return self.tone, self.is_event, self.is_silent


PAINTED: Final = Wire._fields.index("calls_per_s")
"""So many fields of a wire are painted; rates and times, which come behind them, only move dots."""
