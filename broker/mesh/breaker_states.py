"""How breakers stand at a moment, which nodes have a helper, and what changed in a span."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from broker.clock import MILLISECOND, SECOND
from broker.mesh.breaker_guess import guesses
from broker.mesh.presence import gone_nodes, our_nodes
from broker.mesh.span import Span
from broker.mesh.state import History, Interval
from broker.mesh.timeline import Snapshot

HELPER: Final = "$meshscope"
"""The helper's service, as a node's INFO lists it."""

SILENT_NS: Final = 60 * SECOND
"""A helper that was not heard for so long is told to be silent."""

MAX_CHANGES: Final = 1_000


class BreakerKey(NamedTuple):
    """Which breaker: one lives on each node that calls an endpoint, and one on the endpoint's own node.

    Attributes:
        namespace: Where all of it is.
        owner: The node that holds it: a caller, or the endpoint's own node.
        node_id, action: The endpoint that it guards.
    """

    namespace: str
    owner: str
    node_id: str
    action: str

    @property
    def endpoint(self) -> str:
        """The endpoint, as Moleculer names it."""
        return f"{self.node_id}:{self.action}"

    @property
    def is_own(self) -> bool:
        """Whether it is the endpoint's own, which guards it from everybody."""
        return self.owner == self.node_id

    @property
    def state_key(self) -> tuple[str, str]:
        """(namespace, key) of its state in the timeline."""
        return self.namespace, f"{self.owner}|{self.endpoint}"


def key_of(namespace: str, key: str) -> BreakerKey:
    """Which breaker the key of a state means. Node ids may hold colons, names of actions do not."""
    owner, _, endpoint = key.partition("|")
    node_id, _, action = endpoint.rpartition(":")
    return BreakerKey(namespace, owner, node_id, action)


@dataclass(frozen=True, slots=True)
class Breaker:
    """One breaker at a moment.

    Attributes:
        key: Which one.
        state: ``closed``, ``open``, ``half-open``, ``held-open``, ``held-closed``, ``unknown``.
        source: ``helper``, ``event``, ``asked``, ``guess``; empty where nobody told of it.
        since_ns: Since when; 0 if that is not known.
        until_ns: When an open one tries again, or a hold ends; 0 if that is not known.
        failures, count: What it has counted, as last told; None if that was not told.
        threshold: Share of failures that opens it, 0 to 1; None if not known, as all below.
        min_count: Calls that must be counted before it opens.
        window_ms: Its counts begin anew after so long.
        half_open_ms: It tries again after so long.
        settings_from: ``helper`` or ``schema`` (the action's definition); empty if not known.
        is_enabled: Whether it works by itself; None if not known.
        reason: Of its last change.
        by, hold: Who holds it, and the hold's id; empty without a hold.
        under: Of a held one, the state beneath.
    """

    key: BreakerKey
    state: str = "unknown"
    source: str = ""
    since_ns: int = 0
    until_ns: int = 0
    failures: int | None = None
    count: int | None = None
    threshold: float | None = None
    min_count: float | None = None
    window_ms: float | None = None
    half_open_ms: float | None = None
    settings_from: str = ""
    is_enabled: bool | None = None
    reason: str = ""
    by: str = ""
    hold: str = ""
    under: str = ""

    @property
    def is_held(self) -> bool:
        """Whether it is held by hand."""
        return self.state.startswith("held-")


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """A breaker moved.

    Attributes:
        at_ns: When we learned of it.
        was, state: States; ``unknown`` where nobody had told of it, ``gone`` when it ceased to be.
        reason, by, source: As of the new state.
    """

    at_ns: int
    key: BreakerKey
    was: str
    state: str
    reason: str
    by: str
    source: str
    until_ns: int = 0


