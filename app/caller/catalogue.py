"""What can be called and emitted, and where: asked in the worker, plain data, no Qt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from app.widgets.find_box import Findable
from app.widgets.format import count, duration_ms
from broker.clock import SECOND
from broker.mesh import inventory
from broker.mesh.answers import ActionRecord, EventRecord
from broker.mesh.directory import version_of
from broker.mesh.receivers import Receivers
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot


class NodeChoice(NamedTuple):
    """A node that can be asked.

    Attributes:
        node_id: Its name.
        is_online: Whether it is there, as far as is known.
        protocol: "4", "5"; "" where it is not known.
    """

    node_id: str
    is_online: bool
    protocol: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is known, as of a moment.

    Attributes:
        actions: That can be called, by namespace and name.
        events: That were seen or are subscribed to.
        nodes: By namespace and node id.
        heard_s: How long the mesh has been listened to.
        findable_actions, findable_events: As they are offered; made in the worker, there may be ten thousand.
    """

    actions: dict[tuple[str, str], ActionRecord] = field(default_factory=dict)
    events: dict[tuple[str, str], EventRecord] = field(default_factory=dict)
    nodes: dict[tuple[str, str], NodeChoice] = field(default_factory=dict)
    heard_s: float = 0.0
    findable_actions: tuple[Findable, ...] = ()
    findable_events: tuple[Findable, ...] = ()

    @property
    def namespaces(self) -> list[str]:
        """Those in which something can be called."""
        return sorted({namespace for namespace, _ in (*self.actions, *self.events)})

    def nodes_of(self, action: ActionRecord) -> list[NodeChoice]:
        """Who offers an action, who is there first."""
        found = [self.nodes.get((action.namespace, each), NodeChoice(each, False, "")) for each in action.nodes]
        return sorted(found, key=lambda node: (not node.is_online, node.node_id))


def catalogue(span: Span, namespace: str | None, snapshot: Snapshot) -> Catalogue:
    """Everything that can be called at the end of a span.

    Args:
        span: In which figures are taken.
        namespace: Only of this one; None for all.
        snapshot: Where to look.
    """

    def is_wanted(of: str) -> bool:
        return namespace is None or of == namespace

    actions = {(one.namespace, one.name): one for one in inventory.actions(snapshot, span) if is_wanted(one.namespace)}
    events = {(one.namespace, one.name): one for one in inventory.events(snapshot, span) if is_wanted(one.namespace)}
    nodes = {
        (one.namespace, one.node_id): NodeChoice(one.node_id, one.state == "online", one.protocol)
        for one in inventory.nodes(snapshot, span)
        if is_wanted(one.namespace)
    }
    heard_s = (snapshot.through_ns - snapshot.begin_ns) / SECOND if snapshot.begin_ns else 0.0
    known = Catalogue(actions, events, nodes, heard_s)
    return replace(
        known, findable_actions=tuple(_findable_actions(known)), findable_events=tuple(_findable_events(known))
    )


def _findable_actions(known: Catalogue) -> list[Findable]:
    """Actions as they are offered: internal ones last."""
    several = len(known.namespaces) > 1
    return [
        Findable(
            one.name,
            " · ".join(filter(None, (one.namespace or "(empty)" if several else "", short_note(known, one)))),
            key,
            one.figures.calls * 1e-9 - one.name.startswith("$"),
        )
        for key, one in known.actions.items()
    ]


def _findable_events(known: Catalogue) -> list[Findable]:
    """Events as they are offered; patterns are no names and stay away."""
    several = len(known.namespaces) > 1
    return [
        Findable(
            one.name,
            " · ".join(
                filter(None, (one.namespace or "(empty)" if several else "", _many(len(one.subscribers), "listener")))
            ),
            key,
            one.packets * 1e-9 - one.name.startswith("$"),
        )
        for key, one in known.events.items()
        if "*" not in one.name and "?" not in one.name
    ]


def short_note(known: Catalogue, action: ActionRecord) -> str:
    """How many offer it, and how long it takes."""
    online = sum(node.is_online for node in known.nodes_of(action))
    parts = [_many(online, "endpoint") if action.nodes else "endpoints not known"]
    if action.figures.completed:
        parts.append(f"p99 {duration_ms(action.figures.p99_ms)}")
    return " · ".join(parts)


def long_note(known: Catalogue, action: ActionRecord) -> str:
    """What stands below a chosen action."""
    version = version_of(action.service)
    name = action.service.removeprefix(f"{version}.") if version else action.service
    told = f"{name}, version {version.removeprefix('v')}" if version else name
    where = f"in {action.namespace or 'the empty namespace'}" if len(known.namespaces) > 1 else ""
    parts = [told, where, short_note(known, action)]
    if action.visibility in ("private", "protected"):
        parts.append(f"{action.visibility}: only callable on its own node")
    return " · ".join(filter(None, parts))


def receivers_told(found: Receivers, kind: str) -> str:
    """Who will get an event, in a line."""
    if not found.groups:
        return "Nobody listens to it now, as far as INFO packets tell. It can be sent all the same."
    if kind == "emit":
        return f"One node of each of {_many(len(found.groups), 'group')} will get it."
    return f"Every listening node will get it: {_many(len(found.node_ids), 'node')}."


def receivers_lines(found: Receivers, event: str, most: int = 8) -> list[str]:
    """Each group with its services and nodes, a line each."""
    lines = [
        f"{one.group}: {', '.join(one.services)} on {', '.join(one.node_ids)}"
        + (f" (as {one.pattern})" if one.pattern != event else "")
        for one in found.groups[:most]
    ]
    return lines + ([f"and {len(found.groups) - most} more"] if len(found.groups) > most else [])


def _many(number: int, what: str) -> str:
    return f"{count(number)} {what}{'' if number == 1 else 's'}"
