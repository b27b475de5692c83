"""`meshscope actions`: what actions there are, with schemas (--json has them whole)."""

from __future__ import annotations

from collections.abc import Callable

from app.cli.group import meshscope
from app.cli.listing import look_duration, print_records
from app.cli.options import as_json, target
from app.cli.targets import Target
from broker.mesh import inventory
from broker.mesh.answers import ActionRecord

COLUMNS: dict[str, Callable[[ActionRecord], str]] = {
    "action": lambda action: action.name,
    "namespace": lambda action: action.namespace or "-",
    "nodes": lambda action: ", ".join(action.nodes),
    "visibility": lambda action: action.visibility,
    "cached": lambda action: action.cached or "no",
    "params": lambda action: ", ".join(action.params) if isinstance(action.params, dict) else "",
    "calls": lambda action: str(action.figures.calls),
}


@meshscope.command("actions")
@target(may="ask")
@look_duration
@as_json
def actions_command(*, target: Target, duration_s: float, json_output: bool) -> None:
    """What actions there are, with schemas (--json has them whole)."""
    print_records(
        target,
        duration_s,
        json_output,
        inventory.actions,
        COLUMNS,
        "No action is known. INFO packets name them: --may ask asks for them.",
    )
