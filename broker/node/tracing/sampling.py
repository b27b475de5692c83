"""Which traces are told of: decided once, where a trace begins, and carried along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from broker.clock import SECOND


@dataclass(frozen=True, slots=True)
class Sampling:
    """MoleculerJS's options of sampling, with its defaults.

    Attributes:
        rate: 0 for none, 1 for all, else this share of them, evenly.
        traces_per_s: At most so many in a second, may be less than 1; then the rate does not count.
        min_priority: Only spans of at least this priority; those without one of their own have 5.
    """

    rate: float = 1.0
    traces_per_s: float | None = None
    min_priority: int | None = None


class Sampler:
    """Decides for one node."""

    def __init__(self, sampling: Sampling, now_ns: Callable[[], int]) -> None:
        """Begin.

        Args:
            sampling: By which rules.
            now_ns: Tells the time.
        """
        self._sampling = sampling
        self._counter = 0
        per_s = sampling.traces_per_s
        self._limiter = RateLimiter(per_s, now_ns) if per_s is not None and per_s > 0 else None

    def decide(self, priority: int) -> bool:
        """Whether a trace that begins now with a span of this priority is told of."""
        sampling = self._sampling
        if sampling.min_priority is not None and priority < sampling.min_priority:
            return False
        if self._limiter is not None:
            return self._limiter.allows()
        if sampling.rate in (0, 1):
            return sampling.rate == 1
        self._counter += 1
        if self._counter * sampling.rate < 1.0:
            return False
        self._counter = 0
        return True


class RateLimiter:
    """So many in a second: what is not used is saved up, for a second at most."""

    def __init__(self, per_s: float, now_ns: Callable[[], int]) -> None:
        """Begin with nothing saved.

        Args:
            per_s: How many; may be less than 1.
            now_ns: Tells the time.
        """
        self._per_s = per_s
        self._most = max(per_s, 1.0)
        self._now_ns = now_ns
        self._last_ns = now_ns()
        self._saved = 0.0

    def allows(self) -> bool:
        """Whether one more may be now; if so it is taken."""
        now_ns = self._now_ns()
        self._saved = min(self._saved + (now_ns - self._last_ns) / SECOND * self._per_s, self._most)
        self._last_ns = now_ns
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True
