"""Who thinks beside a mesh gives way to it."""

from __future__ import annotations

import contextlib
import sys
from typing import Final

import psutil

NICENESS: Final = 10
"""A tenth of what others get on a processor that is wanted all the time, and all that they leave."""


def give_way() -> None:
    """Let others go first from now on: in this thread, in those it starts, and on Windows in the whole process."""
    process = psutil.Process()
    with contextlib.suppress(OSError, psutil.Error):
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(max(NICENESS, process.nice()))  # who is lower already may not rise
