"""What is wrong now, worst first, and the golden figures of the mesh."""

# ruff: noqa: A002 - `filter` is the word of the views
from __future__ import annotations

from typing import Final

import numpy as np

from broker.mesh.answers import Floats, Golden, Overview
from broker.mesh.calls import waiting, waiting_count
from broker.mesh.concerns import concerns
from broker.mesh.cuts import call_cuts, time_edges_ns
from broker.mesh.figures import total_figures
from broker.mesh.filter import EMPTY, Filter
from broker.mesh.latency import action_table, series
from broker.mesh.presence import GONE_STATES, gone_nodes
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NameKind

BUCKETS: Final = 60


def overview(snapshot: Snapshot, span: Span, *, filter: Filter = EMPTY, buckets: int = BUCKETS) -> Overview:
    """What is wrong in a span, and how the mesh does as a whole.

    Args:
        snapshot: Where to look.
        span: When; what changed is told against the span of equal length before it.
        filter: What calls have to pass.
        buckets: Points of each curve.
    """
    rows = action_table(snapshot, span, filter=filter, spark_buckets=0)
    golden = _golden(snapshot, span, filter, buckets)
    gone = gone_nodes(snapshot, span.to_ns)
    nodes = snapshot.state.values_at("node", span.to_ns)
    known = {key for key, value, _ in nodes if not value.get("ours")}
    services = {key for key, _, _ in snapshot.state.values_at("service", span.to_ns)}
    called = {(row.subject.namespace, _service_of(snapshot, row.subject)) for row in rows}
    return Overview(
        golden=golden,
        concerns=concerns(snapshot, span, rows, golden),
        nodes_online=len(known - gone),
        nodes_known=len(known),
        services_known=len(services | called),
        actions_seen=len(rows),
    )


def _service_of(snapshot: Snapshot, action: Subject) -> str:
    number = snapshot.names.find(NameKind.ACTION, action.namespace, action.name)
    return snapshot.directory.service_of_action(number or 0)


def _golden(snapshot: Snapshot, span: Span, filter: Filter, buckets: int) -> Golden:
    curves = series(snapshot, span, filter=filter, buckets=buckets, heat_rows=1)[0]
    before = list(call_cuts(snapshot, span.before(), filter))
    gone = gone_nodes(snapshot, span.to_ns)
    loads = {key: cpu for key, cpu in snapshot.loads.last(span).items() if key not in gone}
    busiest = max(loads, key=lambda key: loads[key], default=("", ""))
    with np.errstate(invalid="ignore"):
        error_share = np.where(curves.calls > 0, curves.failed / np.maximum(1, curves.calls), np.nan)
    return Golden(
        span=span,
        rate=curves.calls.astype(np.float64) / (curves.bucket_s or np.inf),
        error_share=error_share,
        p50_ms=curves.p50_ms,
        p99_ms=curves.p99_ms,
        cpu=_worst_cpu(snapshot, span, buckets),
        total=curves.total,
        before=total_figures(before, snapshot.names, span.seconds),
        cpu_now=loads.get(busiest, float("nan")),
        cpu_node=busiest[1],
        waiting=_waiting(snapshot, span, filter),
    )


def _waiting(snapshot: Snapshot, span: Span, filter: Filter) -> int:
    """Calls that wait at the end of a span; with a filter, at most the 1,000 oldest are looked at."""
    if filter.is_empty:
        return waiting_count(snapshot, span.to_ns)
    return len(waiting(snapshot, span.to_ns, filter=filter))


def _worst_cpu(snapshot: Snapshot, span: Span, buckets: int) -> Floats:
    """CPU percent of the busiest node by time. Shape (buckets,); NaN where none is known.

    A node's CPU is told when it changes, and holds until it is told again or the node goes.
    """
    loads, edges_ns = snapshot.loads, time_edges_ns(span, buckets)
    cpu = np.full((len(loads.nodes), buckets + 1), np.nan)
    earlier = loads.last(Span(0, span.from_ns))
    cpu[:, 0] = [earlier.get(key, np.nan) for key in loads.nodes]
    for block in loads.blocks:
        if block.meets(span):
            rows = block.rows_in(span)
            where = np.searchsorted(edges_ns[1:-1], block.times[rows], side="right") + 1
            cpu[block.column("node")[rows], where] = block.column("cpu")[rows]
    for bucket in range(1, buckets + 1):
        cpu[:, bucket] = np.where(np.isnan(cpu[:, bucket]), cpu[:, bucket - 1], cpu[:, bucket])
    for index, key in enumerate(loads.nodes):
        held = snapshot.state.at("node", *key, span.to_ns)
        if held is not None and (held.value is None or held.value.get("state") in GONE_STATES):
            cpu[index, 1 + int(np.searchsorted(edges_ns[1:-1], held.from_ns, side="right")) :] = np.nan
    worst = np.fmax.reduce(cpu[:, 1:], axis=0, initial=-1.0)
    return np.where(worst < 0, np.nan, worst)
