"""`meshscope nodes`: what nodes there are: version, client, host, CPU, services."""

from __future__ import annotations

from collections.abc import Callable

from app.cli.group import meshscope
from app.cli.listing import look_duration, print_records
from app.cli.options import as_json, target
from app.cli.targets import Target
from app.widgets.format import percent
from broker.mesh import inventory
from broker.mesh.answers import NodeRecord

COLUMNS: dict[str, Callable[[NodeRecord], str]] = {
    "node": lambda node: node.node_id,
    "namespace": lambda node: node.namespace or "-",
    "state": lambda node: "this is us" if node.ours else node.state,
    "client": lambda node: node.client,
    "protocol": lambda node: node.protocol,
    "host": lambda node: node.hostname,
    "cpu": lambda node: percent(node.cpu),
    "services": lambda node: ", ".join(node.services),
}


@meshscope.command("nodes")
@target(may="ask")
@look_duration
@as_json
def nodes_command(*, target: Target, duration_s: float, json_output: bool) -> None:
    """What nodes there are: version, client, host, CPU, services."""
    print_records(
        target,
        duration_s,
        json_output,
        inventory.nodes,
        COLUMNS,
        "No node was seen. A mesh that is quiet shows itself with --may ask, which sends one DISCOVER.",
    )
