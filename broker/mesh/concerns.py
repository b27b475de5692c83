"""What is wrong, each in a sentence with its numbers.

Weights, worst first: a connection that is lost 1000; a breaker held open
300, half-open 200; a node that went 250; an action that fails (red) 100 and
up to 100 more by share and number of failures; packets lost or dropped 90;
an action with errors (amber) 40 and up to 40 more; a call that waits for
long 60; an action that became slower 20 and up to 60 more by factor and
number of calls; packets that cannot be decoded 15; names without room 10.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from math import log2, log10
from typing import Final

from broker.clock import SECOND
from broker.mesh.answers import ActionRow, Concern, Golden
from broker.mesh.breaker_states import key_of
from broker.mesh.calls import waiting
from broker.mesh.error_counts import errors_by_action
from broker.mesh.health import is_slower
from broker.mesh.latency import gaps_in
from broker.mesh.presence import GONE_STATES
from broker.mesh.span import Span
from broker.mesh.state import interval_at
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot

MOST: Final = 100
LONG_WAIT_S: Final = 10.0
LOOKED_AT: Final = 1_000
MESH: Final = Subject("group", "", "")


def concerns(snapshot: Snapshot, span: Span, rows: Sequence[ActionRow], golden: Golden) -> tuple[Concern, ...]:
    """All that is wrong in a span, worst first, at most 100.

    Args:
        snapshot: Where to look.
        span: When.
        rows: The action table of the span.
        golden: The golden figures of the span.
    """
    found = chain(
        _gaps(snapshot, span),
        _breakers(snapshot, span),
        _nodes(snapshot, span),
        _failing(snapshot, span, rows),
        _slower(rows),
        _waiting(snapshot, span, golden),
        _losses(snapshot),
    )
    return tuple(sorted(found, key=lambda one: (-one.weight, one.key))[:MOST])


def _gaps(snapshot: Snapshot, span: Span) -> Iterator[Concern]:
    for gap in gaps_in(snapshot, span):
        held = snapshot.state.at("gap", "", "", gap.from_ns)
        value = (held.value if held else None) or {}
        reason = str(value.get("reason") or "no reason given").rstrip(".")
        advice = f" {value['advice']}" if value.get("advice") else ""
        subject = Subject("gap", "", str(gap.from_ns))
        if held is not None and held.to_ns > span.to_ns:
            detail = f"{reason}.{advice} Nothing has been heard for {gap.seconds:,.0f} s."
            yield Concern("gap now", "failed", 1000, "The connection is lost", detail, subject, "overview", gap.from_ns)
        else:
            title = f"Nothing was heard for {gap.seconds:,.1f} s"
            key = f"gap {gap.from_ns}"
            yield Concern(
                key, "note", 50, title, f"{reason}; what passed then was not counted", subject, "overview", gap.from_ns
            )


def _breakers(snapshot: Snapshot, span: Span) -> Iterator[Concern]:
    for (namespace, key), history in snapshot.state.of_kind("breaker").items():
        held = interval_at(history, span.to_ns)
        state = held.value.get("state") if held and held.value else None
        if held is None or held.value is None or state not in {"open", "half-open", "held-open"}:
            continue
        which = key_of(namespace, key)
        owner, endpoint = which.owner, which.endpoint
        numbers = [f"{held.value[name]:g} {name}" for name in ("failures", "count") if name in held.value]
        detail = f"{owner} sends no calls to {endpoint}" if state != "half-open" else f"{owner} tries {endpoint} again"
        detail += f" ({', '.join(numbers)})" if numbers else ""
        weight = 200 if state == "half-open" else 300
        subject = Subject("breaker", namespace, key)
        title = f"The breaker of {owner} for {endpoint} is {state}"
        yield Concern(f"breaker {namespace}/{key}", "failed", weight, title, detail, subject, "breakers", held.from_ns)


def _nodes(snapshot: Snapshot, span: Span) -> Iterator[Concern]:
    for key, history in snapshot.state.of_kind("node").items():
        held = interval_at(history, span.to_ns)
        if held is None or held.from_ns < span.from_ns:
            continue
        if held.value is not None and held.value.get("state") not in GONE_STATES - {"remembered"}:
            continue
        value = held.value or {}
        if value.get("ours"):
            continue
        ago_s = (min(span.to_ns, snapshot.through_ns) - held.from_ns) / SECOND
        services = value.get("services") or ()
        detail = f"{value.get('reason') or 'no reason known'}, {ago_s:,.0f} s ago"
        detail += f"; it offered {', '.join(services[:5])}" if services else ""
        is_goodbye = value.get("reason") == "said goodbye"
        yield Concern(
            f"node {key[0]}/{key[1]}",
            "slow" if is_goodbye else "failed",
            70 if is_goodbye else 250,
            f"{key[1]} is gone",
            detail,
            Subject("node", *key),
            "nodes",
            held.from_ns,
        )


def _failing(snapshot: Snapshot, span: Span, rows: Sequence[ActionRow]) -> Iterator[Concern]:
    failing = [row for row in rows if row.figures.failed and row.health in {"failed", "slow"}]
    failing = [row for row in failing if row.health == "failed" or not _only_slower(row)]
    failing.sort(key=_failure_weight, reverse=True)
    top = failing[:MOST]
    by_action = errors_by_action(snapshot, span, [row.subject for row in top])
    for row in top:
        figures = row.figures
        parts = [f"{count:,} × {error}" for error, count in by_action.get(row.subject, [])[:3]]
        parts += [f"{figures.timeouts:,} timed out"] if figures.timeouts else []
        parts += [f"{figures.no_answer:,} without answer"] if figures.no_answer else []
        yield Concern(
            f"errors {row.subject.namespace}/{row.subject.name}",
            "failed" if row.health == "failed" else "slow",
            _failure_weight(row),
            f"{row.subject.name} fails {_share(figures.error_share)} of its calls",
            f"{figures.failed:,} of {figures.calls:,} calls: {', '.join(parts)}{_change(row)}",
            row.subject,
            "latency",
        )


def _failure_weight(row: ActionRow) -> float:
    figures = row.figures
    size = figures.error_share * 60 + min(4.0, log10(1 + figures.failed)) * 10
    return 100 + size if row.health == "failed" else 40 + size * 0.4


def _only_slower(row: ActionRow) -> bool:
    """Whether an amber action is so for its latency, with hardly any errors."""
    return is_slower(row.figures, row.before) and row.figures.error_share <= 0.001


def _change(row: ActionRow) -> str:
    if not row.before.calls:
        return ""
    return f"; {_share(row.before.error_share)} in the window before"


def _share(share: float) -> str:
    percent = share * 100
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %" if percent >= 0.1 else "under 0.1 %"


def _slower(rows: Sequence[ActionRow]) -> Iterator[Concern]:
    for row in rows:
        if not is_slower(row.figures, row.before):
            continue
        factor = row.figures.p99_ms / max(1e-6, row.before.p99_ms)
        weight = 20 + min(30.0, 10 * log2(factor)) + min(30.0, 6 * log10(1 + row.figures.calls))
        yield Concern(
            f"slower {row.subject.namespace}/{row.subject.name}",
            "slow",
            weight,
            f"{row.subject.name} became {factor:.1f} times slower",
            f"p99 {_ms(row.figures.p99_ms)} after {_ms(row.before.p99_ms)} in the window before "
            f"({row.figures.completed:,} and {row.before.completed:,} calls)",
            row.subject,
            "latency",
        )


def _ms(value: float) -> str:
    return f"{value / 1000:,.2f} s" if value >= 1000 else f"{value:.0f} ms" if value >= 9.95 else f"{value:.1f} ms"


def _waiting(snapshot: Snapshot, span: Span, golden: Golden) -> Iterator[Concern]:
    if not golden.waiting:
        return
    calls = [call for call in waiting(snapshot, span.to_ns, limit=LOOKED_AT) if call.waited_ms >= LONG_WAIT_S * 1000]
    if not calls:
        return
    oldest = calls[0]
    more = " or more" if len(calls) == LOOKED_AT else ""
    title = (
        f"{len(calls):,}{more} calls wait for more than {LONG_WAIT_S:.0f} s"
        if len(calls) > 1
        else "A call waits for long"
    )
    detail = (
        f"the oldest, {oldest.action} on {oldest.target or 'an unknown node'}, for {oldest.waited_ms / 1000:,.0f} s"
    )
    subject = Subject("action", oldest.namespace, oldest.action)
    yield Concern("waiting", "slow", 60, title, detail, subject, "actions", oldest.begin_ns)


def _losses(snapshot: Snapshot) -> Iterator[Concern]:
    """Totals of the session; they have no moment of their own."""
    tally = snapshot.tally
    if tally.lost:
        detail = "known from sequence numbers and our own queues; figures are too low by them"
        yield Concern("lost", "failed", 90, f"{tally.lost:,} packets were lost", detail, MESH, "overview")
    if tally.rows_dropped:
        detail = "this window did not keep up with the probe; figures are too low by them"
        yield Concern("dropped", "failed", 90, f"{tally.rows_dropped:,} rows were dropped", detail, MESH, "overview")
    if tally.undecodable:
        reasons = sorted(tally.undecodable_reasons.items(), key=lambda reason: -reason[1])
        detail = "; ".join(f"{count:,} × {reason}" for reason, count in reasons[:3])
        share = _share(tally.undecodable / max(1, tally.packets))
        title = f"{tally.undecodable:,} packets cannot be read ({share})"
        yield Concern("undecodable", "note", 15, title, detail, MESH, "overview")
    if tally.requests_forgotten:
        title = f"{tally.requests_forgotten:,} open calls were forgotten"
        yield Concern("forgotten", "note", 20, title, "too many calls were open at once", MESH, "overview")
    if tally.names_refused:
        title = f"{tally.names_refused:,} times a name had no room"
        yield Concern("names", "note", 10, title, "such calls are shown under (other)", MESH, "overview")
