"""What the bars around the views tell: asked in the worker once a second. Plain data, no Qt."""

from __future__ import annotations

from dataclasses import dataclass

from app.widgets.timeline_strip import Mark, StripContent
from broker.clock import SECOND
from broker.mesh import activity, presence
from broker.mesh.answers import Coming
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot

STRIP_BUCKETS = 240
RATE_S = 5
MARK_TONES = {"vanished": "failed", "restarted": "slow", "appeared": "ok", "came back": "ok", "opened": "failed"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A connection that is lost now."""

    reason: str
    advice: str
    retry_in_s: float
    since_ns: int


@dataclass(frozen=True, slots=True)
class ShellFacts:
    """Counts for the bars, and the strip.

    Attributes:
        namespaces: Every namespace with how many nodes are known in it.
        helpers: Nodes with a helper for breakers.
        packets_per_s: Over the last seconds that are over.
        packets: Since the beginning.
        trouble: A gap that is open.
    """

    through_ns: int
    namespaces: tuple[tuple[str, int], ...]
    nodes_online: int
    nodes_known: int
    services: int
    helpers: int
    packets_per_s: float
    packets: int
    lost: int
    undecodable: int
    undecodable_reasons: tuple[tuple[str, int], ...]
    calls_held: int
    calls_forgotten: int
    held_bytes: int
    rows_dropped: int
    trouble: Trouble | None
    strip: StripContent


def shell_facts(namespace: str | None, snapshot: Snapshot) -> ShellFacts:
    """Everything around the views, of one namespace or all."""
    now_ns, tally = snapshot.through_ns, snapshot.tally
    by_namespace: dict[str, int] = dict.fromkeys(snapshot.namespaces(), 0)
    nodes = set(snapshot.state.of_kind("node")) - presence.our_nodes(snapshot)
    for where, _node in nodes:
        by_namespace[where] = by_namespace.get(where, 0) + 1
    here = {key for key in nodes if namespace in (None, key[0])}
    online = len(here - presence.gone_nodes(snapshot, now_ns))
    services = sum(namespace in (None, where) for (where, _), _v, _i in snapshot.state.values_at("service", now_ns))
    last = Span((now_ns // SECOND - RATE_S) * SECOND, now_ns // SECOND * SECOND)
    packets = sum(snapshot.counters.total(last, "packets").values())
    heard_s = min(RATE_S, max(1.0, (now_ns - snapshot.begin_ns) / SECOND))
    return ShellFacts(
        through_ns=now_ns,
        namespaces=tuple(sorted(by_namespace.items())),
        nodes_online=online,
        nodes_known=len(here),
        services=services,
        helpers=len(here & set(snapshot.state.of_kind("helper")) - presence.gone_nodes(snapshot, now_ns)),
        packets_per_s=packets / heard_s,
        packets=tally.packets,
        lost=tally.lost,
        undecodable=tally.undecodable,
        undecodable_reasons=tuple(sorted(tally.undecodable_reasons.items(), key=lambda item: -item[1])[:8]),
        calls_held=snapshot.call_count,
        calls_forgotten=snapshot.forgotten_calls,
        held_bytes=snapshot.held_bytes,
        rows_dropped=tally.rows_dropped,
        trouble=_trouble(snapshot),
        strip=_strip(snapshot),
    )


def _trouble(snapshot: Snapshot) -> Trouble | None:
    for _key, value, interval in snapshot.state.values_at("gap", snapshot.through_ns):
        if interval.is_open:
            retry = value.get("retry_in_s")
            return Trouble(
                str(value.get("reason") or "the connection was lost"),
                str(value.get("advice") or ""),
                float(retry) if isinstance(retry, int | float) else 0.0,
                interval.from_ns,
            )
    return None


def _strip(snapshot: Snapshot) -> StripContent:
    found = activity.activity(snapshot, buckets=STRIP_BUCKETS)
    return StripContent(
        found.span.from_ns,
        found.span.to_ns,
        found.calls,
        found.failed,
        tuple((gap.from_ns, gap.to_ns) for gap in found.gaps),
        tuple(_mark(coming) for coming in found.marks if _is_marked(coming))[:200],
    )


def _is_marked(coming: Coming) -> bool:
    return coming.kind in ("node", "clock") or (coming.kind == "breaker" and coming.change == "opened")


def _mark(coming: Coming) -> Mark:
    tone = MARK_TONES.get(coming.change, "held")
    return Mark(coming.at_ns, tone, f"{coming.kind} {coming.what} {coming.change}. {coming.detail}".strip())  # type: ignore[arg-type]
