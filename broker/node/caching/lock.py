"""Locks by name: who comes first, holds first."""

from __future__ import annotations

import asyncio
from collections import deque


class KeyLocks:
    """Any number of locks; those that nobody holds take no memory."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def is_locked(self, key: str) -> bool:
        """Whether somebody holds it."""
        return key in self._waiting

    async def acquire(self, key: str) -> None:
        """Wait until it is ours; ``release`` must follow."""
        waiting = self._waiting.get(key)
        if waiting is None:
            self._waiting[key] = deque()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had just become ours
                self.release(key)
            raise

    def release(self, key: str) -> None:
        """It is the next one's."""
        waiting = self._waiting.get(key)
        while waiting:
            turn = waiting.popleft()
            if not turn.cancelled():
                turn.set_result(None)
                return
        self._waiting.pop(key, None)
