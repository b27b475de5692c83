"""Commands that run for a while can be given up at any moment, and each has one report."""

from __future__ import annotations

import asyncio

from broker.operate.commands import Report
from broker.probe.reports import GIVEN_UP, report_of
from broker.probe.running import Running


async def _never() -> Report:
    await asyncio.Event().wait()
    return Report("done")


def test_what_is_given_up_before_its_first_step_has_its_report_too() -> None:
    async def run() -> tuple[Report, Report]:
        running = Running()
        task = running.start(7, _never(), "never")
        told: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        task.add_done_callback(lambda done: told.set_result(report_of(done)))
        return running.cancel(7), await told

    assert asyncio.run(run()) == (Report("done", "It is given up."), GIVEN_UP)
