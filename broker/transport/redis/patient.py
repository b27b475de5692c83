"""Reads a socket, and hands over in bulk what it read.

A busy mesh sends a few packets with each of ten thousand writes a second. To
think about each at once costs more than to think about it, since everybody
else's work has emptied the processor's caches meanwhile. On Linux the kernel
stamps what arrives, so that stamps do not depend on when we get a CPU. A
compiled thread reads at once what comes; without it, waking up for each write
costs more than to read it, and it is read some hundred times a second.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from broker.clock import Clock
from broker.native import IS_COMPILED
from broker.transport.redis.handover import Ended, PatientReader, Taken
from broker.transport.redis.pace import Pace
from broker.transport.redis.polled import PolledReader
from broker.transport.redis.threaded import ThreadedReader

PACE: Final = Pace()
READER: Final = ThreadedReader if IS_COMPILED else PolledReader


def is_possible(transport: asyncio.Transport) -> bool:
    """Whether a transport can be read in this way: the kernel is Linux, and nothing is encrypted."""
    return sys.platform == "linux" and transport.get_extra_info("sslcontext") is None


def read_patiently(
    transport: asyncio.Transport, clock: Clock, taken: Taken, ended: Ended, pace: Pace = PACE
) -> PatientReader:
    """Begin to read a connection that asyncio made; asyncio reads no more.

    Args:
        transport: See `is_possible`.
        clock: Stamps what arrives: the kernel's stamps are moved to it.
        taken: Given what arrives.
        ended: Told that it is over.
        pace: How often to read and to hand over.

    Raises:
        OSError: Too many files are open, or there can be no more threads.
    """
    return READER(transport, clock, taken, ended, pace)
