"""Logarithmic buckets of durations: 50 a factor of e, so a bucket's value is at most 1 % off.

The lowest bucket begins at 1 microsecond; the highest holds all above 3 hours.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

BUCKETS_PER_E: Final = 50
LOWEST_S: Final = 1e-6
BUCKET_COUNT: Final = 1152  # ln(10_800 s / 1 us) * 50, rounded up to whole 64s

NO_BUCKET: Final = -1


def bucket_of(duration_s: float) -> int:
    """The bucket of one duration: 0 up to BUCKET_COUNT - 1."""
    if duration_s <= LOWEST_S:
        return 0
    return min(int(math.log(duration_s / LOWEST_S) * BUCKETS_PER_E), BUCKET_COUNT - 1)


def buckets_of(durations_s: NDArray[np.floating]) -> NDArray[np.int16]:
    """The buckets of many durations at once. Shape as given."""
    with np.errstate(divide="ignore"):
        raw = np.log(np.maximum(durations_s.astype(np.float64), LOWEST_S) / LOWEST_S) * BUCKETS_PER_E
    buckets: NDArray[np.int16] = np.minimum(raw, BUCKET_COUNT - 1).astype(np.int16)
    return buckets


def bucket_edges_s() -> NDArray[np.float64]:
    """The edges between buckets, in s. Shape (BUCKET_COUNT + 1,)."""
    return np.asarray(LOWEST_S * np.exp(np.arange(BUCKET_COUNT + 1) / BUCKETS_PER_E))


def bucket_values_s() -> NDArray[np.float64]:
    """What a duration in each bucket is taken to be: 2·lo·hi/(lo+hi), in s. Shape (BUCKET_COUNT,)."""
    edges = bucket_edges_s()
    low, high = edges[:-1], edges[1:]
    return np.asarray(2 * low * high / (low + high))
