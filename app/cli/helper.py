"""`meshscope helper`: gives out the service that lets operators set the breakers of a MoleculerJS node."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.errors import SaidNo
from app.cli.group import meshscope
from app.shipped import path

FILE = "agent/meshscope.service.js"


@meshscope.command("helper")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it to.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def helper_command(*, output: Path | None, force: bool) -> None:
    """Print the helper service for MoleculerJS nodes, or write it into a file or a folder.

    Drop it among a node's services; docs/helper.md says more.
    """
    program = path(FILE).read_bytes()
    if output is None:
        click.echo(program, nl=False)
        return
    target = output / Path(FILE).name if output.is_dir() else output
    if target.exists() and not force:
        if target.read_bytes() == program:
            click.echo(f"{target} is there already, and the same", err=True)
            return
        raise SaidNo(f"{target} is there already, and is another one", "Say --force to write over it.")
    try:
        target.write_bytes(program)
    except OSError as error:
        raise SaidNo(f"{target} cannot be written: {error.strerror}") from error
    click.echo(f"{target} written: start the node with MESHSCOPE_SECRET in its environment", err=True)
