"""The program's one command with its subcommands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import click

from app import __version__
from app.cli.targets import Target


class WindowOpener(Protocol):
    """Opens the window; handed in, since the command line itself must run without Qt."""

    def __call__(
        self, *, target: Target | None = None, demo: bool = False, show_s: float = 0.0, picture: str = ""
    ) -> int:
        """Show the window until it is closed.

        Args:
            target: The live mesh or the capture to show; None for the start page.
            demo: Start the demo mesh and show that.
            show_s: Close by itself after so many seconds; 0 for never.
            picture: Where to write a PNG of the window before it closes by itself.

        Returns:
            The exit code of the program.
        """
        ...


def _nothing() -> None:
    """All stays as it is."""


@dataclass(frozen=True, slots=True)
class Programs:
    """What commands may start that is not theirs, and what becomes of their process.

    Attributes:
        open_window: Opens the window.
        sit_beside_mesh: Called before a command listens to a live mesh: the process is for nothing else from then on.
    """

    open_window: WindowOpener
    sit_beside_mesh: Callable[[], None] = _nothing


pass_programs = click.make_pass_decorator(Programs)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="meshscope")
@click.pass_context
def meshscope(context: click.Context) -> None:
    """See a live Moleculer mesh from the bus it already talks through.

    Without a command the window opens on its start page.
    """
    if context.invoked_subcommand is None:
        programs = context.ensure_object(Programs)
        context.exit(programs.open_window())
