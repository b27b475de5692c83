"""The timeline's questions over one and five million calls, beside a bare numpy bincount; and its memory."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

import numpy as np

from broker.clock import SECOND
from broker.mesh import activity, calls, latency, overview, topology
from broker.mesh.filter import parse
from broker.mesh.timeline import Snapshot, Timeline
from broker.observe.buckets import BUCKET_COUNT, buckets_of
from broker.observe.journal import CALL_COLUMNS, Batch, Name, NameKind, Outcome

ACTIONS: Final = 300
NODES: Final = 1_000
EDGES: Final = 5_000
BATCH_ROWS: Final = 50_000
BEGIN_NS: Final = 1_700_000_000 * SECOND

BUDGET_MS: Final = {1_000_000: 50.0, 5_000_000: 250.0}
BUDGET_BYTES_PER_CALL: Final = 80
BUDGET_HELD_BYTES: Final = 500_000_000
BUDGET_TOPOLOGY_MS: Final = 150.0


def names(services: int, actions: int) -> list[Name]:
    """Names of a mesh with so many services and actions, and a node for each service."""
    found = [Name(NameKind.ERROR, 1, 0, "500|SERVER_ERROR|MoleculerServerError")]
    found += [Name(NameKind.SERVICE, index + 1, 0, f"s{index}") for index in range(services)]
    found += [Name(NameKind.NODE, index + 1, 0, f"n{index}") for index in range(services)]
    return found + [Name(NameKind.ACTION, index + 1, 0, f"s{index % services}.a{index}") for index in range(actions)]


def rows(count: int, first: int, callers: np.ndarray[Any, Any], callees: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Calls along edges: ``callers`` (services) and ``callees`` (actions) are drawn together."""
    chance = np.random.default_rng(first)
    edge = np.minimum(chance.zipf(1.2, count) - 1, len(callers) - 1)
    table = np.zeros(count, CALL_COLUMNS)
    table["end_ns"] = BEGIN_NS + (first + np.arange(count)) * 100_000
    table["duration_s"] = chance.lognormal(-4.5, 1.0, count)
    table["action"], table["caller"] = callees[edge], callers[edge]
    table["source"] = callers[edge]
    table["target"] = callees[edge] % NODES + 1
    table["outcome"] = chance.random(count) < 0.02
    table["error"] = table["outcome"] == Outcome.FAILED
    table["bucket"] = buckets_of(table["duration_s"])
    return table


def timeline_of(count: int, services: int, actions: int, edges: int) -> tuple[Timeline, float]:
    """A timeline of so many calls, and the seconds that taking them in took."""
    chance = np.random.default_rng(7)
    callers, callees = chance.integers(1, services + 1, edges), chance.integers(1, actions + 1, edges)
    timeline, spent_s = Timeline(), 0.0
    timeline.take(Batch(through_ns=BEGIN_NS, names=names(services, actions)))
    for first in range(0, count, BATCH_ROWS):
        part = rows(min(BATCH_ROWS, count - first), first, callers, callees)
        begin = perf_counter()
        timeline.take(Batch(through_ns=int(part["end_ns"][-1]), calls=part))
        spent_s += perf_counter() - begin
    return timeline, spent_s


def best_ms(question: Callable[[], object], times: int = 3) -> float:
    """The shortest of some runs, in ms."""
    found = []
    for _ in range(times):
        begin = perf_counter()
        question()
        found.append(perf_counter() - begin)
    return round(min(found) * 1000, 2)


def bare_bincount(snapshot: Snapshot) -> np.ndarray[Any, Any]:
    """The control: counts by action and bucket, all blocks, and nothing else."""
    cells = (snapshot.names.count(NameKind.ACTION) + 1) * BUCKET_COUNT
    total = np.zeros(cells, np.int64)
    for block in snapshot.call_blocks:
        keys = block.column("action").astype(np.int64) * BUCKET_COUNT + block.column("bucket")
        total += np.bincount(keys, minlength=cells)
    return total


def measure(count: int) -> dict[str, Any]:
    """Questions over so many calls of 300 actions."""
    gc.collect()
    tracemalloc.start()
    timeline, spent_s = timeline_of(count, ACTIONS // 10, ACTIONS, 500)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    snapshot = timeline.snapshot()
    span = snapshot.everything()
    control = best_ms(lambda: bare_bincount(snapshot))
    table = best_ms(lambda: latency.action_table(snapshot, span))
    slow = parse("duration > 50ms and not service = s3")
    result = {
        "bincount_ms": control,
        "action_table_ms": table,
        "action_table_to_bincount": round(table / control, 2),
        "action_table_budget_ms": BUDGET_MS[count],
        "action_table_filtered_ms": best_ms(lambda: latency.action_table(snapshot, span, filter=slow)),
        "series_ms": best_ms(lambda: latency.series(snapshot, span)),
        "overview_ms": best_ms(lambda: overview.overview(snapshot, span)),
        "activity_ms": best_ms(lambda: activity.activity(snapshot)),
        "recent_ms": best_ms(lambda: calls.recent(snapshot, span)),
        "snapshot_us": round(best_ms(timeline.snapshot) * 1000, 1),
        "take_us_per_call": round(spent_s / count * 1e6, 3),
        "bytes_per_call": round(held / count, 1),
        "held_bytes": held,
    }
    print(f"{count:>9,} calls, {ACTIONS} actions")
    for name, value in result.items():
        print(f"  {name:<26}{value:>14,}")
    return result


def run() -> dict[str, Any]:
    """Measure; returns the figures and whether each budget is kept."""
    results: dict[str, Any] = {f"{count}": measure(count) for count in BUDGET_MS}
    timeline, _ = timeline_of(1_000_000, NODES, 3 * NODES, EDGES)
    snapshot = timeline.snapshot()
    span = snapshot.everything()
    results["topology"] = {
        f"{group_by}_ms": best_ms(lambda by=group_by: topology.topology(snapshot, span, group_by=by))  # type: ignore[misc]
        for group_by in ("service", "node")
    }
    graph = topology.topology(snapshot, span)
    results["topology"] |= {"nodes": len(graph.nodes), "edges": len(graph.edges), "budget_ms": BUDGET_TOPOLOGY_MS}
    print(f"  topology of 1,000,000 calls: {results['topology']}")
    most = results["5000000"]
    results["kept"] = {
        **{f"action_table_{count}": results[f"{count}"]["action_table_ms"] < ms for count, ms in BUDGET_MS.items()},
        "bytes_per_call": most["bytes_per_call"] <= BUDGET_BYTES_PER_CALL,
        "held_bytes": most["held_bytes"] < BUDGET_HELD_BYTES,
        "topology": results["topology"]["service_ms"] < BUDGET_TOPOLOGY_MS,
    }
    print(f"  kept: {results['kept']}")
    return results
