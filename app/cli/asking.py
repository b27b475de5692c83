"""Questions on a terminal, asked without holding up the session that listens meanwhile."""

from __future__ import annotations

import asyncio
import os
import sys

import click

if sys.platform == "win32":
    import msvcrt

    def _forget_typed() -> None:
        """What was typed before a question is no answer to it."""
        while msvcrt.kbhit():
            msvcrt.getwch()
else:
    import termios

    def _forget_typed() -> None:
        """What was typed before a question is no answer to it."""
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def can_ask() -> bool:
    """Whether somebody sits there: questions go to standard error, answers come from standard input."""
    return sys.stdin.isatty() and sys.stderr.isatty()


async def ask_yes(question: str) -> bool:
    """Whether somebody says yes to a question; anything else is a no."""
    answer = await _line(f"{question} [y/N] ")
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


def told_typed(typed: str) -> str:
    """What was typed, in words."""
    return f"'{typed}' was typed" if typed else "Nothing was typed"


async def _line(question: str) -> str:
    """A line that is typed after the question was seen; a terminal that ends answers nothing."""
    _forget_typed()
    click.echo(question, err=True, nl=False)
    answer = await _typed()
    if not answer.endswith("\n"):
        click.echo("", err=True)  # it ended in the middle of the line
    return answer


async def _typed() -> str:
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
