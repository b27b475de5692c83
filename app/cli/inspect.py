"""`meshscope inspect`: listens for a while, or reads a file, and prints the summary."""

from __future__ import annotations

from typing import Any

import click

from app.cli.group import meshscope
from app.cli.options import as_json, target
from app.cli.output import print_json, print_table
from app.cli.sitting import gather
from app.cli.targets import Target
from app.widgets.format import duration_ms
from broker.mesh.summary import summary


@meshscope.command("inspect")
@target(may="see")
@click.option(
    "--duration",
    "duration_s",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="S",
    help="How long to listen, in seconds.",
)
@as_json
def inspect_command(*, target: Target, duration_s: float, json_output: bool) -> None:
    """Listen for a while (or read a capture) and print who called whom, how often, how fast, with what errors."""
    snapshot, span = gather(target, duration_s=duration_s)
    found = summary(snapshot, span)
    if json_output:
        print_json(found)
    else:
        print_summary(found)


def print_summary(found: dict[str, Any]) -> None:
    """The summary for people: totals, then the actions, then who calls whom."""
    packets = found["packets"]
    seconds = (found["to_ns"] - found["from_ns"]) / 1e9
    click.echo(
        f"{packets['total']} packets ({packets['bytes']} bytes) in {seconds:.1f} s, "
        f"{packets['undecodable']} undecodable, "
        f"{packets['lost']} known to be lost, {len(found['gaps'])} gaps. "
        f"{len(found['nodes'])} nodes, {len(found['services'])} services. Calls inside one node are not on the bus."
    )
    for gap in found["gaps"]:
        click.echo(f"gap of {(gap['to_ns'] - gap['from_ns']) / 1e9:.1f} s: {gap['reason']}")
    if found["actions"]:
        click.echo()
        print_table(
            ["action", "calls", "errors", "timeouts", "no answer", "p50", "p90", "p99"],
            [
                [a["name"], *(str(a[key]) for key in ("calls", "errors", "timeouts", "no_answer")), *percentiles(a)]
                for a in found["actions"]
                if a["calls"]
            ],
            right=range(1, 8),
        )
    if found["edges"]:
        click.echo()
        print_table(
            ["from", "to", "calls", "errors", "timeouts", "p50", "p90", "p99"],
            [
                [
                    e["from"] or f"(outside services on {', '.join(e['from_nodes'])})",
                    e["to"],
                    *(str(e[key]) for key in ("calls", "errors", "timeouts")),
                    *percentiles(e),
                ]
                for e in found["edges"]
            ],
            right=range(2, 8),
        )


def percentiles(row: dict[str, Any]) -> list[str]:
    """p50, p90 and p99 of a row of the summary, with their unit; a dash without samples."""
    return [duration_ms(row[key]) if row[key] is not None else "–" for key in ("p50_ms", "p90_ms", "p99_ms")]
