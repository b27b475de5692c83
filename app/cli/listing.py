"""What `nodes`, `services`, `actions` and `events` share: look for a moment, print records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from app.cli.output import print_json, print_table
from app.cli.sitting import gather
from app.cli.targets import Target
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot

LOOK_S = 3.0
"""How long a listing of a live mesh listens: INFO answers come within milliseconds of a DISCOVER."""

look_duration = click.option(
    "--duration",
    "duration_s",
    type=click.FloatRange(min=0, min_open=True),
    default=LOOK_S,
    show_default=True,
    metavar="S",
    help="How long to listen to a live mesh, in seconds.",
)

R = TypeVar("R")


def print_records(
    target: Target,
    duration_s: float,
    json_output: bool,
    question: Callable[[Snapshot, Span], Sequence[R]],
    columns: dict[str, Callable[[R], str]],
    nothing: str,
) -> None:
    """Look, ask, print.

    Args:
        target: What to look at.
        duration_s: How long a live mesh is listened to.
        json_output: One JSON array of the whole records; otherwise a table.
        question: Gives the records.
        columns: Heading to cell, of the table.
        nothing: What to say when there is no record.
    """
    snapshot, span = gather(target, duration_s=duration_s)
    records = question(snapshot, span)
    if json_output:
        print_json(records)
    elif records:
        print_table(list(columns), [[cell(record) for cell in columns.values()] for record in records])
    else:
        click.echo(nothing, err=True)
