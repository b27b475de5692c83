"""How a headless command says no: a message on standard error, and an exit code.

0 done, 1 the mesh or the file said no, 2 wrong usage, 130 Ctrl+C.
"""

from __future__ import annotations

from typing import IO, Any

import click

from broker.operate.log_masks import hidden


class SaidNo(click.ClickException):
    """The mesh, the machine or a file said no: what happened, and what to do about it."""

    exit_code = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it to standard error."""
        click.echo(f"meshscope: {hidden(self.message)}", err=True, file=file)
        if self.advice and self.advice not in self.message:
            click.echo(f"  {hidden(self.advice)}", err=True, file=file)
