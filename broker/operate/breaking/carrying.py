"""Carrying a plan out: one signed call for each target, a few at once, and each only once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from broker.operate.breaking.answers import StepResult, report_of, result_of
from broker.operate.breaking.plan import Plan
from broker.operate.breaking.signing import Signer
from broker.operate.commands import Call, Report

AT_ONCE: Final = 20
"""Calls in flight: a hundred nodes do not answer in the same moment."""


class Carrying:
    """A plan on its way. Whoever sends the calls feeds it with their reports.

    ::

        while (numbered := carrying.next_call(clock.now_ns())) is not None:
            number, call = numbered
            send(call, lambda report: carrying.take(number, report))   # and go on after each

    Attributes:
        plan: What is carried out.
    """

    def __init__(self, plan: Plan, signer: Signer) -> None:
        """
        Args:
            plan: With steps.
            signer: Of the operator.
        """
        self.plan = plan
        self._signer = signer
        self._next = 0
        self._results: dict[int, StepResult] = {}

    @property
    def in_flight(self) -> int:
        """Calls that were given out and not reported yet."""
        return self._next - len(self._results)

    @property
    def is_over(self) -> bool:
        """Whether there is a result for each step."""
        return len(self._results) == len(self.plan.steps)

    def next_call(self, now_ns: int) -> tuple[int, Call] | None:
        """The next call to send, with its number; None while enough are in flight, or when there are no more.

        Args:
            now_ns: The moment by the probe's clock, which is signed; in ns since the epoch.
        """
        if self._next >= len(self.plan.steps) or self.in_flight >= AT_ONCE:
            return None
        number, self._next = self._next, self._next + 1
        return number, self._signer.call(self.plan.steps[number], now_ns)

    def take(self, number: int, report: Report) -> None:
        """What became of a call."""
        self._results.setdefault(number, result_of(self.plan.steps[number], report))

    def stop(self) -> None:
        """Send no more; what was not sent is cancelled."""
        for number in range(self._next, len(self.plan.steps)):
            self.take(number, Report("cancelled", "not sent"))
        self._next = len(self.plan.steps)

    def give_up(self) -> None:
        """Wait for nothing any more: what is in flight is unknown, the rest is not sent."""
        sent = self._next
        self.stop()
        for number in range(sent):
            self.take(number, Report("unknown"))

    def results(self) -> tuple[StepResult, ...]:
        """What is known by now, in the order of the steps."""
        return tuple(self._results[number] for number in sorted(self._results))

    def report(self) -> Report:
        """All results as one report."""
        return report_of(self.results())


async def carry_out(
    carrying: Carrying,
    send: Callable[[Call], Awaitable[Report]],
    now_ns: Callable[[], int],
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Report:
    """Send all calls of a plan, and wait for what becomes of them. Given up (cancelled), it sends no more and reports.

    Args:
        carrying: Of the plan.
        send: Sends one and gives its report.
        now_ns: The probe's clock.
        progress: Told after each: how many are done, of how many.
    """
    total = len(carrying.plan.steps)

    async def work() -> None:
        while (numbered := carrying.next_call(now_ns())) is not None:
            number, call = numbered
            carrying.take(number, await send(call))
            progress(len(carrying.results()), total)
            if (task := asyncio.current_task()) is not None and task.cancelling():
                return  # who sends may end with a report though it is cancelled

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(AT_ONCE, total)):
                tasks.create_task(work(), name="breaker command")
    except asyncio.CancelledError:
        carrying.give_up()
    return carrying.report()
