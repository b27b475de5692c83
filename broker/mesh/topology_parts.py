"""Parts of a graph: around some boxes, those that a filter means, all but those."""

# ruff: noqa: A002 - `filter` is the word of the views
from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from broker.mesh.answers import Topology
from broker.mesh.fields import fields_of_box
from broker.mesh.filter import Filter


def find(topology: Topology, filter: Filter) -> set[str]:
    """Keys of the boxes that a filter means; none for an empty one."""
    if filter.is_empty:
        return set()
    return {node.key for node in topology.nodes if filter.matches(fields_of_box(node))}


def hide(topology: Topology, filter: Filter) -> Topology:
    """The graph without the boxes that a filter means."""
    return _only(topology, {node.key for node in topology.nodes} - find(topology, filter))


def _only(topology: Topology, keys: set[str]) -> Topology:
    nodes = tuple(node for node in topology.nodes if node.key in keys)
    edges = tuple(edge for edge in topology.edges if edge.source in keys and edge.target in keys)
    return replace(topology, nodes=nodes, edges=edges, hidden=topology.hidden + len(topology.nodes) - len(nodes))


@dataclass(slots=True)
class _Neighbours:
    callers: dict[str, set[str]] = field(default_factory=dict)
    callees: dict[str, set[str]] = field(default_factory=dict)


def focus(
    topology: Topology, keys: set[str], hops: int, direction: Literal["both", "callers", "callees"] = "both"
) -> Topology:
    """The part of a graph around some boxes.

    Args:
        topology: The graph.
        keys: Boxes in the middle.
        hops: How many edges away from them a box may be.
        direction: Which way to go: against the calls, along them, or both.
    """
    around = _Neighbours()
    for edge in topology.edges:
        around.callees.setdefault(edge.source, set()).add(edge.target)
        around.callers.setdefault(edge.target, set()).add(edge.source)
    ways = {"both": (around.callers, around.callees), "callers": (around.callers,), "callees": (around.callees,)}
    reached = set(keys)
    for way in ways[direction]:
        reached |= _reached(way, set(keys), hops)
    return _only(topology, reached)


def _reached(way: dict[str, set[str]], edge_of: set[str], hops: int) -> set[str]:
    reached = set(edge_of)
    for _ in range(hops):
        edge_of = {near for key in edge_of for near in way.get(key, ())} - reached
        reached |= edge_of
    return reached
