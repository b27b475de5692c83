"""The whole graph, elsewhere: as DOT for Graphviz, as JSON."""

from __future__ import annotations

import math
from json import dumps
from typing import Any

from broker.mesh.answers import Figures, Topology, TopologyEdge, TopologyNode

COLOURS = {"none": "#93a0af", "ok": "#1d8a63", "slow": "#a87400", "failed": "#cf3b38"}
SHAPES = {
    "service": "box",
    "instance": "box",
    "node": "hexagon",
    "namespace": "folder",
    "version": "component",
    "outside": "ellipse",
}


def dot(topology: Topology) -> str:
    """A graph as Graphviz reads it: left to right, width by rate, colour by health, open groups as clusters."""
    lines = ["digraph mesh {", '  rankdir="LR";', '  node [shape="box", fontname="sans-serif"];']
    lines += [f"  {_quoted(node.key)} [{_attributes(_node_attributes(node))}];" for node in topology.nodes]
    for group in topology.groups:
        inside = " ".join(_quoted(node.key) + ";" for node in topology.nodes if node.group == group.key)
        attributes = f"label={_quoted(group.title)}; color={_quoted(COLOURS[group.health])};"
        lines.append(f"  subgraph {_quoted(f'cluster {group.key}')} {{ {attributes} {inside} }}")
    lines += [
        f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [{_attributes(_edge_attributes(edge))}];"
        for edge in topology.edges
    ]
    return "\n".join([*lines, "}", ""])


def _node_attributes(node: TopologyNode) -> dict[str, str]:
    attributes = {
        "label": f"{node.title}\n{_stats(node.received)}" if node.received.calls else node.title,
        "shape": SHAPES[node.kind],
        "color": COLOURS[node.health],
    }
    if node.silent or node.offline:
        attributes["style"] = "dashed"
    return attributes


def _edge_attributes(edge: TopologyEdge) -> dict[str, str]:
    width = 1 + math.log10(1 + max(0.0, edge.figures.rate))
    attributes = {"color": COLOURS[edge.health], "penwidth": f"{width:.2f}"}
    if edge.kind == "event":
        return attributes | {"style": "dashed", "label": "\n".join(edge.events[:5])}
    return attributes | {"label": _stats(edge.figures)}


def _stats(figures: Figures) -> str:
    p99 = "" if math.isnan(figures.p99_ms) else f", p99 {figures.p99_ms:.1f} ms"
    return f"{figures.rate:.2f}/s, {figures.error_share:.1%} failed{p99}"


def _attributes(values: dict[str, str]) -> str:
    return ", ".join(f"{name}={_quoted(value)}" for name, value in values.items())


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "\\n")
    return f'"{escaped}"'


def json(topology: Topology) -> str:
    """A graph as JSON: ``{"format", "from_ns", "to_ns", "nodes", "edges", "groups"}``, the last three lists; in ms."""
    document = {
        "format": 1,
        "from_ns": topology.span.from_ns,
        "to_ns": topology.span.to_ns,
        "nodes": [_plain_node(node) for node in topology.nodes],
        "edges": [_plain_edge(edge) for edge in topology.edges],
        "groups": [
            {"key": group.key, "kind": group.kind, "title": group.title, "health": group.health}
            for group in topology.groups
        ],
    }
    return dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain_node(node: TopologyNode) -> dict[str, Any]:
    return {
        "key": node.key,
        "kind": node.kind,
        "title": node.title,
        "namespace": node.namespace,
        "health": node.health,
        "instances": list(node.instances),
        "offline_instances": node.offline_instances,
        "silent": node.silent,
        "supposed": node.supposed,
        "offline": node.offline,
        "internal": node.internal,
        "gateway": node.is_gateway,
        "group": node.group,
        "received": plain_figures(node.received),
        "sent": plain_figures(node.sent),
    }


def _plain_edge(edge: TopologyEdge) -> dict[str, Any]:
    return {
        "from": edge.source,
        "to": edge.target,
        "kind": edge.kind,
        "health": edge.health,
        "events": list(edge.events),
        "breakers": [breaker._asdict() for breaker in edge.breakers],
        **plain_figures(edge.figures),
    }


def plain_figures(figures: Figures) -> dict[str, Any]:
    """Figures as plain data; what has no samples is None."""
    return {
        "calls": figures.calls,
        "completed": figures.completed,
        "errors": figures.errors,
        "timeouts": figures.timeouts,
        "no_answer": figures.no_answer,
        "late": figures.late,
        "rate": figures.rate,
        **{f"{name}_ms": number(getattr(figures, f"{name}_ms")) for name in ("p50", "p90", "p99", "max")},
    }


def number(value: float) -> float | None:
    """A number as JSON can say it: None for what is none."""
    return value if math.isfinite(value) else None