@dataclass(frozen=True, slots=True)
class HelperRecord:
    """The helper of one node, at a moment.

    Attributes:
        acts: Whether it has a secret, and takes commands.
        refused: Commands that it refused, by cause.
        heard_ns: When it last told something, by our clock; it may be up to 5 s more.
        is_silent: Not heard for a minute.
    """

    namespace: str
    node_id: str
    instance: str
    program: str
    acts: bool
    refused: dict[str, int]
    heard_ns: int
    is_silent: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which nodes have a helper.

    Attributes:
        helpers: Those that were heard, by (namespace, node id).
        without: (namespace, node id) of nodes that are online and have none.
        unheard: Of those, the ones whose INFO lists a helper that was not heard yet.
    """

    helpers: dict[tuple[str, str], HelperRecord] = field(default_factory=dict)
    without: tuple[tuple[str, str], ...] = ()
    unheard: tuple[tuple[str, str], ...] = ()

    @property
    def nodes(self) -> int:
        """Nodes that are there."""
        return len(self.helpers) + len(self.without)

    @property
    def acting(self) -> int:
        """Helpers that take commands."""
        return sum(helper.acts for helper in self.helpers.values())

    @property
    def refused(self) -> int:
        """Commands refused by all of them."""
        return sum(sum(helper.refused.values()) for helper in self.helpers.values())


def breakers_at(snapshot: Snapshot, at_ns: int, *, namespace: str | None = None) -> list[Breaker]:
    """All breakers of which something is known at a moment, or guessed; in order of their keys."""
    found = [
        _breaker(snapshot, key_of(*key), value, interval, at_ns)
        for key, value, interval in snapshot.state.values_at("breaker", at_ns)
        if namespace is None or key[0] == namespace
    ]
    known = {breaker.key for breaker in found}
    for parts, since_ns in guesses(snapshot, at_ns).items():
        key = BreakerKey(*parts)
        if key not in known and (namespace is None or key.namespace == namespace):
            found.append(guessed(key, since_ns))
    return sorted(found, key=lambda breaker: breaker.key)


def guessed(key: BreakerKey, since_ns: int) -> Breaker:
    """A breaker of which nothing is known but that traffic stopped."""
    reason = "its calls failed, then stopped, while other endpoints were called on"
    return Breaker(key, "open", "guess", since_ns, reason=reason)


def breaker_at(snapshot: Snapshot, key: BreakerKey, at_ns: int) -> Breaker:
    """One breaker at a moment; unknown where nobody told of it."""
    interval = snapshot.state.at("breaker", *key.state_key, at_ns)
    if interval is None or interval.value is None:
        return with_settings(snapshot, Breaker(key), at_ns)
    return with_settings(snapshot, _breaker(snapshot, key, interval.value, interval, at_ns), at_ns)


def _breaker(snapshot: Snapshot, key: BreakerKey, value: dict[str, Any], interval: Interval, at_ns: int) -> Breaker:
    state = str(value.get("state") or "unknown")
    is_counted = int(value.get("counted_ns") or interval.from_ns) <= at_ns
    is_set = "threshold" in value
    since_ns = int(value.get("since_ns") or 0)
    if not since_ns:
        since_ns = since(snapshot.state.history("breaker", *key.state_key), interval)
    return Breaker(
        key,
        state,
        interval.source,
        since_ns,
        int(value.get("until_ns") or 0),
        _whole(value.get("failures")) if is_counted else None,
        _whole(value.get("count")) if is_counted else None,
        value.get("threshold"),
        value.get("min"),
        value.get("window_ms"),
        value.get("half_open_ms"),
        "helper" if is_set else "",
        value.get("enabled"),
        str(value.get("reason") or ""),
        str(value.get("by") or ""),
        str(value.get("hold") or ""),
        str(value.get("under") or ""),
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def since(history: History, interval: Interval) -> int:
    """Since when a breaker is in the state that an interval tells."""
    state = (interval.value or {}).get("state")
    since_ns = interval.from_ns
    for one in reversed(history):
        if one.from_ns > interval.from_ns:
            continue
        if one.value is None or one.value.get("state") != state:
            break
        since_ns = one.from_ns
    return since_ns


def with_settings(snapshot: Snapshot, breaker: Breaker, at_ns: int) -> Breaker:
    """The breaker with what its action's definition says of it, where no helper told."""
    if breaker.settings_from:
        return breaker
    defined = _definition(snapshot, breaker.key, at_ns)
    if not defined:
        return breaker
    enabled, window_s = defined.get("enabled"), _positive(defined.get("windowTime"))
    half_open_ms = _positive(defined.get("halfOpenTime"))
    is_timed = breaker.state == "open" and breaker.source == "event" and half_open_ms is not None
    return replace(
        breaker,
        until_ns=breaker.since_ns + round((half_open_ms or 0.0) * MILLISECOND) if is_timed else breaker.until_ns,
        threshold=_positive(defined.get("threshold")),
        min_count=_positive(defined.get("minRequestCount")),
        window_ms=None if window_s is None else window_s * 1000,
        half_open_ms=half_open_ms,
        settings_from="schema",
        is_enabled=enabled if isinstance(enabled, bool) else breaker.is_enabled,
    )


def _definition(snapshot: Snapshot, key: BreakerKey, at_ns: int) -> dict[str, Any]:
    prefix = key.action
    while "." in prefix:
        prefix = prefix.rpartition(".")[0]
        held = snapshot.state.at("service", key.namespace, prefix, at_ns)
        if held is None or held.value is None:
            continue
        on_node = (held.value.get("nodes") or {}).get(key.node_id) or {}
        action = (on_node.get("actions") or {}).get(key.action) or {}
        defined = action.get("circuitBreaker")
        return defined if isinstance(defined, dict) else {}
    return {}


