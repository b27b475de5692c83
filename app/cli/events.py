"""`meshscope events`: what events are sent and subscribed to."""

from __future__ import annotations

from collections.abc import Callable

from app.cli.group import meshscope
from app.cli.listing import look_duration, print_records
from app.cli.options import as_json, target
from app.cli.targets import Target
from broker.mesh import inventory
from broker.mesh.answers import EventRecord

COLUMNS: dict[str, Callable[[EventRecord], str]] = {
    "event": lambda event: event.name,
    "namespace": lambda event: event.namespace or "-",
    "groups": lambda event: ", ".join(event.groups),
    "emitters": lambda event: ", ".join(event.emitters),
    "subscribers": lambda event: ", ".join(event.subscribers),
    "packets": lambda event: str(event.packets),
}


@meshscope.command("events")
@target(may="ask")
@look_duration
@as_json
def events_command(*, target: Target, duration_s: float, json_output: bool) -> None:
    """What events are sent and subscribed to."""
    print_records(
        target, duration_s, json_output, inventory.events, COLUMNS, "No event was seen and none is subscribed to."
    )
