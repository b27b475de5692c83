"""Starts threads and processes with the priority that this process has, whoever asks for them.

Who lives on what others leave (`broker/probe/leftovers.py`) hands that down to
all it starts, and on Linux nobody gets rid of it without privileges. So it
lets another thread start them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Starter = Callable[[Callable[[], Any]], Any]
"""Calls what it is given in a thread of this process's priority, waits for it, and gives back what comes of it."""

_mine = threading.local()


def start_by(starter: Starter) -> None:
    """From now on, what this thread starts by `start` is started by another."""
    _mine.starter = starter


def start(begin: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call what starts a thread or a process, such as `Thread.start`; in this thread, or in one of ordinary priority.

    Returns:
        What it gives.

    Raises:
        Exception: What it raises.
    """
    starter: Starter | None = getattr(_mine, "starter", None)
    if starter is None:
        return begin(*args, **kwargs)
    given: T = starter(lambda: begin(*args, **kwargs))
    return given


def pass_on(is_passing_on: bool) -> None:
    """This thread is about to pass its work on to one that gets more of the processors; or no longer."""
    _mine.is_passing_on = is_passing_on


def is_passing_on() -> bool:
    """Whether this thread is about to pass its work on: what takes long should wait for the other one."""
    return getattr(_mine, "is_passing_on", False)


class Pool(ThreadPoolExecutor):
    """Threads of ordinary priority, whoever gives them work."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As its parent does: which may start a thread."""
        return start(super().submit, fn, *args, **kwargs)
