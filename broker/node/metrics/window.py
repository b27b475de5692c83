"""The last minute's samples: MoleculerJS's ring of age buckets, and the quantiles of what is in it."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any, Final

from broker.clock import SECOND
from broker.node.metrics.metric import number_text

_MAX_SAMPLES: Final = 5_000
"""Kept of each age bucket. Beyond it each further sample takes the place of a random one, so that a busy
node's snapshot sorts 50,000 numbers and not millions; extremes stay exact."""


class _AgeBucket:
    """What fell into one part of the time."""

    __slots__ = ("_pass_over", "_share", "highest", "lowest", "samples")

    def __init__(self) -> None:
        self.samples: list[float] = []
        self.lowest = math.inf
        self.highest = -math.inf
        self._pass_over = -1
        self._share = 1.0

    def replace(self, value: float) -> None:
        """Take in a sample when there is no room: each that ever came is kept with the same chance.

        How many are passed over until the next one is kept is drawn at once (Li's algorithm L), so that
        most of them cost a comparison.
        """
        if self._pass_over < 0:  # the first that finds no room
            self.lowest, self.highest = min(self.samples), max(self.samples)
            self._draw()
        if not self.lowest <= value <= self.highest:
            self.lowest, self.highest = min(self.lowest, value), max(self.highest, value)
        if self._pass_over:
            self._pass_over -= 1
            return
        self.samples[int(random.random() * _MAX_SAMPLES)] = value
        self._draw()

    def _draw(self) -> None:
        # 1 - random() is never 0; neither may be what is left of the share
        self._share = min(self._share * (1.0 - random.random()) ** (1 / _MAX_SAMPLES), 1.0 - 1e-12)
        self._pass_over = int(math.log(1.0 - random.random()) / math.log(1.0 - self._share))


class Window:
    """The samples of one series, none older than the window is long."""

    __slots__ = ("_begun_ns", "_buckets", "_current", "_next_ns", "_turn", "_width_ns")

    def __init__(self, max_age_s: float, age_buckets: int, now_ns: int) -> None:
        """Begin empty.

        Args:
            max_age_s: How long the window is.
            age_buckets: In how many parts it forgets.
            now_ns: The moment, in ns since the epoch.
        """
        self._width_ns = int(max_age_s * SECOND / age_buckets)
        self._begun_ns = now_ns
        self._turn = 0
        self._next_ns = now_ns + self._width_ns
        self._buckets = [_AgeBucket() for _ in range(age_buckets)]
        self._current = self._buckets[0]

    def add(self, value: float, now_ns: int) -> None:
        """Take in a sample."""
        if now_ns >= self._next_ns:
            self._rotate(now_ns)
        bucket = self._current
        if len(bucket.samples) < _MAX_SAMPLES:
            bucket.samples.append(value)
        else:
            bucket.replace(value)

    def snapshot(self, quantiles: Sequence[float], now_ns: int) -> dict[str, Any]:
        """What is in the window, as the wire shows it; nulls when it is empty."""
        if now_ns >= self._next_ns:
            self._rotate(now_ns)
        samples = sorted([sample for bucket in self._buckets for sample in bucket.samples])
        if not samples:
            return {"min": None, "mean": None, "variance": None, "stdDev": None, "max": None, "quantiles": {}}
        count = len(samples)
        mean = sum(samples) / count
        variance = sum([(sample - mean) ** 2 for sample in samples]) / (count - 1) if count > 1 else None
        ranks = [(quantile, math.ceil(quantile * count) - 1) for quantile in quantiles]
        return {
            "min": min(samples[0], *[bucket.lowest for bucket in self._buckets]),
            "mean": mean,
            "variance": variance,
            "stdDev": math.sqrt(variance) if variance else None,
            "max": max(samples[-1], *[bucket.highest for bucket in self._buckets]),
            "quantiles": {number_text(quantile): samples[rank] for quantile, rank in ranks if 0 <= rank < count},
        }

    def _rotate(self, now_ns: int) -> None:
        """Empty what has become too old, and go on in the bucket of now."""
        turn = (now_ns - self._begun_ns) // self._width_ns
        for passed in range(self._turn + 1, min(turn, self._turn + len(self._buckets)) + 1):
            self._buckets[passed % len(self._buckets)] = _AgeBucket()
        if turn - self._turn > len(self._buckets):
            self._buckets = [_AgeBucket() for _ in self._buckets]
        self._turn = turn
        self._next_ns = self._begun_ns + (turn + 1) * self._width_ns
        self._current = self._buckets[turn % len(self._buckets)]
