"""Commands that take a while: many at once, each ends with one report, each can be given up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from broker.operate.commands import Report
from broker.probe.hands import CannotAct
from broker.probe.reports import GIVEN_UP

log = logging.getLogger(__name__)

Doing = Coroutine[Any, Any, Report]


class Running:
    """The commands that run now, by their number."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Report], int] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, number: int, doing: Doing, name: str) -> asyncio.Task[Report]:
        """Begin one.

        Args:
            number: By which it can be given up; 0 for never.
            doing: Does it; raises CannotAct when it cannot.
            name: For people.
        """
        task = asyncio.get_running_loop().create_task(_reported(doing), name=name)
        self._tasks[task] = number
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        task.add_done_callback(lambda _done: doing.close())  # it never began, if it is given up at once
        return task

    def cancel(self, number: int) -> Report:
        """Give one up; its own report follows."""
        for task, known in self._tasks.items():
            if known == number and number:
                task.cancel()
                return Report("done", "It is given up.")
        return Report("failed", "It is not running any more.")

    async def end(self) -> None:
        """Give all up, and wait for their reports."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _reported(doing: Doing) -> Report:
    try:
        return await doing
    except CannotAct as cannot:
        return cannot.report
    except asyncio.CancelledError:
        return GIVEN_UP
    except Exception as error:
        log.exception("a command ended with an error of this program")
        return Report("failed", f"An error of this program: {error!r}", "Its log says more.")
