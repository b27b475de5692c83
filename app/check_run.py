"""Checks a connection in a thread of its own, telling each step as it begins and each finding as it is known."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from broker.clock import SystemClock
from broker.transport.base import CheckResult
from broker.transport.reach import Begun
from broker.transport.steps import check_steps
from broker.transport.url import ConnectionSettings

LIMIT_S = 40.0
Steps = AsyncIterator[Begun | CheckResult]
Check = Callable[[ConnectionSettings, Sequence[str] | None], Steps]


def check_live(settings: ConnectionSettings, namespaces: Sequence[str] | None) -> Steps:
    """The check that asks the server."""
    return check_steps(settings, SystemClock(), namespaces)


def with_kept_password(check: Check, read: Callable[[], str]) -> Check:
    """A check that first gets the password from the key store, which may ask the user something.

    Args:
        check: What asks the server then.
        read: Gives the password; runs in a thread.
    """

    async def steps(settings: ConnectionSettings, namespaces: Sequence[str] | None) -> Steps:
        yield Begun("login", "asking the key store for the password")
        password = await asyncio.to_thread(read)
        async for step in check(replace(settings, password=password), namespaces):
            yield step

    return steps


class Finding(NamedTuple):
    """A finding, and how long it took to find."""

    result: CheckResult
    took_s: float


class CheckRun(QObject):
    """One check. What it tells comes on the GUI thread."""

    begun = Signal(object)
    """A Begun: what is being done now."""
    found = Signal(object)
    """A Finding."""
    ended = Signal()

    def __init__(
        self, check: Check, settings: ConnectionSettings, namespaces: Sequence[str] | None, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._check, self._settings, self._namespaces = check, settings, namespaces
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._since_s = 0.0
        self._thread = threading.Thread(target=self._run, name="connection check", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self, wait_s: float = 0.0) -> None:
        """End early; nothing is told afterwards."""
        self.blockSignals(True)
        loop, task = self._loop, self._task
        if loop is not None and task is not None and not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)
        if wait_s and self._thread.is_alive():
            self._thread.join(wait_s)

    def _run(self) -> None:
        try:
            asyncio.run(self._ask())
        except asyncio.CancelledError:
            return
        if isValid(self):
            self.ended.emit()

    async def _ask(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._since_s = perf_counter()
        try:
            async with asyncio.timeout(LIMIT_S):
                async for step in self._check(self._settings, self._namespaces):
                    self._tell(step)
        except TimeoutError:
            self._tell(CheckResult("time", False, f"not done in {LIMIT_S:.0f} s", "Is a firewall in between?"))
        except OSError as error:
            self._tell(CheckResult("connection", False, str(error), "Is the server running and reachable from here?"))

    def _tell(self, step: Begun | CheckResult) -> None:
        if not isValid(self):
            return
        now_s = perf_counter()
        if isinstance(step, CheckResult):
            self.found.emit(Finding(step, now_s - self._since_s))
        else:
            self.begun.emit(step)
        self._since_s = now_s
