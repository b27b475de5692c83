"""What listening costs the mesh: MoleculerJS calls/s with the probe, with a bare subscriber, with neither.

A bare subscriber takes everything and throws it away: what any listener must
cost. All of them stay attached and subscribe in turn for some tenths of a
second, in another order each round, so that a machine that drifts drifts for
all, and there are many pairs. The ratio to the bare subscriber is the
geometric mean of pairs within one round, with its 95 % interval.

What the probe puts off it must do all the same: it is measured when it has
listened for a moment, every call of a window must be counted, and how long
that took is printed, and what CPU it took in the windows of others.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Mapping
from typing import Any, Final

from bench.listeners import Listener, Roll, bare_in_turn, probe_in_turn
from bench.servers import JsLoad, redis_server
from bench.turns import Plan, Ratio, Turn, Turns, asleep_cores, check, counted_share, cpu_us_a_packet, ratio

MEASURED_S: Final = 0.4
SETTLE_S: Final = 0.1
REST_S: Final = 0.05
"""After a listener went to sleep, for what it still has to do."""

COMPILED_S: Final = 3.0
"""After so long the JavaScript is compiled."""

CONCURRENCY: Final = 20
BUDGET: Final = 0.97


def run(plan: Plan | None = None) -> dict[str, Any]:
    """Measure and print. Returns calls/s of each and their ratios to the bare subscriber.

    Raises:
        NotMeasured: Something was not as it must be.
    """
    plan = plan or Plan()
    print(f"about {plan.seconds:.0f} s; seed {plan.seed}", flush=True)
    with contextlib.ExitStack() as ends:
        port = ends.enter_context(redis_server())
        url = f"redis://127.0.0.1:{port}"
        callee = JsLoad("callee", url, "load", CONCURRENCY)
        ends.callback(callee.stop)
        caller = JsLoad("caller", url, "load", CONCURRENCY)
        ends.callback(caller.stop)
        roll = ends.enter_context(contextlib.closing(Roll(port)))
        probe = ends.enter_context(probe_in_turn(port))
        time.sleep(COMPILED_S)
        probe.sleep()
        bare = ends.enter_context(bare_in_turn(port))
        turns = _turns(plan, {"none": Listener(), "bare": bare, "probe": probe}, roll, caller)
    return _report(plan, turns)


def _turns(plan: Plan, listeners: Mapping[str, Listener], roll: Roll, caller: JsLoad) -> Turns:
    turns: dict[str, list[Turn]] = {name: [] for name in listeners}
    begin_s = time.monotonic()
    for rounds, order in enumerate(plan.orders(list(listeners))):
        if plan.is_over(time.monotonic() - begin_s, rounds):
            break
        for name in order:
            roll.wait_until(0, listeners.values())
            time.sleep(REST_S)
            listeners[name].wake()
            roll.wait_until(listeners[name].patterns, listeners.values())
            time.sleep(SETTLE_S)
            turns[name].append(_measured(listeners, name, caller))
            roll.wait_until(listeners[name].patterns, listeners.values())
            listeners[name].sleep()
    return turns


def _measured(listeners: Mapping[str, Listener], name: str, caller: JsLoad) -> Turn:
    """The window of the one who is awake. Raises NotMeasured."""
    awake = listeners[name]
    used_s = {each: listener.cpu_s() for each, listener in listeners.items()}
    begin = caller.count()
    time.sleep(MEASURED_S)
    end = caller.count()
    cpu_s = {each: listener.cpu_s() - used_s[each] for each, listener in listeners.items()}
    turn = Turn(end.calls - begin.calls, (end.ms - begin.ms) / 1000, cpu_s)
    turn = awake.heard(turn, begin, end)
    check(turn, CONCURRENCY, counts=awake.counts, reads=awake.reads)
    return turn


def _report(plan: Plan, turns: Turns) -> dict[str, Any]:
    rates = {name: [turn.calls_per_s for turn in some] for name, some in turns.items()}
    ratios = {name: ratio(values, rates["bare"]) for name, values in rates.items() if name != "bare"}
    cpu_us = {name: cpu_us_a_packet(name, some) for name, some in turns.items()}
    for name, values in rates.items():
        _print_row(name, values, cpu_us[name], ratios.get(name))
    probe = ratios["probe"]
    print(f"probe / bare: {probe.mean:.3f} (95 %: {probe.low:.3f} to {probe.high:.3f}); budget {BUDGET}")
    return {
        "calls_per_s": {name: statistics.median(values) for name, values in rates.items()},
        "cpu_us_a_packet": cpu_us,
        "probe_to_bare": probe.mean,
        "interval": [probe.low, probe.high],
        "rounds": probe.pairs,
        "to_bare": {name: each._asdict() for name, each in ratios.items()},
        "seed": plan.seed,
        "budget": BUDGET,
    } | _told(turns)


def _print_row(name: str, values: list[float], cpu_us: float, to_bare: Ratio | None) -> None:
    row = f"{name:<6} {statistics.median(values):8.0f} calls/s  ({min(values):.0f} to {max(values):.0f})"
    if to_bare is not None:
        row += f"  {to_bare.mean:.3f} of bare (95 %: {to_bare.low:.3f} to {to_bare.high:.3f}; "
        row += f"median {to_bare.median:.3f}; {to_bare.pairs} pairs)"
    print(row + (f"  {cpu_us:.2f} ms of CPU per 1,000 packets" if cpu_us else ""))


def _told(turns: Turns) -> dict[str, Any]:
    """What the probe told of the mesh. Raises NotMeasured."""
    lags_s = [turn.lag_s for turn in turns["probe"]]
    off_ms = [statistics.median(turn.off_ms[rank] for turn in turns["probe"]) for rank in (0, 1)]
    counted, asleep = counted_share(turns["probe"]), asleep_cores("probe", turns)
    print(
        f"of all calls the probe counted {counted:.1%}; told {statistics.median(lags_s):.2f} s later, "
        f"{max(lags_s):.2f} s at worst; asleep it used {asleep:.1%} of a core"
    )
    print(f"its p50 is {off_ms[0]:+.2f} ms, its p90 {off_ms[1]:+.2f} ms from what the caller itself measured")
    return {"counted": counted, "worst_lag_s": max(lags_s), "off_ms": off_ms, "asleep_cores": asleep}
