"""`meshscope open`: the window on captures."""

from __future__ import annotations

import click

from app.cli.group import Programs, meshscope, pass_programs
from app.cli.targets import Target


@meshscope.command("open")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@pass_programs
@click.pass_context
def open_command(context: click.Context, programs: Programs, *, file: str) -> None:
    """Open the window on a capture (.mcap)."""
    context.exit(programs.open_window(target=Target(path=file)))
