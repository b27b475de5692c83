"""The only place that asks what time it is."""

from __future__ import annotations

import time
from functools import partial
from typing import Final, Protocol

SECOND: Final = 1_000_000_000
MILLISECOND: Final = 1_000_000


class Clock(Protocol):
    """Tells the time; handed in, never imported by those who need it."""

    def now_ns(self) -> int:
        """The moment, in ns since the epoch. Never runs back."""
        ...

    def wall_step_ns(self) -> int:
        """How far the wall clock has moved away from this clock since it was last asked, in ns."""
        ...

    def ahead_of_wall_ns(self) -> int:
        """What to add to a moment that the wall clock gave a short while ago, in ns."""
        ...


class SystemClock:
    """The wall clock at its creation, plus the time since.

    Time since is CLOCK_BOOTTIME where the system has it (it goes on while a
    laptop sleeps) and the monotonic clock elsewhere, so that a step of the
    wall clock never makes a moment run back (design, "Names and time").
    """

    def __init__(self) -> None:
        clock_id = getattr(time, "CLOCK_BOOTTIME", None)
        # asked several times in every call of a node that measures itself: nothing is decided each time
        self._elapsed_ns = time.monotonic_ns if clock_id is None else partial(time.clock_gettime_ns, clock_id)
        self._offset_ns = time.time_ns() - self._elapsed_ns()
        self._step_ns = 0

    def now_ns(self) -> int:
        """The moment, in ns since the epoch."""
        return self._offset_ns + self._elapsed_ns()

    def wall_step_ns(self) -> int:
        """How far the wall clock moved away from this clock since last asked, in ns."""
        drift_ns = time.time_ns() - self.now_ns()
        step_ns = drift_ns - self._step_ns
        self._step_ns = drift_ns
        return step_ns

    def ahead_of_wall_ns(self) -> int:
        """What to add to a moment that the wall clock gave a short while ago, in ns."""
        return self.now_ns() - time.time_ns()


class ManualClock:
    """A clock that a test sets by hand."""

    def __init__(self, now_ns: int = 0) -> None:
        self.at_ns = now_ns

    def now_ns(self) -> int:
        """The moment it was set to, in ns since the epoch."""
        return self.at_ns

    def wall_step_ns(self) -> int:
        """Always 0: nobody steps this clock."""
        return 0

    def ahead_of_wall_ns(self) -> int:
        """Always 0: it is the wall clock."""
        return 0
