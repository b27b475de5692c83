"""What a filter may ask of boxes, edges and records, which are no rows."""

from __future__ import annotations

from broker.mesh.answers import Figures, TopologyNode


def fields_of_box(node: TopologyNode) -> dict[str, object]:
    """What a filter may ask of a box of the graph."""
    figures = node.received if node.received.calls else node.sent
    return {
        "service": _service_of(node),
        "node": node.instances or ((node.subject.name,) if node.kind in {"node", "outside"} else ()),
        "namespace": node.namespace,
        **fields_of_figures(figures),
    }


def _service_of(node: TopologyNode) -> str:
    if node.kind == "instance":
        return node.subject.name
    return node.title if node.kind in {"service", "version"} else ""


def fields_of_figures(figures: Figures) -> dict[str, object]:
    """What a filter may ask of figures: rate in calls/s, errors in percent, p50, p90, p99 in ms."""
    return {
        "rate": figures.rate,
        "errors": figures.error_share * 100,
        "p50": figures.p50_ms,
        "p90": figures.p90_ms,
        "p99": figures.p99_ms,
    }
