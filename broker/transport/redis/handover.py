"""What all patient readers are: they hand over in bulk what they read."""

from __future__ import annotations

import asyncio
import math
import sys
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from broker.clock import Clock
from broker.transport.redis.pace import Pace
from broker.transport.redis.reading import Arrived

ALL: Final = sys.maxsize
"""More bytes than there are."""

Taken = Callable[["Unread"], None]
"""Takes what arrived, at least one piece."""

Ended = Callable[[OSError | None], None]
"""Told once that no more can be read: the error, or None when the other side hung up."""


class Unread(Iterator[Arrived]):
    """What was read and not taken yet, the oldest first. Who takes some of it may close the reader, or let it catch up.

    Attributes:
        pieces: All of it; what is left of a piece may be put back.
        most_bytes: How much may still be taken now.
    """

    def __init__(self) -> None:
        self.pieces: deque[Arrived] = deque()
        self.most_bytes = 0

    def __next__(self) -> Arrived:
        """Take a piece."""
        if not self.pieces or self.most_bytes <= 0:
            raise StopIteration
        piece = self.pieces.popleft()
        self.most_bytes -= len(piece[1])
        return piece


class PatientReader(ABC):
    """Reads a connection that asyncio made; its transport goes on writing, and closes it."""

    def __init__(self, clock: Clock, taken: Taken, ended: Ended, pace: Pace) -> None:
        """Read nothing yet.

        Args:
            clock: Stamps what arrives.
            taken: Given what arrives. It may close us, or let us catch up.
            ended: Told that it is over.
            pace: How often to read and to hand over.
        """
        self._loop = asyncio.get_running_loop()
        self._clock: Final = clock
        self._taken: Final = taken
        self._ended: Final = ended
        self._pace: Final = pace
        self._unread: Final = Unread()
        self._thought_s = -math.inf

    @abstractmethod
    def hurry(self, is_hurried: bool) -> None:
        """Read and hand over at once from now on, whatever it costs; or patiently again."""

    @abstractmethod
    def catch_up(self) -> None:
        """Hand over what has arrived until now; of a flood, much of it."""

    @abstractmethod
    def close(self) -> None:
        """Read no more."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether it was neither closed nor has ended."""

    def _end(self, error: OSError | None) -> None:
        self._think_of(ALL)
        if self.is_open:
            self.close()
            self._ended(error)

    def _think_of(self, most_bytes: int) -> None:
        unread = self._unread
        if unread.pieces:
            before = unread.most_bytes  # of whoever takes already, and lets us catch up
            unread.most_bytes = most_bytes
            self._taken(unread)
            unread.most_bytes = before
        self._thought_s = self._loop.time()
