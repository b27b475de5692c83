"""What listening costs the mesh: MoleculerJS calls/s with the probe, with a bare subscriber, with neither.

A bare subscriber takes everything and throws it away: what any listener must
cost. Rounds alternate so that a machine that drifts drifts for all; the ratio
is of pairs within one round, with the middle half of the ratios as interval.

What the probe puts off it must do within the measured time all the same: it
is measured when it has listened for a while, every call of the measured time
must be counted, and how long that took is printed.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import psutil

from bench.probing import Heard, probe_attached
from bench.servers import JsLoad, redis_server

ROUNDS = 21
MEASURED_S = 2.5
SETTLE_S = 2.5
CONCURRENCY = 20
COUNTED = 0.99
"""At least this share of the calls that the caller counted must be counted by the probe: some were under way when it
counted."""

BARE_SUBSCRIBER = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as bus:
    bus.sendall(b"PSUBSCRIBE MOL*\\r\\n")
    buffer = bytearray(1 << 18)
    while bus.recv_into(buffer):
        pass
"""


@contextlib.contextmanager
def bare_attached(port: int) -> Iterator[Heard]:
    """A subscriber that reads and discards, in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", BARE_SUBSCRIBER, str(port)])
    heard = Heard()
    heard.process_id = process.pid
    try:
        yield heard
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def nothing_attached(_port: int) -> Iterator[Heard]:
    """Nobody listens."""
    yield Heard()


Attached = Callable[[int], contextlib.AbstractContextManager[Heard]]


class Run(NamedTuple):
    """One listener in one round.

    Attributes:
        calls_per_s: Of the mesh.
        cpu_us: CPU of the listener a packet, that of its client in our process included.
        counted: Calls that it counted, as a share of those made; 0 if it counts none.
        lag_s: How long after the measured time all of it had been told.
        off_ms: How far its p50 and p90 are from the caller's own.
    """

    calls_per_s: float
    cpu_us: float
    counted: float = 0.0
    lag_s: float = 0.0
    off_ms: tuple[float, float] = (0.0, 0.0)


def run() -> dict[str, Any]:
    """Measure and print. Returns calls/s of each and the ratio probe to bare."""
    listeners: dict[str, Attached] = {"none": nothing_attached, "bare": bare_attached, "probe": probe_attached}
    runs: dict[str, list[Run]] = {name: [] for name in listeners}
    with redis_server() as port:
        url = f"redis://127.0.0.1:{port}"
        callee = JsLoad("callee", url, "load", CONCURRENCY)
        caller = JsLoad("caller", url, "load", CONCURRENCY)
        time.sleep(3)  # until the JavaScript is compiled
        for round_number in range(ROUNDS):
            order = list(listeners) if round_number % 2 == 0 else list(reversed(listeners))
            for name in order:
                with listeners[name](port) as heard:
                    runs[name].append(_measured(caller, heard))
        caller.stop()
        callee.stop()
    assert min(each.counted for each in runs["probe"]) >= COUNTED, "the probe did not count all calls"
    return _report(runs)


def _measured(caller: JsLoad, heard: Heard) -> Run:
    time.sleep(SETTLE_S)
    cpu_s = _cpu_s(heard)
    before = caller.count()
    time.sleep(MEASURED_S)
    after = caller.count()
    cpu_s = _cpu_s(heard) - cpu_s
    begin_ns, end_ns = round(before.ms * 1e6), round(after.ms * 1e6)
    made, seconds = after.calls - before.calls, (after.ms - before.ms) / 1000
    run = Run(made / seconds, cpu_s / (2 * made) * 1e6)
    if not heard.through_ns:
        return run
    lag_s = heard.lag_s(end_ns)
    took_ms = heard.durations_s(begin_ns, end_ns) * 1000
    rate_heard = len(took_ms) / (end_ns - begin_ns) * 1e9
    p50_ms, p90_ms = np.percentile(took_ms, [50, 90]).tolist()
    off_ms = (p50_ms - after.p50_ms, p90_ms - after.p90_ms)
    return run._replace(counted=rate_heard / run.calls_per_s, lag_s=lag_s, off_ms=off_ms)


def _cpu_s(heard: Heard) -> float:
    """CPU of the listener and of ourselves so far; we do nothing but take what it tells."""
    if not heard.process_id:
        return 0.0
    times = psutil.Process(heard.process_id).cpu_times()
    return float(times.user + times.system) + time.process_time()


def _report(runs: dict[str, list[Run]]) -> dict[str, Any]:
    ratios = sorted(
        probe.calls_per_s / bare.calls_per_s for probe, bare in zip(runs["probe"], runs["bare"], strict=True)
    )
    low, middle, high = statistics.quantiles(ratios, n=4)
    rates = {name: [each.calls_per_s for each in some] for name, some in runs.items()}
    cpu_us = {name: statistics.median(each.cpu_us for each in some) for name, some in runs.items()}
    for name, values in rates.items():
        cost = f"  {cpu_us[name]:.2f} ms of CPU per 1,000 packets" if cpu_us[name] else ""
        print(f"{name:<6} {statistics.median(values):8.0f} calls/s  ({min(values):.0f} to {max(values):.0f}){cost}")
    print(f"probe / bare: {middle:.3f} (middle half {low:.3f} to {high:.3f}, {len(ratios)} rounds); budget 0.97")
    counted, lag_s = [each.counted for each in runs["probe"]], [each.lag_s for each in runs["probe"]]
    print(
        f"of all calls the probe counted {min(counted):.1%} to {max(counted):.1%}; "
        f"told {statistics.median(lag_s):.2f} s later, {max(lag_s):.2f} s at worst"
    )
    off_ms = [statistics.median(each.off_ms[rank] for each in runs["probe"]) for rank in (0, 1)]
    print(f"its p50 is {off_ms[0]:+.2f} ms, its p90 {off_ms[1]:+.2f} ms from what the caller itself measured")
    return {
        "calls_per_s": {name: statistics.median(values) for name, values in rates.items()},
        "cpu_us_a_packet": cpu_us,
        "probe_to_bare": middle,
        "interval": [low, high],
        "rounds": len(ratios),
        "counted": min(counted),
        "worst_lag_s": max(lag_s),
        "off_ms": off_ms,
        "budget": 0.97,
    }
