"""When the mortal node is killed and when it comes back: a pure function of time and seed."""

from __future__ import annotations

import random

FIRST_DEATH_S = 30.0
_AWAY_S = (42.0, 48.0)
_ALIVE_S = (55.0, 80.0)


class Deaths:
    """Deaths and returns in turn, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}/deaths")
        self._next_s = FIRST_DEATH_S
        self._alive = True

    @property
    def next_s(self) -> float:
        """When something happens next, in seconds since the shop opened."""
        return self._next_s

    def take(self, at_s: float) -> bool | None:
        """What happens now.

        Args:
            at_s: Seconds since the shop opened.

        Returns:
            True: it is to live again. False: it is to die. None: nothing happens.
        """
        if at_s < self._next_s:
            return None
        self._alive = not self._alive
        self._next_s = at_s + self._random.uniform(*(_ALIVE_S if self._alive else _AWAY_S))
        return self._alive
