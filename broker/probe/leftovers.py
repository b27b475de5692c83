"""A loop that lives on what others leave of the processors, while that is enough.

The mesh may run on this machine, and its processes want a processor for 20 µs
twenty thousand times a second. A thread of low priority that has one at such a
moment keeps it for a while all the same, and who has just woken up is sent to
the queue of another. A thread of Linux's SCHED_IDLE is sent away at once, and
its processor counts as free (sched(7)).

But such a thread gets a three-hundredth of a processor that others want all
the time, and without privileges it cannot become an ordinary one again. So
there are two threads, and the loop moves to the other one when it is late.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Final, Protocol, TypeVar

import psutil

from broker import priority

T = TypeVar("T")

LOOK_S: Final = 0.1
LOOKS_A_WINDOW: Final = 10
LATE_S: Final = 0.25
"""So late it may be with what it wants to do, on leftovers."""

LEAST_SHARE: Final = 0.02
"""Of a processor. Who takes less disturbs nobody."""

MOST_SHARE: Final = 0.5
"""Who takes more is flooded, and should not fall behind."""

LEAST_IDLE: Final = 0.05
"""Of a processor, of all that there are: where nobody leaves that much, leftovers are not enough."""

RESTS_S: Final = (5.0, 120.0)
"""How long it stays an ordinary thread after it was late, at first and at most; it doubles."""

FORGIVEN_S: Final = 60.0
"""After so long on leftovers without being late, the rest is the first one again."""


class Weighing(Protocol):
    """Decides whether to live on leftovers."""

    def look(self, now_s: float, late_s: float, cpu_s: float, idle_s: float) -> bool:
        """Look how it goes; several times a second.

        Args:
            now_s: The loop's time.
            late_s: How late this look is.
            cpu_s: What this process has taken of all processors so far.
            idle_s: How long they had nothing to do so far, all together.

        Returns:
            Whether leftovers are enough from now on.
        """
        ...


class Leftovers:
    """Leftovers are enough for who takes some of a processor and not much, and is not late."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, float, float]] = deque(maxlen=LOOKS_A_WINDOW + 1)
        self._is_on = False
        self._since_s = 0.0
        self._rest_s = RESTS_S[0]
        self._rests_until_s = 0.0

    def look(self, now_s: float, late_s: float, cpu_s: float, idle_s: float) -> bool:
        """See `Weighing`."""
        self._looks.append((now_s, cpu_s, idle_s))
        if self._is_on and late_s > LATE_S:
            self._rests_until_s = now_s + self._rest_s
            self._rest_s = min(2 * self._rest_s, RESTS_S[1])
        elif self._is_on and now_s - self._since_s > FORGIVEN_S:
            self._rest_s = RESTS_S[0]
        is_on = now_s >= self._rests_until_s and self._is_enough()
        if is_on and not self._is_on:
            self._since_s = now_s
        self._is_on = is_on
        return is_on

    def _is_enough(self) -> bool:
        """Over the last second; not before there was one."""
        if len(self._looks) <= LOOKS_A_WINDOW:
            return False
        (then_s, cpu_before_s, idle_before_s), (now_s, cpu_s, idle_s) = self._looks[0], self._looks[-1]
        share, idle = (cpu_s - cpu_before_s) / (now_s - then_s), (idle_s - idle_before_s) / (now_s - then_s)
        return LEAST_SHARE <= share <= MOST_SHARE and idle >= LEAST_IDLE


def idle_s() -> float:
    """How long all processors together had nothing to do so far."""
    times = psutil.cpu_times()
    return float(times.idle + getattr(times, "iowait", 0.0))


class LeftoverLoop:
    """Runs a loop, in the thread that calls `run` or in one that lives on leftovers."""

    def __init__(
        self, weighing: Weighing, make_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    ) -> None:
        """
        Args:
            weighing: Decides which, once `give_way` was called.
            make_loop: Makes the loop.
        """
        self._weighing = weighing
        self._make_loop = make_loop
        self._is_on = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._turns: queue.SimpleQueue[asyncio.AbstractEventLoop | None] = queue.SimpleQueue()
        self._errands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._failed: BaseException | None = None

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, as `asyncio.run` does.

        Raises:
            BaseException: What the coroutine raises.
        """
        with asyncio.Runner(loop_factory=self._make_loop) as runner:
            loop = self._loop = runner.get_loop()
            loop.set_default_executor(priority.Pool(thread_name_prefix="aside"))
            task = loop.create_task(main)
            task.add_done_callback(lambda _: loop.stop())
            try:
                while not task.done():
                    if self._is_on:
                        self._run_on_leftovers(loop)
                    else:
                        loop.run_forever()
            finally:
                self._turns.put(None)
                if self._thread is not None:
                    self._thread.join()
            return task.result()

    def give_way(self) -> None:
        """Live on leftovers from now on, while that is enough; in the loop. Only Linux can."""
        if self._loop is not None and hasattr(os, "SCHED_IDLE"):
            self._look_at(self._loop.time() + LOOK_S)

    def _look_at(self, due_s: float) -> None:
        assert self._loop is not None  # noqa: S101  give_way has looked
        self._loop.call_at(due_s, self._look, due_s)

    def _look(self, due_s: float) -> None:
        loop = self._loop
        assert loop is not None  # noqa: S101  see above
        now_s = loop.time()
        is_on = self._weighing.look(now_s, now_s - due_s, time.process_time(), idle_s())
        self._look_at(now_s + LOOK_S)
        if is_on != self._is_on:
            self._is_on = is_on
            priority.pass_on(not is_on)
            loop.stop()  # and goes on in the other thread

    def _run_on_leftovers(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the other thread run the loop until it stops, and start meanwhile what it wants to be started."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="leftovers", daemon=True)
            self._thread.start()
        self._turns.put(loop)
        while (errand := self._errands.get()) is not None:
            errand()
        if self._failed is not None:
            raise self._failed

    def _work(self) -> None:
        """The other thread."""
        with contextlib.suppress(OSError):  # a container may forbid it: then this is an ordinary thread, too
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # of this thread
        priority.start_by(self._started)
        while (loop := self._turns.get()) is not None:
            priority.pass_on(False)
            try:
                loop.run_forever()
            except BaseException as error:  # noqa: BLE001  told whoever called `run`
                self._failed = error
            self._errands.put(None)

    def _started(self, begin: Callable[[], Any]) -> Any:
        outcome: Future[Any] = Future()

        def errand() -> None:
            try:
                outcome.set_result(begin())
            except BaseException as error:  # noqa: BLE001  told whoever wants it started
                outcome.set_exception(error)

        self._errands.put(errand)
        return outcome.result()
