"""When the shop is in trouble: a pure function of the time since it opened, the same in every process."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

FIRST_TROUBLE_S: Final = 12.0
_LENGTH_S: Final = (18.0, 24.0)
_PAUSE_S: Final = (36.0, 62.0)
_KINDS: Final = ("bank", "bank", "catalog")


@dataclass(frozen=True, slots=True)
class Trouble:
    """A slow and failing while of one service.

    Attributes:
        service: Which.
        from_s: When it begins, in seconds since the shop opened.
        to_s: When it ends.
    """

    service: str
    from_s: float
    to_s: float

    def strength(self, at_s: float) -> float:
        """How bad it is at a moment, 0 to 1: it rises and falls over a quarter of its length."""
        if not self.from_s <= at_s < self.to_s:
            return 0.0
        slope_s = (self.to_s - self.from_s) / 4
        return min(1.0, (at_s - self.from_s) / slope_s, (self.to_s - at_s) / slope_s)


class Weather:
    """All troubles to come, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._troubles: list[Trouble] = []

    def strength(self, service: str, at_s: float) -> float:
        """How bad things are for a service, 0 to 1.

        Args:
            service: Which.
            at_s: Seconds since the shop opened.
        """
        self._foresee(at_s)
        return max((each.strength(at_s) for each in self._troubles[-3:] if each.service == service), default=0.0)

    def troubles(self, until_s: float) -> list[Trouble]:
        """Those that begin before a moment, oldest first."""
        self._foresee(until_s)
        return [each for each in self._troubles if each.from_s < until_s]

    def _foresee(self, at_s: float) -> None:
        while not self._troubles or self._troubles[-1].from_s <= at_s:
            first = not self._troubles
            begin_s = FIRST_TROUBLE_S if first else self._troubles[-1].to_s + self._random.uniform(*_PAUSE_S)
            kind = _KINDS[len(self._troubles) % len(_KINDS)]
            self._troubles.append(Trouble(kind, begin_s, begin_s + self._random.uniform(*_LENGTH_S)))
