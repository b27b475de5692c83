"""Checks a connection in a thread of its own, telling each finding as it is known."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from broker.transport.base import CheckResult
from broker.transport.url import ConnectionSettings

LIMIT_S = 30.0
Check = Callable[[ConnectionSettings], Awaitable[list[CheckResult]]]


class CheckRun(QObject):
    """One check. Results come on the GUI thread."""

    found = Signal(object)
    """A CheckResult."""
    ended = Signal()

    def __init__(self, check: Check, settings: ConnectionSettings, parent: QObject) -> None:
        super().__init__(parent)
        self._check, self._settings = check, settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
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
        try:
            async with asyncio.timeout(LIMIT_S):
                for result in await self._check(self._settings):
                    self._tell(result)
        except TimeoutError:
            self._tell(CheckResult("time", False, f"no answer for {LIMIT_S:.0f} s", "Is a firewall in between?"))
        except OSError as error:
            self._tell(CheckResult("connection", False, str(error), "Is the server running and reachable from here?"))

    def _tell(self, result: CheckResult) -> None:
        if isValid(self):
            self.found.emit(result)
