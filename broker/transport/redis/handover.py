"""What all patient readers are: they hand over in bulk what they read."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from broker.clock import Clock
from broker.transport.redis.pace import Pace
from broker.transport.redis.reading import Arrived

Taken = Callable[[Iterable[Arrived]], None]
"""Takes what arrived, at least one piece, oldest first."""

Ended = Callable[[OSError | None], None]
"""Told once that no more can be read: the error, or None when the other side hung up."""


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
        self._unread: deque[Arrived] = deque()
        self._unread_bytes = 0
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
        self._think_of(self._unread_bytes)
        if self.is_open:
            self.close()
            self._ended(error)

    def _think_of(self, most_bytes: int) -> None:
        if self._unread:
            self._taken(self._pieces(most_bytes))
        self._thought_s = self._loop.time()

    def _pieces(self, most_bytes: int) -> Iterator[Arrived]:
        """What is unread, one after the other: who takes a piece may close us, or let us catch up."""
        unread = self._unread
        while unread and most_bytes > 0:
            piece = unread.popleft()
            size = len(piece[1])
            self._unread_bytes -= size
            most_bytes -= size
            yield piece
