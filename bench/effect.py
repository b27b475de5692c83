"""What listening costs the mesh: MoleculerJS calls/s with the probe, with a bare subscriber, with neither.

A bare subscriber takes everything and throws it away: what any listener must
cost. Rounds alternate so that a machine that drifts drifts for all; the ratio
is of pairs within one round, with the middle half of the ratios as interval.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.probing import probe_attached
from bench.servers import JsLoad, redis_server

ROUNDS = 9
MEASURED_S = 2.5
SETTLE_S = 0.7
CONCURRENCY = 20

BARE_SUBSCRIBER = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as bus:
    bus.sendall(b"PSUBSCRIBE MOL*\\r\\n")
    buffer = bytearray(1 << 18)
    while bus.recv_into(buffer):
        pass
"""


@contextlib.contextmanager
def bare_attached(port: int) -> Iterator[None]:
    """A subscriber that reads and discards, in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", BARE_SUBSCRIBER, str(port)])
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def nothing_attached(_port: int) -> Iterator[None]:
    """Nobody listens."""
    yield


Attached = Callable[[int], contextlib.AbstractContextManager[None]]


def run() -> dict[str, Any]:
    """Measure and print. Returns calls/s of each and the ratio probe to bare."""
    listeners: dict[str, Attached] = {"none": nothing_attached, "bare": bare_attached, "probe": probe_attached}
    rates: dict[str, list[float]] = {name: [] for name in listeners}
    with redis_server() as port:
        url = f"redis://127.0.0.1:{port}"
        callee = JsLoad("callee", url, "load", CONCURRENCY)
        caller = JsLoad("caller", url, "load", CONCURRENCY)
        time.sleep(3)  # until the JavaScript is compiled
        for round_number in range(ROUNDS):
            order = list(listeners) if round_number % 2 == 0 else list(reversed(listeners))
            for name in order:
                with listeners[name](port):
                    rates[name].append(_calls_per_s(caller))
        caller.stop()
        callee.stop()
    return _report(rates)


def _calls_per_s(caller: JsLoad) -> float:
    time.sleep(SETTLE_S)
    calls, ms = caller.count()
    time.sleep(MEASURED_S)
    more_calls, more_ms = caller.count()
    return (more_calls - calls) / (more_ms - ms) * 1000


def _report(rates: dict[str, list[float]]) -> dict[str, Any]:
    ratios = sorted(probe / bare for probe, bare in zip(rates["probe"], rates["bare"], strict=True))
    low, middle, high = statistics.quantiles(ratios, n=4)
    for name, values in rates.items():
        print(f"{name:<6} {statistics.median(values):8.0f} calls/s  ({min(values):.0f} to {max(values):.0f})")
    print(f"probe / bare: {middle:.3f} (middle half {low:.3f} to {high:.3f}, {len(ratios)} rounds); budget 0.97")
    return {
        "calls_per_s": {name: statistics.median(values) for name, values in rates.items()},
        "probe_to_bare": middle,
        "interval": [low, high],
        "rounds": len(ratios),
        "budget": 0.97,
    }
