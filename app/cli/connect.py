"""`meshscope connect`: the window on a live mesh."""

from __future__ import annotations

import click

from app.cli.group import Programs, meshscope, pass_programs
from app.cli.options import target
from app.cli.targets import Target


@meshscope.command("connect")
@target(may="see", file_allowed=False, opens_window=True)
@pass_programs
@click.pass_context
def connect_command(context: click.Context, programs: Programs, *, target: Target) -> None:
    """Open the window on a live mesh."""
    context.exit(programs.open_window(target=target))
