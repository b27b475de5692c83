"""Spans of time, and the one Cursor that every view obeys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from broker.clock import SECOND


class Span(NamedTuple):
    """A span of time, [from_ns, to_ns), in ns since the epoch."""

    from_ns: int
    to_ns: int

    @property
    def seconds(self) -> float:
        """Its length in s; never negative."""
        return max(0, self.to_ns - self.from_ns) / SECOND

    def before(self) -> Span:
        """The span of equal length that ends where this one begins."""
        return Span(self.from_ns - (self.to_ns - self.from_ns), self.from_ns)

    def holds(self, at_ns: int) -> bool:
        """Whether a moment lies in it."""
        return self.from_ns <= at_ns < self.to_ns


@dataclass(frozen=True, slots=True)
class Cursor:
    """The span on screen: its end, its length, whether it follows live.

    Attributes:
        end_ns: Where it ends while it does not follow.
        length_ns: How long it is; 0 for everything there is.
        follows: Whether its end is the timeline's newest moment.
    """

    end_ns: int = 0
    length_ns: int = 5 * 60 * SECOND
    follows: bool = True

    def span(self, begin_ns: int, through_ns: int) -> Span:
        """What it shows of a timeline from begin_ns to through_ns; what happened at through_ns is among it."""
        end_ns = through_ns + 1 if self.follows else self.end_ns
        if self.length_ns == 0:
            return Span(min(begin_ns, end_ns), end_ns)
        return Span(end_ns - self.length_ns, end_ns)

    def paused_at(self, end_ns: int) -> Cursor:
        """The same length, standing still."""
        return replace(self, end_ns=end_ns, follows=False)

    def following(self) -> Cursor:
        """The same length, at the newest moment."""
        return replace(self, follows=True)
