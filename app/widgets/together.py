"""Durations that nobody measured: request and answer came in one read of the bus, and have one time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.widgets.format import TOGETHER_MS

DRAWN_MS = 1.0
"""Where they are drawn: in the middle of what is said of them, "<2 ms"; nothing is as quick as it would look."""


def drawn(values_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Durations as a chart draws them. Shape as given; what is not known stays so."""
    return np.where(values_ms < TOGETHER_MS, DRAWN_MS, values_ms)