def _positive(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and value > 0 else None  # type: ignore[operator,arg-type]


def changes_in(
    snapshot: Snapshot, span: Span, *, namespace: str | None = None, limit: int = MAX_CHANGES
) -> list[BreakerChange]:
    """Every change of every breaker in a span, newest first; what was found closed is none."""
    found: list[BreakerChange] = []
    for (space, key), history in snapshot.state.of_kind("breaker").items():
        if namespace is None or space == namespace:
            moved = [change for change in _changes(key_of(space, key), history) if span.holds(change.at_ns)]
            found += reversed(moved)  # those of one moment keep their order, newest first, too
    return sorted(found, key=lambda change: (-change.at_ns, change.key))[:limit]


def _changes(key: BreakerKey, history: History) -> Iterator[BreakerChange]:
    was, hold, held_until_ns = "unknown", "", 0
    moved: BreakerChange | None = None  # the last change, of which more may be told
    for interval in history:
        value = interval.value or {"state": "gone"}
        state, new_hold = str(value.get("state")), str(value.get("hold") or "")
        if (state, new_hold) == (was, hold):
            moved = _with_reason(moved, value, interval) if moved is not None else None
            continue
        if moved is not None:
            yield moved
        moved = None
        is_first_and_closed = was == "unknown" and state in ("closed", "gone")
        if not is_first_and_closed and (was, state) != ("closed", "gone"):
            reason, by = str(value.get("reason") or _counted(value, interval)), str(value.get("by") or "")
            until_ns = int(value.get("until_ns") or 0)
            if was.startswith("held-") and state in ("closed", "open", "half-open"):
                reason = _ended(held_until_ns, interval.from_ns)  # that of its breaker is older
            moved = BreakerChange(interval.from_ns, key, was, state, reason, by, interval.source, until_ns)
        was, hold = ("unknown" if state == "gone" else state), new_hold
        held_until_ns = int(value.get("until_ns") or 0) if new_hold else 0
    if moved is not None:
        yield moved


def _with_reason(moved: BreakerChange, value: dict[str, Any], interval: Interval) -> BreakerChange:
    """A change of which an event told first, with what the helper's list says of it a moment later."""
    if (moved.source, interval.source) != ("event", "helper"):
        return moved
    if moved.was.startswith("held-"):
        return replace(moved, source="helper")  # a hold ended: the breaker's own reason is older
    return replace(moved, reason=str(value.get("reason") or moved.reason), source="helper")


def _ended(until_ns: int, at_ns: int) -> str:
    """Why there is no hold any more."""
    return "its time was over" if until_ns and at_ns >= until_ns - SECOND else "the hold was released"


def _counted(value: dict[str, Any], interval: Interval) -> str:
    if value.get("state") != "open" or "failures" not in value or "count" not in value:
        return ""
    if int(value.get("counted_ns") or 0) > interval.from_ns:
        return ""  # that is how it went on
    return f"{int(value['failures'])} of {int(value['count'])} failed"


def coverage(snapshot: Snapshot, at_ns: int, *, namespace: str | None = None) -> Coverage:
    """Which nodes that are there have a helper at a moment."""
    ours, gone = our_nodes(snapshot), gone_nodes(snapshot, at_ns)
    helpers = {
        key: _helper(key, value, interval, at_ns)
        for key, value, interval in snapshot.state.values_at("helper", at_ns)
        if (namespace is None or key[0] == namespace) and key not in gone
    }
    without, unheard = [], []
    for key, value, _ in snapshot.state.values_at("node", at_ns):
        is_meant = (namespace is None or key[0] == namespace) and key not in ours and key not in helpers
        if is_meant and value.get("state") in ("online", "supposed"):
            without.append(key)
            if HELPER in (value.get("services") or ()):
                unheard.append(key)
    return Coverage(dict(sorted(helpers.items())), tuple(sorted(without)), tuple(sorted(unheard)))


def _helper(key: tuple[str, str], value: dict[str, Any], interval: Interval, at_ns: int) -> HelperRecord:
    heard_ns = max(interval.from_ns, min(int(value.get("heard_ns") or 0), at_ns))
    return HelperRecord(
        *key,
        instance=str(value.get("instance") or ""),
        program=str(value.get("program") or ""),
        acts=value.get("acts") is True,
        refused=dict(value.get("refused") or {}),
        heard_ns=heard_ns,
        is_silent=at_ns - heard_ns > SILENT_NS,
    )
