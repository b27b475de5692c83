"""What appeared and what vanished, and when."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any, Final, Literal

from broker.clock import MILLISECOND, SECOND
from broker.mesh.answers import Coming
from broker.mesh.span import Span
from broker.mesh.state import Interval, Key
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot

SETTLING_NS: Final = 15 * SECOND
"""What we learn so soon after we began was there before us: it was found, it did not appear."""

FOUND: Final = "found"


def turning_points(snapshot: Snapshot, span: Span, limit: int = 60) -> list[Coming]:
    """What may explain why a curve bends, newest first: nodes that came, went or were deployed anew, breakers."""
    told = comings(snapshot, span, limit * 4, with_found=False, kinds=("node", "breaker"))
    # a breaker that flaps would cover a chart: when it opened is what bends curves
    return [one for one in told if one.kind == "node" or one.change == "opened"][:limit]


def comings(
    snapshot: Snapshot,
    span: Span,
    limit: int = 200,
    *,
    with_found: bool = True,
    kinds: Collection[str] = ("node", "service", "gap", "breaker", "clock"),
) -> list[Coming]:
    """What appeared, vanished, restarted, opened or closed in a span, newest first.

    Args:
        snapshot: Where to look.
        span: When.
        limit: How many at most.
        with_found: Whether what was there before the session began is told as ``found``.
        kinds: Of what; actions and events are told of with their service.
    """
    tellers = {
        "node": _node_comings,
        "service": _service_comings,
        "gap": _gap_comings,
        "breaker": _breaker_comings,
        "clock": _clock_comings,
    }
    settled_ns = snapshot.begin_ns + SETTLING_NS
    first_ns = span.from_ns if with_found else max(span.from_ns, settled_ns)
    since_ns = {"node": first_ns, "service": first_ns}
    found = chain.from_iterable(
        _of_kind(snapshot, kind, tellers[kind], span, since_ns.get(kind, span.from_ns)) for kind in kinds
    )
    told = [_found(coming) if _was_there(coming, settled_ns) else coming for coming in found]
    told = [coming for coming in told if with_found or coming.change != FOUND]
    return sorted(told, key=lambda coming: (-coming.at_ns, coming.kind, coming.what))[:limit]


def _of_kind(snapshot: Snapshot, kind: str, tell: Any, span: Span, first_ns: int) -> Iterator[Coming]:
    """What one kind has to tell of a span; of what was first known before a moment, not that it came to be known."""
    for key, history in snapshot.state.of_kind(kind).items():
        before: Interval | None = None
        if kind == "node" and any(interval.value and interval.value.get("ours") for interval in history):
            continue
        for interval in history:
            if span.holds(interval.from_ns) and (before is not None or interval.from_ns >= first_ns):
                yield from tell(key, before, interval)
            before = interval


def _was_there(coming: Coming, settled_ns: int) -> bool:
    return coming.change == "appeared" and coming.at_ns < settled_ns


def _found(coming: Coming) -> Coming:
    return Coming(coming.at_ns, coming.namespace, coming.kind, coming.what, FOUND, coming.detail, coming.subject)


def _node_comings(key: Key, before: Interval | None, interval: Interval) -> Iterator[Coming]:
    old, new = before.value if before else None, interval.value
    change = _node_change(old, new)
    if change:
        told = new or old or {}
        client = told.get("client") or {}
        version = " ".join(str(client[part]) for part in ("type", "version") if client.get(part))
        parts = (str(told.get("reason") or ""), version, *_differences(old, new))
        detail = ", ".join(part for part in parts if part)
        yield Coming(interval.from_ns, key[0], "node", key[1], change, detail, Subject("node", *key))


def _differences(old: dict[str, Any] | None, new: dict[str, Any] | None) -> Iterator[str]:
    """What is another than before on a node that is there again: a deploy tells itself by these."""
    if old is None or new is None or new.get("state") != "online":
        return
    if old.get("instance_id") and new.get("instance_id") and old["instance_id"] != new["instance_id"]:
        yield "another instance"
    versions = [_version(value) for value in (old, new)]
    if all(versions) and versions[0] != versions[1]:
        yield f"version {versions[0]} → {versions[1]}"
    had, has = set(old.get("services") or ()), set(new.get("services") or ())
    if had and has:
        yield from (f"now with {name}" for name in sorted(has - had)[:3])
        yield from (f"no longer with {name}" for name in sorted(had - has)[:3])


def _version(value: dict[str, Any]) -> str:
    """The version that a node tells in its metadata, else that of its Moleculer."""
    metadata, client = value.get("metadata"), value.get("client")
    told = metadata.get("version") if isinstance(metadata, dict) else None
    if told is None and isinstance(client, dict):
        told = client.get("version")
    return str(told) if told is not None else ""


def _node_change(old: dict[str, Any] | None, new: dict[str, Any] | None) -> str:
    """What happened to a node between two states, in a word; "" for nothing that matters."""
    if new is None:
        return "" if old is None or old.get("state") == "offline" else "vanished"
    state, was = new.get("state"), old.get("state") if old else None
    if state == "remembered":
        return ""
    if state == "offline":
        return "vanished" if was not in {None, "offline", "remembered"} else ""
    if was in {None, "remembered"}:
        return "appeared"
    instances = [value.get("instance_id") if value else None for value in (old, new)]
    if all(instances) and instances[0] != instances[1]:
        return "restarted"
    return "came back" if was == "offline" else ""


def _service_comings(key: Key, before: Interval | None, interval: Interval) -> Iterator[Coming]:
    old, new = _declared(before), _declared(interval)
    if old is None and new is None:
        return
    subject = Subject("service", *key)
    if old is None or new is None:
        change = "appeared" if old is None else "vanished"
        nodes = sorted((new or old or {}).get("nodes") or ())
        yield Coming(interval.from_ns, key[0], "service", key[1], change, f"on {', '.join(nodes[:5])}", subject)
    kinds: tuple[Literal["action", "event"], ...] = ("action", "event")
    for kind in kinds:
        had, has = _names(old, f"{kind}s"), _names(new, f"{kind}s")
        for name in sorted(has - had):
            yield _part(key, interval, kind, name, "appeared")
        for name in sorted(had - has):
            yield _part(key, interval, kind, name, "vanished")


def _part(key: Key, interval: Interval, kind: Literal["action", "event"], name: str, change: str) -> Coming:
    return Coming(interval.from_ns, key[0], kind, name, change, f"of {key[1]}", Subject(kind, key[0], name))


def _declared(interval: Interval | None) -> dict[str, Any] | None:
    value = interval.value if interval else None
    return None if value is None or value.get("supposed") else value


def _names(value: dict[str, Any] | None, part: str) -> set[str]:
    """Names of actions or events over all nodes. Replicas share one definition, which is looked at once."""
    offers = {id(offer): offer for offer in ((value or {}).get("nodes") or {}).values()}
    return {str(name) for offer in offers.values() for name in offer.get(part) or ()}


def _gap_comings(_: Key, before: Interval | None, interval: Interval) -> Iterator[Coming]:
    subject = Subject("gap", "", str(interval.from_ns))
    if interval.value is not None and (before is None or before.value is None):
        yield Coming(
            interval.from_ns, "", "gap", "connection", "lost", str(interval.value.get("reason") or ""), subject
        )
    elif interval.value is None and before is not None and before.value is not None:
        yield Coming(interval.from_ns, "", "gap", "connection", "came back", "", subject)


def _breaker_comings(key: Key, before: Interval | None, interval: Interval) -> Iterator[Coming]:
    state = interval.value.get("state") if interval.value else None
    was = before.value.get("state") if before and before.value else None
    # a list of closed breakers tells that they are there, an event that one has closed
    is_listed = was is None and state == "closed" and interval.source != "event"
    if state is not None and state != was and not is_listed:
        owner, _, endpoint = key[1].partition("|")
        change = {"open": "opened", "half-open": "half-opened", "closed": "closed"}.get(str(state), str(state))
        yield Coming(interval.from_ns, key[0], "breaker", endpoint, change, f"at {owner}", Subject("breaker", *key))


def _clock_comings(_: Key, before: Interval | None, interval: Interval) -> Iterator[Coming]:
    del before
    step_ns = (interval.value or {}).get("step_ns")
    if isinstance(step_ns, int):
        detail = f"by {step_ns / MILLISECOND:+,.0f} ms"
        yield Coming(interval.from_ns, "", "clock", "wall clock", "was set", detail, None)
