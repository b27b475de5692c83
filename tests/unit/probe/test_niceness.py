"""The probe gives way to the mesh, in all its threads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

REPORT = """
import os, threading
from broker.probe.niceness import NICENESS, give_way
{before}
give_way()
found = []
def look():
    found.append((os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
look()
thread = threading.Thread(target=look)
thread.start()
thread.join()
print(*(number for pair in found for number in pair))
"""


def reported(before: str = "") -> list[int]:
    """Scheduling policy and niceness of the thread that gave way, and of one that it started."""
    run = subprocess.run(
        [sys.executable, "-c", REPORT.format(before=before)], capture_output=True, text=True, check=True
    )
    return [int(number) for number in run.stdout.split()]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such policies")
def test_it_is_a_batch_behind_others() -> None:
    assert reported() == [os.SCHED_BATCH, 10] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such policies")
def test_who_is_lower_already_stays_there() -> None:
    lower = "os.nice(15); os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))"
    assert reported(lower) == [os.SCHED_IDLE, 15] * 2
