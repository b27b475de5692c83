"""Listeners that take turns: whose turn it is, what a turn tells, and what all of them tell. No input or output."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

CONFIDENCE: Final = 0.95
LEAST_PAIRS: Final = 10
"""Of fewer an interval that takes them for normally distributed would be too narrow."""

COUNTED_A_WINDOW: Final = 0.5
"""The calls that a probe counted in a window differ by at most this share from those made, besides those under way at
its ends. Once they were 15 % apart, on two processors for which a dozen waited: who must wait to read stamps late."""

COUNTED_IN_ALL: Final = 0.01
"""In all windows together, where that cancels out."""

PACKET_BYTES: Final = 200
"""A packet of a call has at least so many: its text alone."""


class NotMeasured(Exception):  # noqa: N818  it is no error of this program
    """Something was not as it must be, so that the numbers would mean nothing. The text says what."""


@dataclass(frozen=True)
class Plan:
    """How long to measure.

    Attributes:
        seconds: No round begins after so long.
        pairs: Nor after so many rounds; None for any number.
        seed: Of the orders of listeners.
    """

    seconds: float = 330.0
    pairs: int | None = None
    seed: int = field(default_factory=lambda: random.randrange(1 << 32))

    def is_over(self, passed_s: float, rounds: int) -> bool:
        """Whether no further round begins."""
        return passed_s >= self.seconds or (self.pairs is not None and rounds >= self.pairs)

    def orders(self, names: Sequence[str]) -> Iterator[list[str]]:
        """For each round all names, in an order of its own; without end."""
        rng = random.Random(self.seed)
        while True:
            yield rng.sample(names, len(names))


class Turn(NamedTuple):
    """What one listener's window told.

    Attributes:
        calls: Made by the mesh in the window.
        seconds: How long the window was, by the caller's clock.
        cpu_s: CPU of each listener in it, by name, also of those that slept.
        counted: Calls that the listener counted in it; 0 if it counts none.
        failed: Of those the listener saw fail.
        heard_bytes: What it read in all of its turn, if it counts that.
        lag_s: How long after the window all of it had been told.
        off_ms: How far its p50 and p90 are from the caller's own.
    """

    calls: int
    seconds: float
    cpu_s: Mapping[str, float] = {}
    counted: int = 0
    failed: int = 0
    heard_bytes: int = 0
    lag_s: float = 0.0
    off_ms: tuple[float, float] = (0.0, 0.0)

    @property
    def calls_per_s(self) -> float:
        """Of the mesh."""
        return self.calls / self.seconds


Turns = Mapping[str, Sequence[Turn]]
"""By listener, one a round."""


class Ratio(NamedTuple):
    """How one listener's calls/s are to another's.

    Attributes:
        mean: Geometric, of pairs within one round.
        low, high: Where it lies with CONFIDENCE, if pairs are independent.
        median: Of the same pairs.
        pairs: How many.
    """

    mean: float
    low: float
    high: float
    median: float
    pairs: int


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Compare calls/s of two listeners, round by round.

    Raises:
        NotMeasured: There are too few rounds.
    """
    if len(ours) < LEAST_PAIRS:
        raise NotMeasured(f"there were {len(ours)} rounds, expected at least {LEAST_PAIRS}: give it more time")
    logs = [math.log(one / other) for one, other in zip(ours, theirs, strict=True)]
    mean = statistics.fmean(logs)
    error = statistics.stdev(logs) / math.sqrt(len(logs))
    reach = statistics.NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * error
    low, middle, high = (math.exp(each) for each in (mean - reach, mean, mean + reach))
    return Ratio(middle, low, high, math.exp(statistics.median(logs)), len(logs))


def check(turn: Turn, in_flight: int, *, counts: bool = False, reads: bool = False) -> None:
    """See that a turn was as it must be.

    Args:
        turn: Whose listener was awake.
        in_flight: How many calls the mesh keeps under way.
        counts: Whether it counts calls.
        reads: Whether it counts bytes.

    Raises:
        NotMeasured: It was not.
    """
    if not turn.calls:
        raise NotMeasured("the mesh made no call in a window")
    if turn.failed:
        raise NotMeasured(f"{turn.failed} of the mesh's {turn.calls} calls in a window failed, expected none")
    if counts and abs(turn.counted - turn.calls) > in_flight + COUNTED_A_WINDOW * turn.calls:
        raise NotMeasured(f"the probe counted {turn.counted} calls in a window in which the mesh made {turn.calls}")
    least_bytes = 2 * turn.calls * PACKET_BYTES
    if reads and turn.heard_bytes < least_bytes:
        raise NotMeasured(
            f"the bare subscriber read {turn.heard_bytes} bytes in its turn, expected at least {least_bytes} "
            f"of the {turn.calls} calls that the mesh made"
        )


def counted_share(turns: Sequence[Turn]) -> float:
    """Calls that a listener counted, as a share of those made, in all its windows.

    Raises:
        NotMeasured: It is not about 1.
    """
    counted, calls = sum(turn.counted for turn in turns), sum(turn.calls for turn in turns)
    if abs(counted - calls) > COUNTED_IN_ALL * calls:
        raise NotMeasured(f"the probe counted {counted} calls in all its windows, in which the mesh made {calls}")
    return counted / calls


def cpu_us_a_packet(name: str, turns: Sequence[Turn]) -> float:
    """CPU of a listener for each packet in its windows, in µs; a call is two packets."""
    return sum(turn.cpu_s.get(name, 0.0) for turn in turns) / sum(2 * turn.calls for turn in turns) * 1e6


def asleep_cores(name: str, turns: Turns) -> float:
    """CPU of a listener in the windows of others, of a core: what it puts off until then, others pay for."""
    others = [turn for other, some in turns.items() if other != name for turn in some]
    return sum(turn.cpu_s.get(name, 0.0) for turn in others) / sum(turn.seconds for turn in others)
