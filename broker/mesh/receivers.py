"""Who will receive an event, asked before it is sent, by Moleculer's own rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from broker.mesh.subscriptions import Subscriptions
from broker.mesh.timeline import Snapshot


class GroupReceivers(NamedTuple):
    """One group behind one pattern: an emitted event goes to one of its nodes, a broadcast one to all of them.

    Attributes:
        pattern: Of the subscription: the event's name, or one with ``*``, ``**`` or ``?``.
        group: Its name; by default that of the service.
        services: Full names of those who subscribe, in order.
        node_ids: Where they run, in order.
    """

    pattern: str
    group: str
    services: tuple[str, ...]
    node_ids: tuple[str, ...]


class Receivers(NamedTuple):
    """Who subscribes to an event now.

    Attributes:
        groups: Each pattern and group; Moleculer sends an emitted event once for each of them.
        node_ids: All their nodes: those that get a broadcast.
    """

    groups: tuple[GroupReceivers, ...]
    node_ids: tuple[str, ...]


def receivers(snapshot: Snapshot, namespace: str, event: str, groups: Sequence[str] = ()) -> Receivers:
    """Who subscribes to an event at the end of a snapshot; not we ourselves, nor nodes that are gone.

    Args:
        snapshot: What is known.
        namespace: Of the mesh.
        event: Its name, without wildcards.
        groups: Only these; empty for all.
    """
    at_ns = snapshot.through_ns
    online = {
        node_id
        for (known, node_id), value, _ in snapshot.state.values_at("node", at_ns)
        if known == namespace and value["state"] == "online" and not value.get("ours")
    }
    found: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for one in Subscriptions(snapshot, at_ns).of_event(namespace, "", event, ",".join(groups)):
        if one.node_id in online:
            services, node_ids = found.setdefault((one.pattern, one.group), (set(), set()))
            services.add(one.service)
            node_ids.add(one.node_id)
    listed = [
        GroupReceivers(*key, tuple(sorted(services)), tuple(sorted(node_ids)))
        for key, (services, node_ids) in sorted(found.items())
    ]
    return Receivers(tuple(listed), tuple(sorted({node_id for each in listed for node_id in each.node_ids})))
