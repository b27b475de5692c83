"""Others first: between two pieces of our work whoever waits for this processor has it.

Linux lets a process go on for some milliseconds before one that wakes up may have its processor, however nice it
is. Who yields has had its turn: those who wait go on at once. That alone could keep us from going on for seconds while
others want all of every processor; so who is late has its share like everybody else. What goes straight is taken in
by the compiled module, which does the same between its pieces: broker/native/replies.c.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from broker.clock import SECOND

LATE_NS: Final = SECOND // 10
"""What arrived so long ago is late, and must not wait for others besides."""

NEVER_NS: Final = 2**62
"""As the moment at which what arrived is late now: everything is."""


def let_others_first(age_ns: int) -> None:
    """Give the processor to whoever waits for it. Windows lets those with a higher priority go first by itself.

    Args:
        age_ns: How long ago arrived what was taken in last; nothing happens if that is late.
    """
    if sys.platform != "win32" and age_ns < LATE_NS:
        os.sched_yield()
