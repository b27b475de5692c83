"""The rounds in which a patient reader reads. The compiled ReadingThread reads by the same rules."""

from __future__ import annotations

import socket

from broker.transport.redis.pace import Pace
from broker.transport.redis.reading import MORE, Arrived, Reading


class Rounds:
    """Each is read as the one before it suggests.

    Attributes:
        is_behind: Whether there may be more that the kernel had no room for.
        pause_s: How long to rest now.
    """

    def __init__(self, connection: socket.socket, pace: Pace) -> None:
        """Read nothing yet; see `Reading` for what the connection must be."""
        self._reading = Reading(connection, pace.stamps_a_round + 1, pace.most_bytes, pace.most_reads)
        self._pace = pace
        self._piece_bytes = pace.least_bytes
        self._piled_s = -pace.pile_s
        self.is_behind = False
        self.pause_s = pace.pause_s

    def read(self, now_ns: int, ahead_ns: int, passed_s: float) -> tuple[list[Arrived], int, int]:
        """Read what there is, within measure; never wait for it.

        Args:
            now_ns: The moment, in ns since the epoch.
            ahead_ns: What to add to the kernel's stamps.
            passed_s: The time since some moment.

        Returns:
            As `Reading.read`.
        """
        pace = self._pace
        has_waited = self.is_behind or passed_s - self._piled_s < pace.pile_s
        arrived, total, ending = self._reading.read(self._piece_bytes, now_ns, ahead_ns, has_waited)
        self.is_behind = ending == MORE
        if total >= pace.pile_bytes:
            self.is_behind = True
            self._piled_s = passed_s
        self._piece_bytes = min(max(pace.least_bytes, total // pace.stamps_a_round), pace.most_bytes)
        self.pause_s = pace.long_pause_s if total >= pace.busy_bytes else pace.pause_s
        return arrived, total, ending
