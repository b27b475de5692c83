"""The actions of a mesh."""

# ruff: noqa: A002 - `filter` is the word of the views
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from broker.mesh.answers import ActionRecord
from broker.mesh.fields import fields_of_figures
from broker.mesh.filter import EMPTY, Filter
from broker.mesh.inventory_figures import Figured, figured, first_of
from broker.mesh.inventory_services import value_until
from broker.mesh.presence import gone_nodes
from broker.mesh.seen import NEVER_NS
from broker.mesh.span import Span
from broker.mesh.state import Key
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NameKind

NEVER = (NEVER_NS, NEVER_NS)


@dataclass(slots=True)
class _Declared:
    """An action as INFO packets describe it."""

    service: str
    supposed: bool
    first_ns: int
    last_ns: int
    nodes: list[str] = field(default_factory=list)
    definition: dict[str, Any] = field(default_factory=dict)


def actions(snapshot: Snapshot, span: Span, *, filter: Filter = EMPTY) -> list[ActionRecord]:
    """The actions known at the end of a span, in order of namespace and name.

    Those that INFO names, with what it says of them, and those that were only
    seen to be called, as supposed.
    """
    counted = figured(snapshot, span, "action", filter)
    declared = _declared(snapshot, span)
    names = snapshot.names
    first_ns, last_ns = snapshot.seen.moments_ns(NameKind.ACTION, names.count(NameKind.ACTION))
    spaces, texts = names.namespace_texts_of(NameKind.ACTION), names.texts(NameKind.ACTION)
    called = {
        (spaces[number], texts[number]): number
        for number in range(1, names.count(NameKind.ACTION))
        if NEVER_NS < first_ns[number] < span.to_ns
    }
    directory, end_ns = snapshot.directory, min(span.to_ns, snapshot.through_ns)
    records = []
    passes = None if filter.is_empty else _passes(filter)
    for key in sorted(declared.keys() | called.keys()):
        number = called.get(key)
        service = directory.service_of_action(number or 0)
        moments = (first_ns[number], min(end_ns, last_ns[number])) if number is not None else NEVER
        record = _record(key, number, service, moments, declared.get(key), counted)
        if passes is None or record.figures.calls or passes(record):
            records.append(record)
    return records


def _declared(snapshot: Snapshot, span: Span) -> dict[Key, _Declared]:
    gone = gone_nodes(snapshot, span.to_ns)
    end_ns = min(span.to_ns, snapshot.through_ns)
    found: dict[Key, _Declared] = {}
    for (namespace, service), history in snapshot.state.of_kind("service").items():
        last = next((one for one in reversed(history) if one.from_ns <= span.to_ns and one.value is not None), None)
        if last is None or not last.to_ns > span.from_ns:
            continue
        value = value_until(history, span.to_ns)
        last_ns = min(end_ns, last.to_ns)
        for node_id, offer in (value.get("nodes") or {}).items():
            is_gone = (namespace, node_id) in gone
            for action, definition in (offer.get("actions") or {}).items():
                one = found.get((namespace, action))
                if one is None:
                    supposed = bool(value.get("supposed"))
                    one = found[namespace, action] = _Declared(service, supposed, history[0].from_ns, last_ns)
                if is_gone:
                    one.nodes.append(node_id)
                else:
                    one.nodes.insert(0, node_id)
                if definition and (not one.definition or not is_gone):
                    one.definition = definition
    return found


def _record(
    key: Key,
    number: int | None,
    service: str,
    moments_ns: tuple[int, int],
    declared: _Declared | None,
    counted: Figured,
) -> ActionRecord:
    definition = declared.definition if declared else {}
    params = definition.get("params")
    return ActionRecord(
        namespace=key[0],
        name=key[1],
        service=declared.service if declared else service,
        supposed=declared is None or declared.supposed,
        nodes=tuple(declared.nodes) if declared else (),
        visibility=str(definition.get("visibility") or ("published" if definition else "")),
        cached=cached_text(definition.get("cache")),
        params=params if isinstance(params, dict | list) else None,
        definition=definition,
        first_ns=first_of(moments_ns[0], declared.first_ns if declared else 0),
        last_ns=max(0, moments_ns[1], declared.last_ns if declared else 0),
        figures=counted.of(number),
        health=counted.health(number),
    )


def cached_text(cache: object) -> str:
    """How an action is cached, in words: "" not, "yes", or ``keys id, #user.id, 30 s``."""
    if isinstance(cache, dict):
        if cache.get("enabled") is False:
            return ""
        keys, ttl = cache.get("keys"), cache.get("ttl")
        parts = []
        if isinstance(keys, list) and keys:
            parts.append(f"keys {', '.join(str(key) for key in keys)}")
        if isinstance(ttl, int | float) and not isinstance(ttl, bool):
            parts.append(f"{ttl:g} s")
        return ", ".join(parts) or "yes"
    return "yes" if cache is True else ""


def _passes(filter: Filter) -> Callable[[ActionRecord], bool]:
    def passes(record: ActionRecord) -> bool:
        return filter.matches(
            {
                "action": record.name,
                "service": record.service,
                "namespace": record.namespace,
                "node": record.nodes,
                **fields_of_figures(record.figures),
            }
        )

    return passes
