"""The deadlines of all running calls, kept so that a call which ends in time costs next to nothing."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from broker.node.timers import Timer, Timers

SLOT_S: Final = 0.25
"""Deadlines wait in slots of this width; only those still there when their slot begins get a timer of their own."""


class Deadline:
    """Cancels one task when its time is over.

    Attributes:
        began_s: When the time began, on the clock of its keeper.
        at_s: When it is over.
        is_over: Whether it passed while somebody waited.
    """

    __slots__ = ("_cancelling", "_slot", "_task", "_timer", "at_s", "began_s", "is_over")

    def __init__(self, began_s: float, at_s: float, task: asyncio.Task[Any]) -> None:
        self.began_s = began_s
        self.at_s = at_s
        self.is_over = False
        self._task = task
        self._cancelling = task.cancelling()
        self._slot: Slot | None = None
        self._timer: Timer | None = None

    def take_back(self) -> bool:
        """After a cancellation came out: take ours back.

        Returns:
            Whether it was ours alone; if not, somebody else cancelled the task too, and that goes on.
        """
        if not self.is_over:
            return False
        self.is_over = False
        return self._task.uncancel() <= self._cancelling

    def end(self) -> None:
        """Nobody waits any longer."""
        if self._slot is not None:
            self._slot.pop(self, None)
        elif self._timer is not None:
            self._timer.cancel()
        if self.is_over:  # the cancellation was swallowed on its way
            self._task.uncancel()

    def arm(self, timers: Timers, now_s: float) -> None:
        """Leave the slot for a timer of its own."""
        self._slot = None
        self._timer = timers.call_later(self.at_s - now_s, self._pass)

    def wait_in(self, slot: Slot) -> None:
        """Wait until the slot begins."""
        self._slot = slot
        slot[self] = None

    def _pass(self) -> None:
        self._timer = None
        self.is_over = True
        self._task.cancel()


Slot = dict[Deadline, None]
"""Deadlines that wait together; ordered, so that those of the same moment pass in the order in which they began."""


class Deadlines:
    """The deadlines of one broker: a wheel of slots, one loop timer for each slot that is used."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._slots: dict[int, tuple[Slot, Timer]] = {}

    def begin(self, duration_s: float) -> Deadline:
        """A deadline for the current task, from now on.

        Args:
            duration_s: Above 0. The task is cancelled after it, unless ``end`` was called before.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - handlers run in tasks
        now_s = self._timers.now_s()
        deadline = Deadline(now_s, now_s + duration_s, task)
        number = int(deadline.at_s / SLOT_S)
        known = self._slots.get(number)
        if known is not None:
            deadline.wait_in(known[0])
        elif (begins_in_s := number * SLOT_S - now_s) > 0:
            deadline.wait_in(self._open(number, begins_in_s))
        else:
            deadline.arm(self._timers, now_s)
        return deadline

    @property
    def waiting(self) -> int:
        """How many deadlines wait in slots."""
        return sum(len(slot) for slot, _ in self._slots.values())

    def stop(self) -> None:
        """No timer of a slot is left."""
        for _, timer in self._slots.values():
            timer.cancel()
        self._slots.clear()

    def _open(self, number: int, begins_in_s: float) -> Slot:
        slot: Slot = {}
        self._slots[number] = slot, self._timers.call_later(begins_in_s, lambda: self._begin_slot(number))
        return slot

    def _begin_slot(self, number: int) -> None:
        slot, _ = self._slots.pop(number)
        now_s = self._timers.now_s()
        for deadline in slot:
            deadline.arm(self._timers, now_s)
