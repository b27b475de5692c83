"""`python -m bench.bare PORT`: takes everything and throws it away, what any listener must cost.

Asleep at first; signals say when it subscribes and when it no longer does. When it is ready, and at each signal,
it prints how many bytes it has read so far.
"""

from __future__ import annotations

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
            print(heard_bytes, flush=True)

        for number in COMMANDS:
            signal.signal(number, told)
        print(heard_bytes, flush=True)
        buffer = bytearray(1 << 18)
        while read_bytes := bus.recv_into(buffer):
            heard_bytes += read_bytes


if __name__ == "__main__":
    main()
