"""Durations as rows keep them (s, 32 bits) and as answers tell them (ms)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def milliseconds(duration_s: NDArray[Any]) -> NDArray[np.float64]:
    """Durations in ms, to the microsecond: 32 bits make 9.9999998 of 10. Shape as given."""
    return np.asarray(np.rint(duration_s.astype(np.float64) * 1e6) / 1e3)
