"""`meshscope demo`: a demo mesh with its own bus, and the window on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import click

from app.cli.errors import SaidNo
from app.cli.group import Programs, meshscope, pass_programs
from broker.demo import DemoFailed, run_headless

OFFSCREEN_SHOW_S = 20.0


@meshscope.command("demo")
@click.option("--headless", is_flag=True, help="Run the mesh without a window and print its URL.")
@click.option("--show", "picture", default="", metavar="FILE",
              help="Where there is no screen: show the window offscreen for 20 s and write its picture.")
@pass_programs
@click.pass_context
def demo_command(context: click.Context, programs: Programs, *, headless: bool, picture: str) -> None:
    """Start a demo mesh (a shop on its own Redis) and open the window on it."""
