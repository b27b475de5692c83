"""`meshscope probe`: the part that listens, driven over standard input and output."""

from __future__ import annotations

import click

from app.cli.group import meshscope
from broker.probe.main import main


@meshscope.command("probe")
@click.pass_context
def probe_command(context: click.Context) -> None:
    """Listen for a window here or, over ssh, on another machine. Not for people."""
    context.exit(main())
