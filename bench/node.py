"""Remote calls/s of our node and of MoleculerJS on the same bus: one at a time and many at once, bare and full.

A caller and a callee in processes of their own, on one Redis, everything on
this machine. Rounds alternate; the ratio is of pairs within one round, with
the middle half of the ratios as interval. "full" checks parameters, measures,
traces and breaks circuits, in both.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

from bench.servers import JsLoad, PyLoad, redis_server

ROUNDS = 7
MEASURED_S = 1.5
SETTLE_S = 0.3
WARM_S = 2.0
IN_FLIGHT = (1, 100)
EQUIPMENT = ("bare", "full")
LANGUAGES: dict[str, type[JsLoad]] = {"js": JsLoad, "py": PyLoad}
BUDGET = 1.2

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Pair:
    """A caller and a callee, resting unless they are measured."""

    def __init__(self, language: str, equipment: str, url: str) -> None:
        load, namespace = LANGUAGES[language], f"{language}-{equipment}"
        self._callee = load("callee", url, namespace, 0, equipment)
        self._caller = load("caller", url, namespace, 0, equipment)

    def measure(self, in_flight: int, measured_s: float = MEASURED_S) -> tuple[float, float]:
        """Calls/s, and CPU of both in µs a call."""
        self._caller.count(in_flight)
        time.sleep(SETTLE_S)
        calls, ms, *_ = self._caller.count()
        used_s = self._used_s()
        time.sleep(measured_s)
        more_calls, more_ms, *_ = self._caller.count()
        used_s = self._used_s() - used_s
        self._caller.count(0)
        done = more_calls - calls
        return done / (more_ms - ms) * 1000, used_s / max(done, 1) * 1e6

    def _used_s(self) -> float:
        return sum(_cpu_s(each.pid) for each in (self._caller, self._callee))

    def stop(self) -> None:
        """End both."""
        self._caller.stop()
        self._callee.stop()


def _cpu_s(pid: int) -> float:
    """CPU that a process used so far, from Linux's /proc (man 5 proc, stat)."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123 - a file of the kernel
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def run() -> dict[str, Any]:
    """Measure and print. Returns calls/s and ratios by equipment and number in flight."""
    kinds = [(equipment, language) for equipment in EQUIPMENT for language in LANGUAGES]
    with redis_server() as port:
        url = f"redis://127.0.0.1:{port}"
        pairs = {(equipment, language): Pair(language, equipment, url) for equipment, language in kinds}
        try:
            for pair in pairs.values():
                pair.measure(IN_FLIGHT[-1], WARM_S)  # until the JavaScript is compiled
            measured = _rounds(pairs)
        finally:
            for pair in pairs.values():
                pair.stop()
    return _report(measured)


Measured = dict[tuple[str, int, str], list[tuple[float, float]]]
"""By equipment, number in flight and language: calls/s and CPU a call, one of each round."""


def _rounds(pairs: dict[tuple[str, str], Pair]) -> Measured:
    measured: Measured = {}
    for number in range(ROUNDS):
        for equipment in EQUIPMENT:
            for in_flight in IN_FLIGHT:
                for language in list(LANGUAGES)[:: 1 if number % 2 == 0 else -1]:
                    found = pairs[equipment, language].measure(in_flight)
                    measured.setdefault((equipment, in_flight, language), []).append(found)
    return measured


def _report(measured: Measured) -> dict[str, Any]:
    heads = ("", "in flight", "MoleculerJS", "ours", "ours to theirs", "CPU µs a call: theirs, ours")
    print("{:<5} {:>9} {:>12} {:>11} {:>22} {:>28}".format(*heads))
    results: dict[str, Any] = {"rounds": ROUNDS, "budget": BUDGET}
    for equipment in EQUIPMENT:
        for in_flight in IN_FLIGHT:
            theirs, ours = (measured[equipment, in_flight, language] for language in ("js", "py"))
            ratios = sorted(one[0] / other[0] for one, other in zip(ours, theirs, strict=True))
            low, middle, high = statistics.quantiles(ratios, n=4)
            rates = [statistics.median(rate for rate, _ in each) for each in (theirs, ours)]
            cpu = [statistics.median(us for _, us in each) for each in (theirs, ours)]
            print(
                f"{equipment:<5} {in_flight:>9} {rates[0]:>9.0f} /s   {rates[1]:>7.0f} /s   "
                f"{middle:>8.2f} ({low:.2f} to {high:.2f}) {cpu[0]:>18.0f}, {cpu[1]:.0f}"
            )
            results[f"{equipment}, {in_flight} in flight"] = {
                "calls_per_s": {"js": rates[0], "py": rates[1]},
                "ratio": middle,
                "interval": [low, high],
                "cpu_us_a_call": {"js": cpu[0], "py": cpu[1]},
            }
    print(f"budget: at least {BUDGET}")
    return results
