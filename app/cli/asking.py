"""Questions on a terminal, asked without holding up the session that listens meanwhile."""

from __future__ import annotations

import asyncio
import os
import sys

import click


def can_ask() -> bool:
    """Whether somebody sits there: questions go to standard error, answers come from standard input."""
    return sys.stdin.isatty() and sys.stderr.isatty()


async def ask_yes(name: str, where: str) -> bool:
    """Whether it is to be done.

    Args:
        name: What it is about.
        where: Where it is done.
    """
    answer = await _line(f"Send it to {name} on {where}? [y/N] ")
    return answer.strip().lower() in ("y", "yes")


async def ask_name(name: str, where: str, does: str = "acts on", to: str = "send it") -> str:
    """What was typed.

    Args:
        name: What is to be typed.
        where: Where it is done.
        does: What is done there.
        to: What it is typed for.
    """
    return (await _line(f"This {does} {where}. Type {click.style(name, bold=True)} to {to}: ")).strip()


async def _line(question: str) -> str:
    """A line of the terminal; a terminal that ends answers nothing."""
    click.echo(question, err=True, nl=False)
    if sys.platform == "win32":
        return await asyncio.to_thread(sys.stdin.readline)
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[str] = loop.create_future()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        # a terminal gives whole lines
        if not answered.done():
            answered.set_result(os.read(descriptor, 4096).decode("utf-8", "replace"))

    loop.add_reader(descriptor, read)
    try:
        return await answered
    finally:
        loop.remove_reader(descriptor)
