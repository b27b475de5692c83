"""Where a user has been: back and forward, as in a browser. No Qt."""

from __future__ import annotations

from typing import NamedTuple

from broker.mesh.subject import Subject

MOST = 100


class Stop(NamedTuple):
    """A view and what was selected in it."""

    view: str
    subject: Subject | None


class History:
    """Stops in the order in which they were visited, and which of them we are at."""

    def __init__(self) -> None:
        self._stops: list[Stop] = []
        self._at = -1

    def visit(self, stop: Stop) -> None:
        """We are here now; what lay forward is forgotten. The stop where we already are is not added again."""
        if self._stops and self._stops[self._at] == stop:
            return
        del self._stops[self._at + 1 :]
        self._stops.append(stop)
        del self._stops[:-MOST]
        self._at = len(self._stops) - 1

    def back(self) -> Stop | None:
        """The stop before, which we are at then; None at the first."""
        if self._at <= 0:
            return None
        self._at -= 1
        return self._stops[self._at]

    def forward(self) -> Stop | None:
        """The stop after, which we are at then; None at the last."""
        if self._at >= len(self._stops) - 1:
            return None
        self._at += 1
        return self._stops[self._at]
