"""Who thinks beside a mesh gives way to it."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Final

import psutil

NICENESS: Final = 10
"""A tenth of what others get on a processor that is wanted all the time, and all that they leave."""


def give_way() -> None:
    """Let others go first from now on: in this thread, in those it starts, and on Windows in the whole process.

    On Linux we are a batch as well: we get as much of the processor as before, but do not take it from who has it
    when something comes for us; we wait until it is free, or our share is due, and then take in more at once.
    """
    process = psutil.Process()
    with contextlib.suppress(OSError, psutil.Error):
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(max(NICENESS, process.nice()))  # who is lower already may not rise
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            if os.sched_getscheduler(0) == os.SCHED_OTHER:
                os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
