"""Who subscribes to which events, as INFO tells, and Moleculer's match of patterns."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from broker.mesh.patterns import dotted
from broker.mesh.timeline import Snapshot


@lru_cache(maxsize=65_536)
def matches_event(pattern: str, name: str) -> bool:
    """Whether a subscription's pattern matches an event's name, as Moleculer does it (and in its order)."""
    if "?" not in pattern:
        if "*" not in pattern:
            return pattern == name
        stars = pattern.count("*")
        if len(pattern) > 2 and stars == 2 and pattern.endswith("**"):
            return name.startswith(pattern[:-2])
        if len(pattern) > 1 and stars == 1 and pattern.endswith("*"):
            return name.startswith(pattern[:-1]) and "." not in name[len(pattern) - 1 :]
    if pattern == "*":
        return "." not in name
    return pattern == "**" or dotted(pattern, name)


class Subscription(NamedTuple):
    """A service on a node that wants an event."""

    pattern: str
    group: str
    service: str  # full name
    namespace: str
    node_id: str
    definition: dict[str, Any]


class _Pool:
    """Subscriptions that may be asked together: plain names by name, patterns one after another."""

    def __init__(self) -> None:
        self._plain: dict[str, list[Subscription]] = {}
        self._patterns: list[Subscription] = []

    def add(self, one: Subscription) -> None:
        if "*" in one.pattern or "?" in one.pattern:
            self._patterns.append(one)
        else:
            self._plain.setdefault(one.pattern, []).append(one)

    def fitting(self, event: str) -> list[Subscription]:
        wild = [one for one in self._patterns if matches_event(one.pattern, event)]
        return [*self._plain.get(event, ()), *wild]

    def __iter__(self) -> Iterator[Subscription]:
        for subscriptions in self._plain.values():
            yield from subscriptions
        yield from self._patterns


class Subscriptions:
    """All subscriptions at a moment."""

    def __init__(self, snapshot: Snapshot, at_ns: int) -> None:
        self._by_node: dict[tuple[str, str], _Pool] = {}
        self._by_namespace: dict[str, _Pool] = {}
        self._found: dict[tuple[str, str, str, str], tuple[Subscription, ...]] = {}
        for (namespace, service), value, _ in snapshot.state.values_at("service", at_ns):
            for one in _subscriptions(namespace, service, value):
                self._by_node.setdefault((namespace, one.node_id), _Pool()).add(one)
                self._by_namespace.setdefault(namespace, _Pool()).add(one)

    def of_event(self, namespace: str, node_id: str, event: str, groups: str) -> tuple[Subscription, ...]:
        """Who on a node gets an event.

        Args:
            namespace: Where.
            node_id: The node; "" for every node of the namespace.
            event: The event's name.
            groups: The packet's groups joined by ","; "" for all.
        """
        key = (namespace, node_id, event, groups)
        found = self._found.get(key)
        if found is None:
            wanted = set(groups.split(",")) if groups else None
            pool = self._by_node.get((namespace, node_id)) if node_id else self._by_namespace.get(namespace)
            fitting = pool.fitting(event) if pool is not None else ()
            found = self._found[key] = tuple(one for one in fitting if wanted is None or one.group in wanted)
        return found

    def __iter__(self) -> Iterator[Subscription]:
        for subscriptions in self._by_namespace.values():
            yield from subscriptions


def _subscriptions(namespace: str, service: str, value: dict[str, Any]) -> Iterator[Subscription]:
    own_group = value.get("name") or service.rpartition(".")[2]
    for node_id, offer in (value.get("nodes") or {}).items():
        for pattern, definition in ((offer or {}).get("events") or {}).items():
            plain = definition if isinstance(definition, dict) else {}
            group = plain.get("group")
            yield Subscription(
                str(pattern), group if isinstance(group, str) and group else str(own_group), service, namespace,
                node_id, plain,
            )  # fmt: skip
