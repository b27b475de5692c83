"""A probe process as benches attach it: a real child, its batches taken, counted and dropped."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.turns import NotMeasured
from broker.observe.journal import CALL_COLUMNS, Batch
from broker.operate.commands import Report
from broker.probe.client import PROBE_COMMAND, ProbeCallbacks, ProbeClient, SessionOptions
from broker.probe.status import ProbeStatus


class Heard:
    """What a probe tells.

    Attributes:
        process_id: The probe's.
        through_ns: All up to here has been told, in ns since the epoch.
        trouble: What went wrong; empty while nothing did.
    """

    def __init__(self) -> None:
        self.process_id = 0
        self.through_ns = 0
        self.trouble = ""
        self.hears = threading.Event()
        self._calls: list[NDArray[np.void]] = []

    def callbacks(self) -> ProbeCallbacks:
        """For its client, whose thread calls them."""
        return ProbeCallbacks(self._take, self._status, self._report, self._lost)

    def _take(self, batch: Batch) -> None:
        self._calls.append(batch.calls)
        self.through_ns = batch.through_ns
        if batch.tally.packets:
            self.hears.set()

    def _status(self, status: ProbeStatus) -> None:
        if status.state == "gap" or status.capture_trouble:
            self.trouble = f"the probe is in trouble: {status.capture_trouble or status.message}"
        elif status.lost_frames or status.rows_dropped:
            lost = f"{status.lost_frames} frames before the disk and {status.rows_dropped} rows before its client"
            self.trouble = f"the probe lost {lost}"

    def _report(self, _number: int, report: Report) -> None:
        self.trouble = f"the probe says: {report.message}"

    def _lost(self, reason: str) -> None:
        self.trouble = reason

    def look(self) -> None:
        """See whether all is well. Raises NotMeasured."""
        if self.trouble:
            raise NotMeasured(self.trouble)

    def lag_s(self, at_ns: int) -> float:
        """Wait until everything up to a moment has been told. How long after it that was, in s.

        Raises:
            NotMeasured: It took more than 10 s, or something went wrong.
        """
        while self.through_ns < at_ns:
            self.look()
            if time.time_ns() - at_ns > 10_000_000_000:
                raise NotMeasured("the probe has not told what it heard 10 s ago")
            time.sleep(0.005)
        self.look()
        return (time.time_ns() - at_ns) / 1e9

    def take_calls(self, begin_ns: int, end_ns: int) -> NDArray[np.void]:
        """Rows of CALL_COLUMNS that ended between two moments. All that was told before is forgotten."""
        told, self._calls = self._calls, []  # a batch that comes at this moment tells of what ended later
        calls = np.concatenate(told) if told else np.empty(0, CALL_COLUMNS)
        return calls[(begin_ns <= calls["end_ns"]) & (calls["end_ns"] < end_ns)]


@contextlib.contextmanager
def probe_attached(port: int, argv: Sequence[str] = PROBE_COMMAND) -> Iterator[Heard]:
    """A probe that listens to the Redis on this loopback port, capture included, as the window uses it.

    Args:
        port: Of the Redis.
        argv: The probe's command line.

    Raises:
        NotMeasured: It heard nothing within 20 s.
    """
    heard = Heard()
    client = ProbeClient(heard.callbacks(), argv)
    client.open(SessionOptions(url=f"redis://127.0.0.1:{port}", keeps_catalogue=False))
    heard.process_id = client.process_id
    try:
        if not heard.hears.wait(20):
            raise NotMeasured(heard.trouble or "the probe heard nothing within 20 s")
        yield heard
    finally:
        client.close()
