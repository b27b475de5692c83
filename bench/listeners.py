"""Who listens to the mesh that is measured: nobody, a bare subscriber, the probe. They sleep until it is their turn."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import psutil
import redis

from bench.bare import SLEEP, WAKE
from bench.probing import Heard, probe_attached
from bench.servers import Count
from bench.turns import NotMeasured, Turn
from broker.observe.journal import Outcome

PROBE_IN_TURN: Final = (sys.executable, "-m", "bench.probe_in_turn")
OBEYS_S: Final = 30.0
"""A probe on a machine that others keep busy obeys after seconds."""
LOOK_EVERY_S: Final = 0.005


class Roll:
    """The server's own word on how many listen to everything."""

    def __init__(self, port: int) -> None:
        self._redis = redis.Redis(port=port, protocol=2)

    def wait_until(self, wanted: int, listeners: Iterable[Listener] = ()) -> None:
        """Wait until as many patterns are subscribed to.

        Args:
            wanted: How many.
            listeners: All that may be, asleep or not.

        Raises:
            NotMeasured: They were not in time, or one of those listeners is in trouble.
        """
        until = time.monotonic() + OBEYS_S
        while (subscribed := self._subscribed()) != wanted:
            for listener in listeners:
                listener.look()
            if time.monotonic() > until:
                raise NotMeasured(
                    f"{subscribed} patterns are subscribed to, expected {wanted}: a listener does not obey"
                )
            time.sleep(LOOK_EVERY_S)

    def _subscribed(self) -> int:
        return sum(int(client["psub"]) for client in self._redis.client_list(_type="pubsub"))

    def close(self) -> None:
        """Leave the server."""
        self._redis.close()


class Listener:
    """One that is not there: it hears nothing and costs nothing.

    Attributes:
        patterns: How many it subscribes to when it is awake.
        counts: Whether it counts calls.
        reads: Whether it counts bytes.
    """

    patterns = 0
    counts = False
    reads = False

    def wake(self) -> None:
        """Begin to subscribe."""

    def sleep(self) -> None:
        """Begin to unsubscribe."""

    def look(self) -> None:
        """See whether it is well. Raises NotMeasured."""

    def cpu_s(self) -> float:
        """CPU that it used so far."""
        return 0.0

    def heard(self, turn: Turn, _begin: Count, _end: Count) -> Turn:
        """A turn, with what is known of it while it is still awake. Raises NotMeasured."""
        return turn


class Bare(Listener):
    """A process that reads and discards."""

    patterns = 1
    reads = True

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._used = psutil.Process(process.pid)
        self._at_wake_bytes = self._read_bytes()

    def wake(self) -> None:
        """Begin to subscribe."""
        self._at_wake_bytes = self._tell(WAKE)

    def sleep(self) -> None:
        """Begin to unsubscribe."""
        self._tell(SLEEP)

    def look(self) -> None:
        """See whether it runs. Raises NotMeasured."""
        if self._process.poll() is not None:
            raise NotMeasured("the bare subscriber ended")

    def cpu_s(self) -> float:
        """CPU that it used so far."""
        times = self._used.cpu_times()
        return float(times.user + times.system)

    def heard(self, turn: Turn, _begin: Count, _end: Count) -> Turn:
        """A turn, with how much it read in it."""
        so_far_bytes = self._tell(WAKE)  # it is awake: nothing but its answer comes of it
        return turn._replace(heard_bytes=so_far_bytes - self._at_wake_bytes)

    def _tell(self, number: signal.Signals) -> int:
        os.kill(self._process.pid, number)
        return self._read_bytes()

    def _read_bytes(self) -> int:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer:
            raise NotMeasured("the bare subscriber ended")
        return int(answer)


class Probe(Listener):
    """The probe, with its capture, and its client in our process."""

    patterns = 1
    counts = True

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._used = psutil.Process(heard.process_id)

    def wake(self) -> None:
        """Begin to subscribe."""
        os.kill(self._heard.process_id, WAKE)

    def sleep(self) -> None:
        """Begin to unsubscribe."""
        os.kill(self._heard.process_id, SLEEP)

    def look(self) -> None:
        """See whether all is well with the probe. Raises NotMeasured."""
        self._heard.look()

    def cpu_s(self) -> float:
        """CPU that it used so far, and we: all that we do is to take what it tells, and to wait."""
        times = self._used.cpu_times()
        return float(times.user + times.system) + time.process_time()

    def heard(self, turn: Turn, begin: Count, end: Count) -> Turn:
        """A turn, with what the probe told of the calls in the window."""
        begin_ns, end_ns = round(begin.ms * 1e6), round(end.ms * 1e6)
        lag_s = self._heard.lag_s(end_ns)
        calls = self._heard.take_calls(begin_ns, end_ns)
        answered = calls[calls["outcome"] == int(Outcome.OK)]
        failed = np.isin(calls["outcome"], (int(Outcome.FAILED), int(Outcome.TIMED_OUT))).sum()
        turn = turn._replace(counted=len(answered), failed=int(failed), lag_s=lag_s)
        if not len(answered):
            return turn
        p50_ms, p90_ms = np.percentile(answered["duration_s"] * 1000, [50, 90]).tolist()
        return turn._replace(off_ms=(p50_ms - end.p50_ms, p90_ms - end.p90_ms))


@contextlib.contextmanager
def bare_in_turn(port: int) -> Iterator[Bare]:
    """A bare subscriber to the Redis on this loopback port, asleep."""
    command = [sys.executable, "-m", "bench.bare", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield Bare(process)
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def probe_in_turn(port: int) -> Iterator[Probe]:
    """A probe that listens to the Redis on this loopback port; awake, and hears the mesh."""
    with probe_attached(port, PROBE_IN_TURN) as heard:
        yield Probe(heard)
