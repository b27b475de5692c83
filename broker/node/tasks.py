"""What runs beside a broker: its own work, and the handlers of its services."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from broker.node.definitions import ServiceDefinition

_T = TypeVar("_T")


class Tasks:
    """The tasks of one broker; they end with it."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run something beside us."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def handle(self, work: Coroutine[Any, Any, _T], service: ServiceDefinition) -> asyncio.Task[_T]:
        """Run a handler of a service of ours; when the service stops it may end."""
        task = asyncio.get_running_loop().create_task(work)
        service.running.add(task)
        task.add_done_callback(service.running.discard)
        return task

    def adopt(self, service: ServiceDefinition) -> None:
        """A service is gone: what it still runs ends with us."""
        for task in service.running:
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def end(self) -> None:
        """Cancel what still runs, but for who asks, and wait for its end."""
        current = asyncio.current_task()
        tasks = [task for task in self._running if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
