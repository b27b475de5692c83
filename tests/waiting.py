"""Waiting for what other processes and threads do."""

from __future__ import annotations

import time
from collections.abc import Callable

DEADLINE_S = 60.0


def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline_s, "it did not come true in time"
        time.sleep(0.01)
