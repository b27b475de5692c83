"""Reads a socket with the stamps that Linux gives to what arrives; as much as is there, in one call."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Final

SO_TIMESTAMPNS: Final = 35
_STAMP: Final = struct.Struct("@qq")  # a timespec: s, ns
_NOTE_BYTES: Final = 64

Arrived = tuple[int, bytes, bool]
"""When (ns since the epoch) bytes arrived, the bytes, and whether they were there already when the bytes before them
had been read."""

PIECE_BYTES: Final = 1 << 15
"""What has the same stamp is one piece, but for longer ones."""

DRAINED: Final = 0
"""A round ended because there was nothing more."""
MORE: Final = -1
"""It ended because others should have their turn."""
HUNG_UP: Final = -2
"""The other side did; an error is told by its errno, which is above 0."""


class Reading:
    """Reads a socket a round at a time. A compiled thread does the same."""

    def __init__(self, connection: socket.socket, small_reads: int, most_bytes: int, most_reads: int) -> None:
        """Read nothing yet.

        Args:
            connection: Connected, with SO_TIMESTAMPNS set. Others may close it: that is an error to read then.
            small_reads: After so many reads of a round the others are of `most_bytes`.
            most_bytes: At most PIECE_BYTES.
            most_reads: Of one round.
        """
        self._socket = connection
        self._small_reads = small_reads
        self._most_bytes = most_bytes
        self._most_reads = most_reads
        self._at_ns = 0

    def read(self, size: int, now_ns: int, ahead_ns: int, has_waited: bool) -> tuple[list[Arrived], int, int]:
        """Read what there is, within measure; never wait for it.

        Args:
            size: Of the first reads, in bytes; each has one stamp, that of its last byte.
            now_ns: The moment, in ns since the epoch.
            ahead_ns: What to add to the kernel's stamps.
            has_waited: Whether what is read first was there before.

        Returns:
            What arrived, oldest first, no moment before another, none after now; how many bytes; and how it
            ended: DRAINED, MORE, HUNG_UP or an errno. What is one piece had one stamp, and but for its begin it
            had waited.
        """
        arrived: list[Arrived] = []
        total = 0
        for number in range(self._most_reads):
            try:
                piece, notes, _, _ = self._socket.recvmsg(size, _NOTE_BYTES, socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                return arrived, total, DRAINED
            except OSError as error:
                return arrived, total, error.errno or errno.EIO
            if not piece:
                return arrived, total, HUNG_UP
            at_ns = self._stamp(notes, ahead_ns, now_ns)
            before_ns, before, had_waited = arrived[-1] if arrived else (0, b"", False)
            if at_ns == before_ns and len(before) + len(piece) <= PIECE_BYTES:
                arrived[-1] = (at_ns, before + piece, had_waited)
            else:
                arrived.append((at_ns, piece, has_waited or number > 0))
            total += len(piece)
            if len(piece) < size:
                return arrived, total, DRAINED
            if number + 1 >= self._small_reads:
                size = self._most_bytes  # much has piled up
        return arrived, total, MORE

    def _stamp(self, notes: list[tuple[int, int, bytes]], ahead_ns: int, now_ns: int) -> int:
        at_ns = now_ns
        for level, kind, data in notes:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) == _STAMP.size:
                seconds, ns = _STAMP.unpack(data)
                at_ns = min(at_ns, seconds * 1_000_000_000 + ns + ahead_ns)
        self._at_ns = max(self._at_ns, at_ns)
        return self._at_ns
