"""`python -m bench.bare PORT`: takes everything and throws it away, what any listener must cost.

Asleep at first; signals say when it subscribes and when it no longer does. When it is ready, and at each signal,
it prints how many bytes it has read so far.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from types import FrameType
from typing import Final

SLEEP: Final = signal.SIGUSR1
"""Tells a listener to unsubscribe, so that the server sends it nothing."""

WAKE: Final = signal.SIGUSR2
"""Tells a listener to subscribe again."""

COMMANDS: Final = {SLEEP: b"PUNSUBSCRIBE MOL*\r\n", WAKE: b"PSUBSCRIBE MOL*\r\n"}


def main() -> None:
    """Read until the server hangs up."""
    heard_bytes = 0
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as bus:

        def told(number: int, _frame: FrameType | None) -> None:
            bus.sendall(COMMANDS[signal.Signals(number)])
            tell(heard_bytes)

        for number in COMMANDS:
            signal.signal(number, told)
        tell(heard_bytes)
        buffer = bytearray(1 << 18)
        while read_bytes := bus.recv_into(buffer):
            heard_bytes += read_bytes


def tell(heard_bytes: int) -> None:
    """Print it, without a buffer: a signal may come while another is obeyed."""
    os.write(1, b"%d\n" % heard_bytes)


if __name__ == "__main__":
    main()
