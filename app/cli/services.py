"""`meshscope services`: what services there are, their versions and where they run."""

from __future__ import annotations

from collections.abc import Callable

from app.cli.group import meshscope
from app.cli.listing import look_duration, print_records
from app.cli.options import as_json, target
from app.cli.targets import Target
from broker.mesh import inventory
from broker.mesh.answers import ServiceRecord

COLUMNS: dict[str, Callable[[ServiceRecord], str]] = {
    "service": lambda service: service.full_name,
    "namespace": lambda service: service.namespace or "-",
    "known": lambda service: "supposed" if service.supposed else "by INFO",
    "nodes": lambda service: ", ".join(service.nodes),
    "actions": lambda service: str(len(service.actions)),
    "calls": lambda service: str(service.figures.calls),
}


@meshscope.command("services")
@target(may="ask")
@look_duration
@as_json
def services_command(*, target: Target, duration_s: float, json_output: bool) -> None:
    """What services there are, their versions and where they run."""
    print_records(
        target,
        duration_s,
        json_output,
        inventory.services,
        COLUMNS,
        "No service is known. INFO packets name them: --may ask asks for them.",
    )
