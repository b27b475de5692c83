"""A cacher in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from broker.node.caching.base import Cacher, Unlock
from broker.node.caching.clone import clone
from broker.node.caching.lock import KeyLocks
from broker.node.matching import matches
from broker.node.timers import Repeating

if TYPE_CHECKING:
    from broker.node.broker import Broker

log = logging.getLogger(__name__)

SWEEP_S: Final = 30.0
"""Between two looks for results whose time is over."""


@dataclass(slots=True)
class Kept:
    """One result.

    Attributes:
        data: The result.
        expires_s: When its time is over, on the broker's monotonic clock; None for never.
        ttl_s: How long it may be kept; None for ever.
    """

    data: Any
    expires_s: float | None
    ttl_s: float | None


class MemoryCacher(Cacher):
    """Keeps results in a dictionary, without a limit but their time."""

    def __init__(self, *, clone_with: Callable[[Any], Any] | None = clone, **options: Any) -> None:
        """Make it.

        Args:
            clone_with: Copies results in and out, so that callers cannot change what is kept;
                None hands out the very object, which is faster, and MoleculerJS's default.
            options: Those of every cacher.
        """
        super().__init__(**options)
        self._kept: dict[str, Kept] = {}
        self._locks = KeyLocks()
        self._clone = clone_with or _itself

    def begin(self, broker: Broker) -> None:
        """Belong to a broker."""
        super().begin(broker)
        self._sweep = Repeating(self._timers, SWEEP_S, self._remove_expired)

    async def start(self) -> None:
        """Begin the sweep."""
        self._sweep.start()

    def transporter_reconnected(self) -> None:
        """Keep nothing of before."""
        self._kept.clear()

    async def close(self) -> None:
        """End the sweep."""
        self._sweep.stop()

    async def get(self, key: str) -> Any:
        """What is kept under a key, or ``missing_response``."""
        with self._broker.tolerance.cache_asked("get"):
            kept = self._kept.get(key)
            if kept is None:
                return self.missing_response
            self._broker.tolerance.cache_found()
            if kept.expires_s is not None and kept.expires_s < self._timers.now_s():
                self._broker.tolerance.cache_expired()
                del self._kept[key]
                return self.missing_response
            return self._clone(kept.data)

    async def get_with_ttl(self, key: str) -> tuple[Any, float | None]:
        """As MoleculerJS does: also what is over but not swept yet, and it lives on for the cacher's own time."""
        kept = self._kept.get(key)
        if kept is None:
            return self.missing_response, None
        now_s = self._timers.now_s()
        left_s = kept.expires_s - now_s if kept.expires_s is not None else 0.0
        if self.ttl_s:
            kept.expires_s = now_s + self.ttl_s
        return self._clone(kept.data), left_s if left_s > 0 else None

    async def set(self, key: str, data: Any, ttl_s: float | None = None) -> None:
        """Keep a copy; what cannot be copied is not kept, which is logged."""
        with self._broker.tolerance.cache_asked("set"):
            ttl_s = (self.ttl_s if ttl_s is None else ttl_s) or None
            try:
                copy = self._clone(data)
            except Exception as error:  # noqa: BLE001 - copying runs anybody's code, and the result is good all the same
                log.warning("the result for %s cannot be copied and is not cached: %s", key, error)
                return
            self._keep(key, Kept(copy, self._timers.now_s() + ttl_s if ttl_s else None, ttl_s))

    async def delete(self, *keys: str) -> None:
        """Keep these no longer."""
        with self._broker.tolerance.cache_asked("del"):
            for key in keys:
                self._kept.pop(key, None)

    async def clean(self, *patterns: str) -> None:
        """Keep nothing whose key matches one of these; nothing at all without any."""
        with self._broker.tolerance.cache_asked("clean"):
            wanted = patterns or ("**",)
            for key in [key for key in self._kept if any(matches(key, pattern) for pattern in wanted)]:
                del self._kept[key]

    async def keys(self) -> list[str]:
        """All keys under which something is kept."""
        return list(self._kept)

    async def lock(self, key: str, ttl_s: float | None = None) -> Unlock:  # noqa: ARG002 - held until it is given back
        """Wait until nobody else works on a key."""
        await self._locks.acquire(key)
        return self._unlocking(key)

    async def try_lock(self, key: str, ttl_s: float | None = None) -> Unlock | None:  # noqa: ARG002
        """The same without waiting; None when somebody else does."""
        if self._locks.is_locked(key):
            return None
        await self._locks.acquire(key)
        return self._unlocking(key)

    def _unlocking(self, key: str) -> Unlock:
        async def unlock() -> None:
            self._locks.release(key)

        return unlock

    def _keep(self, key: str, kept: Kept) -> None:
        self._kept[key] = kept

    def _remove_expired(self) -> None:
        now_s = self._timers.now_s()
        for key, kept in list(self._kept.items()):
            if kept.expires_s is not None and kept.expires_s < now_s:
                self._broker.tolerance.cache_expired()
                del self._kept[key]


def _itself(data: Any) -> Any:
    return data
