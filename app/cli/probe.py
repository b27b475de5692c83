"""`meshscope probe`: the part that listens, driven over standard input and output."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.group import meshscope
from broker.probe.options import KEEP_OPTION


@meshscope.command("probe")
@click.option(KEEP_OPTION, "keep_journal_of", type=click.Path(path_type=Path), default=None, hidden=True)
@click.pass_context
def probe_command(context: click.Context, *, keep_journal_of: Path | None) -> None:
    """Listen for a window here or, over ssh, on another machine. Not for people."""
    if keep_journal_of is None:
        from broker.probe.main import main  # noqa: PLC0415  no other command waits for it

        context.exit(main())
    from broker.probe.keeping import store_journal_behind  # noqa: PLC0415  as above

    context.exit(store_journal_behind(keep_journal_of))
