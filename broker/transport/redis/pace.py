"""How often a patient reader reads and hands over; the measurements are in docs/performance.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """What is waited for, in seconds and bytes.

    Attributes:
        pause_s: Between two rounds of reading, where Python reads: each wake-up of it costs more than what it reads.
            The kernel may join what it holds for us, up to 17 writes, and keep the last stamp of them, so this is
            also how wrong a stamp can be while we are given a CPU in time. The compiled thread reads at once.
        long_pause_s: After a round that brought `busy_bytes`: by then 17 writes come in hardly more time.
        busy_bytes: See there.
        stamps_a_round: Each read has one stamp, that of its last byte; so a round is read in about so many pieces, as
            the last one was.
        least_bytes: Of a read.
        most_bytes: Of a read; no more than 32 KB.
        most_reads: After so many others get their turn.
        pile_bytes: So much in one round had piled up. The server may have more that the kernel had no room for: we do
            not pause, and what comes within `pile_s` had piled up too.
        pile_s: See there.
        think_every_s: So long what was read waits to be handed over, while there is more of it all the time, and nobody
            lets us catch up: each time Python wakes up for it costs.
        think_bytes: Nor does more than this wait.
        slice_bytes: After so much has been handed over others get their turn in the loop.
        most_waiting_bytes: While so much waits for a loop that is busy its thread does not read: then the kernel's room
            and the server's fill up, as they would without a thread.
    """

    pause_s: float = 0.001
    long_pause_s: float = 0.002
    busy_bytes: int = 1 << 14
    stamps_a_round: int = 6
    least_bytes: int = 1 << 11
    most_bytes: int = 1 << 14
    most_reads: int = 32
    pile_bytes: int = 1 << 16
    pile_s: float = 0.02
    think_every_s: float = 0.15
    think_bytes: int = 1 << 20
    slice_bytes: int = 1 << 18
    most_waiting_bytes: int = 1 << 25
