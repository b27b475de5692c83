"""`meshscope demo`: a demo mesh with its own bus, and the window on it."""

from __future__ import annotations

import os
import sys

import click

from app.cli.group import Programs, meshscope, pass_programs
from broker.demo import run_demo
from broker.demo.demo import DEFAULT_NAMESPACE, DEFAULT_RATE

OFFSCREEN_SHOW_S = 20.0


def has_screen() -> bool:
    """Whether a window can be seen here."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@meshscope.command("demo")
@click.option("--headless", is_flag=True, help="Run the mesh without a window and print its URL.")
@click.option(
    "--show",
    "picture",
    default="",
    metavar="FILE",
    help="Where there is no screen: show the window offscreen for 20 s and write its picture.",
)
@pass_programs
@click.pass_context
def demo_command(context: click.Context, programs: Programs, *, headless: bool, picture: str) -> None:
    """Start a demo mesh (a shop on its own Redis) and open the window on it."""
    if headless:
        context.exit(run_demo(rate=DEFAULT_RATE, namespace=DEFAULT_NAMESPACE, watch_stdin=False))
    if has_screen() or not picture:
        context.exit(programs.open_window(demo=True))
    click.echo(f"There is no screen: showing the window offscreen for {OFFSCREEN_SHOW_S:.0f} s.", err=True)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    context.exit(programs.open_window(demo=True, show_s=OFFSCREEN_SHOW_S, picture=picture))
