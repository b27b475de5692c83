"""A probe process as benches attach it: a real child, its batches taken, counted and dropped."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from broker.observe.journal import Batch, Outcome
from broker.probe.client import ProbeCallbacks, ProbeClient, SessionOptions


class Heard:
    """What a probe tells.

    Attributes:
        process_id: The probe's.
        through_ns: All up to here has been told, in ns since the epoch.
    """

    def __init__(self) -> None:
        self.process_id = 0
        self.through_ns = 0
        self.hears = threading.Event()
        self._calls: list[NDArray[np.void]] = []

    def take(self, batch: Batch) -> None:
        """Take in a batch, in the client's thread."""
        self._calls.append(batch.calls)
        self.through_ns = batch.through_ns
        if batch.tally.packets:
            self.hears.set()

    def lag_s(self, at_ns: int) -> float:
        """Wait until everything up to a moment has been told. How long after it that was, in s.

        Raises:
            TimeoutError: It took more than 10 s.
        """
        while self.through_ns < at_ns:
            if time.time_ns() - at_ns > 10_000_000_000:
                raise TimeoutError("the probe has not told what it heard 10 s ago")
            time.sleep(0.005)
        return (time.time_ns() - at_ns) / 1e9

    def durations_s(self, begin_ns: int, end_ns: int) -> NDArray[np.float64]:
        """How long the calls took that were answered between two moments."""
        calls = np.concatenate(self._calls)
        chosen = (calls["outcome"] == int(Outcome.OK)) & (begin_ns <= calls["end_ns"]) & (calls["end_ns"] < end_ns)
        return calls["duration_s"][chosen].astype(np.float64)


@contextlib.contextmanager
def probe_attached(port: int) -> Iterator[Heard]:
    """A probe that listens to the Redis on this loopback port, capture included, as the window uses it."""
    heard = Heard()
    client = ProbeClient(ProbeCallbacks(on_batch=heard.take))
    client.open(SessionOptions(url=f"redis://127.0.0.1:{port}", keeps_catalogue=False))
    heard.process_id = client.process_id
    try:
        if not heard.hears.wait(20):
            raise TimeoutError("the probe heard nothing within 20 s")
        yield heard
    finally:
        client.close()
