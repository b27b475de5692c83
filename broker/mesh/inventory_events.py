"""The events of a mesh."""

# ruff: noqa: A002 - `filter` is the word of the views
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.mesh.answers import EventRecord
from broker.mesh.cuts import Cut, event_cuts
from broker.mesh.filter import EMPTY, Filter
from broker.mesh.groups import number_codes
from broker.mesh.inventory_figures import first_of
from broker.mesh.seen import NEVER_NS
from broker.mesh.span import Span
from broker.mesh.state import Key
from broker.mesh.subscriptions import Subscription, Subscriptions
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NameKind


@dataclass(slots=True)
class _Traffic:
    """What was seen of one event in a span."""

    packets: int = 0
    emitters: set[str] = field(default_factory=set)
    receivers: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)


def events(snapshot: Snapshot, span: Span, *, filter: Filter = EMPTY, show_ours: bool = False) -> list[EventRecord]:
    """The events known at the end of a span, in order of namespace and name.

    Names that were emitted, and names and patterns that INFO subscribes to.
    """
    cuts = list(event_cuts(snapshot, span, filter, show_ours=show_ours))
    traffic = _traffic(snapshot, cuts)
    subscriptions = Subscriptions(snapshot, span.to_ns)
    declared: dict[Key, list[Subscription]] = {}
    for one in subscriptions:
        declared.setdefault((one.namespace, one.pattern), []).append(one)
    names, seen = snapshot.names, snapshot.seen
    spaces, texts = names.namespace_texts_of(NameKind.EVENT), names.texts(NameKind.EVENT)
    emitted = {
        (spaces[number], texts[number]): number
        for number in range(1, names.count(NameKind.EVENT))
        if NEVER_NS < seen.first_ns(NameKind.EVENT, number) < span.to_ns
    }
    records = []
    for key in sorted(declared.keys() | emitted.keys()):
        number = emitted.get(key)
        who = subscriptions.of_event(key[0], "", key[1], "") if number is not None else declared[key]
        record = _record(
            snapshot, span, key, number, traffic.get(number or 0, _Traffic()), [*who, *declared.get(key, ())]
        )
        if record.packets or filter.matches(_fields(record)):
            records.append(record)
    return records


def _traffic(snapshot: Snapshot, cuts: list[Cut]) -> dict[int, _Traffic]:
    """Packets, emitters, receivers and groups by EVENT number."""
    names, size = snapshot.names, snapshot.names.count(NameKind.EVENT) + 1
    packets = np.zeros(size, np.int64)
    for cut in cuts:
        np.add.at(packets, _events(cut, size), 1)
    found = {number: _Traffic(int(packets[number])) for number in np.flatnonzero(packets).tolist()}
    for event, node in _pairs(cuts, size, "source", names.count(NameKind.NODE) + 1):
        found[event].emitters.add(names.text(NameKind.NODE, node))
    for event, node in _pairs(cuts, size, "target", names.count(NameKind.NODE) + 1):
        found[event].receivers.add(names.text(NameKind.NODE, node))
    for event, groups in _pairs(cuts, size, "groups", names.count(NameKind.GROUPS) + 1):
        found[event].groups.update(part for part in names.text(NameKind.GROUPS, groups).split(",") if part)
    return found


def _events(cut: Cut, size: int) -> NDArray[np.intp]:
    return np.asarray(np.minimum(cut.column("event"), size - 1), np.intp)


def _pairs(cuts: list[Cut], size: int, column: str, width: int) -> list[tuple[int, int]]:
    """Which events occur with which numbers of another column; number 0 is none."""
    codes = [_events(cut, size) * width + np.minimum(cut.column(column), width - 1) for cut in cuts]
    pairs = [divmod(code, width) for code in number_codes(codes, size * width).codes.tolist()]
    return [pair for pair in pairs if pair[1]]


def _record(
    snapshot: Snapshot, span: Span, key: Key, number: int | None, traffic: _Traffic, who: Sequence[Subscription]
) -> EventRecord:
    seen, state = snapshot.seen, snapshot.state
    end_ns = min(span.to_ns, snapshot.through_ns)
    began = [state.history("service", one.namespace, one.service)[0].from_ns for one in who]
    first_ns = seen.first_ns(NameKind.EVENT, number) if number is not None else NEVER_NS
    last_ns = seen.last_ns(NameKind.EVENT, number) if number is not None else NEVER_NS
    return EventRecord(
        namespace=key[0],
        name=key[1],
        groups=tuple(sorted(traffic.groups | {one.group for one in who})),
        emitters=tuple(sorted(traffic.emitters)),
        subscribers=tuple(sorted({one.node_id for one in who})),
        received_by=tuple(sorted(traffic.receivers)),
        packets=traffic.packets,
        rate=traffic.packets / span.seconds if span.seconds else 0.0,
        first_ns=first_of(first_ns, *began),
        last_ns=max(0, min(end_ns, last_ns)),
        params=next((params for one in who if (params := _params(one)) is not None), None),
    )


def _params(one: Subscription) -> dict[str, Any] | list[Any] | None:
    params = one.definition.get("params")
    return params if isinstance(params, dict | list) else None


def _fields(record: EventRecord) -> dict[str, object]:
    ends = record.emitters + record.subscribers + record.received_by
    return {"event": record.name, "namespace": record.namespace, "node": ends, "rate": record.rate}
