"""How long to wait before trying again: 0.5 s, doubled each time, at most 15 s."""

from __future__ import annotations

FIRST_S = 0.5
MOST_S = 15.0


class Backoff:
    """Grows with each attempt; starts anew after a success."""

    def __init__(self) -> None:
        self._next_s = FIRST_S

    def next_s(self) -> float:
        """How long to wait now, in s."""
        wait_s, self._next_s = self._next_s, min(self._next_s * 2, MOST_S)
        return wait_s

    def reset(self) -> None:
        """It worked."""
        self._next_s = FIRST_S
