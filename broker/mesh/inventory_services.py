"""The services of a mesh."""

# ruff: noqa: A002 - `filter` is the word of the views
from __future__ import annotations

from typing import Any

from broker.mesh.answers import ServiceRecord
from broker.mesh.directory import version_text
from broker.mesh.fields import fields_of_figures
from broker.mesh.filter import EMPTY, Filter
from broker.mesh.inventory_figures import Figured, figured, first_of
from broker.mesh.presence import Offer, offers
from broker.mesh.seen import NEVER_NS
from broker.mesh.span import Span
from broker.mesh.state import History, Key
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NameKind

NOWHERE = Offer((), (), supposed=True)


def services(snapshot: Snapshot, span: Span, *, filter: Filter = EMPTY) -> list[ServiceRecord]:
    """The services known at the end of a span, in order of namespace and name.

    Those that INFO names, those that went in the span, and those that only
    the names of actions and callers tell of.
    """
    counted = figured(snapshot, span, "service", filter)
    offered = offers(snapshot, span)
    moments = _moments(snapshot)
    known = offered.keys() | {
        snapshot.directory.services[index] for index, (first_ns, _) in moments.items() if first_ns < span.to_ns
    }
    actions = _actions_by_service(snapshot)
    records = []
    for key in sorted(known):
        index = snapshot.directory.indices.get(key)
        record = _record(snapshot, span, key, index, counted, offered.get(key, NOWHERE), moments, actions)
        if record.figures.calls or filter.matches(_fields(record)):
            records.append(record)
    return records


def value_until(history: History, at_ns: int) -> dict[str, Any]:
    """What was last so before or at a moment, even if it is so no longer; {} for nothing."""
    for one in reversed(history):
        if one.from_ns <= at_ns and one.value is not None:
            return dict(one.value)
    return {}


def _record(
    snapshot: Snapshot,
    span: Span,
    key: Key,
    index: int | None,
    counted: Figured,
    offer: Offer,
    moments: dict[int, tuple[int, int]],
    actions: dict[int, set[str]],
) -> ServiceRecord:
    history = snapshot.state.history("service", *key)
    value = value_until(history, span.to_ns)
    first_row, last_row = moments.get(index or 0, (NEVER_NS, NEVER_NS))
    end_ns = min(span.to_ns, snapshot.through_ns)
    began = [one.from_ns for one in history if one.value is not None]
    ended = [one.from_ns for one in history if one.value is None]
    definitions = list((value.get("nodes") or {}).values())
    declared = {str(name) for offer in definitions for name in offer.get("actions") or ()}
    return ServiceRecord(
        namespace=key[0],
        full_name=key[1],
        name=str(value.get("name") or _plain_name(snapshot, key, index)),
        version=version_text(value.get("version")) or (snapshot.directory.versions[index] if index else ""),
        supposed=not value or bool(value.get("supposed")),
        nodes=offer.online,
        offline_nodes=offer.offline,
        actions=tuple(sorted(declared | actions.get(index or 0, set()))),
        events=tuple(sorted({str(name) for offer in definitions for name in offer.get("events") or ()})),
        settings=value.get("settings") or {},
        metadata=value.get("metadata") or {},
        first_ns=first_of(first_row, *began[:1]),
        last_ns=end_ns if offer.online else min(end_ns, max([last_row, *began[-1:], *ended[-1:]])),
        figures=counted.of(index),
        health=counted.health(index),
    )


def _plain_name(snapshot: Snapshot, key: Key, index: int | None) -> str:
    version = snapshot.directory.versions[index] if index else ""
    return key[1].removeprefix(f"{version}.") if version else key[1]


def _moments(snapshot: Snapshot) -> dict[int, tuple[int, int]]:
    """First and last row of each service, as callee and as caller, by the directory's index."""
    found: dict[int, tuple[int, int]] = {}
    directory, seen = snapshot.directory, snapshot.seen
    for kind, table in ((NameKind.ACTION, directory.of_action), (NameKind.SERVICE, directory.of_caller)):
        for number, index in enumerate(table.tolist()[:-1]):
            first_ns = seen.first_ns(kind, number)
            if index and first_ns != NEVER_NS:
                last_ns = seen.last_ns(kind, number)
                before = found.get(index, (first_ns, last_ns))
                found[index] = (min(first_ns, before[0]), max(last_ns, before[1]))
    return found


def _actions_by_service(snapshot: Snapshot) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    texts = snapshot.names.texts(NameKind.ACTION)
    for number, index in enumerate(snapshot.directory.of_action.tolist()[:-1]):
        if index:
            found.setdefault(index, set()).add(texts[number])
    return found


def _fields(record: ServiceRecord) -> dict[str, object]:
    return {
        "service": record.full_name,
        "namespace": record.namespace,
        "node": record.nodes + record.offline_nodes,
        "action": record.actions,
        **fields_of_figures(record.figures),
    }
