"""`meshscope probe`: the part that listens, driven over standard input and output."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.group import meshscope
from broker.probe.keeping import KEEP_OPTION, store_journal_behind
from broker.probe.main import main


@meshscope.command("probe")
@click.option(KEEP_OPTION, "keep_journal_of", type=click.Path(path_type=Path), default=None, hidden=True)
@click.pass_context
def probe_command(context: click.Context, *, keep_journal_of: Path | None) -> None:
    """Listen for a window here or, over ssh, on another machine. Not for people."""
    context.exit(store_journal_behind(keep_journal_of) if keep_journal_of is not None else main())
