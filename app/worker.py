"""One thread that answers questions, so that the window never waits. No Qt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Job = TypeVar("Job")


class Worker(Generic[Job]):
    """Does one job at a time; a newer job under the same key replaces one that still waits.

    A job that has begun is finished and its answer delivered: under a steady
    stream of replacements an answer would otherwise never come.
    """

    def __init__(self, do: Callable[[Job], None], name: str) -> None:
        self._do = do
        self._waiting: dict[Hashable, Job] = {}
        self._changed = threading.Condition()
        self._is_closing = False
        self._is_busy = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        with self._changed:
            return not self._waiting and not self._is_busy

    def put(self, key: Hashable, job: Job) -> None:
        """Do this after what waits; in the place of what waits under the same key."""
        with self._changed:
            if not self._is_closing:
                self._waiting[key] = job
                self._changed.notify()

    def close(self, timeout_s: float = 5.0) -> None:
        """Forget what waits, finish what runs, end the thread."""
        with self._changed:
            self._is_closing = True
            self._waiting.clear()
            self._changed.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._is_busy = False
                while not self._waiting and not self._is_closing:
                    self._changed.wait()
                if self._is_closing:
                    return
                job = self._waiting.pop(next(iter(self._waiting)))
                self._is_busy = True
            self._do(job)
