"""How long to wait before trying again."""

from __future__ import annotations

import random
from typing import Final

FIRST_S: Final = 0.5
MOST_S: Final = 15.0


class Backoff:
    """Doubles with each attempt, from FIRST_S to MOST_S, and starts anew after a success.

    Up to a fifth is taken off at random, so that those who were cut off together do not come back together.
    """

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.Random()
        self._next_s = FIRST_S

    def next_s(self) -> float:
        """How long to wait now, in s."""
        wait_s, self._next_s = self._next_s, min(self._next_s * 2, MOST_S)
        return self._less(wait_s)

    def most_s(self) -> float:
        """How long to wait for what will hardly mend itself, in s."""
        return self._less(MOST_S)

    def reset(self) -> None:
        """It worked."""
        self._next_s = FIRST_S

    def _less(self, wait_s: float) -> float:
        return round(wait_s * (1.0 - 0.2 * self._chance.random()), 3)
