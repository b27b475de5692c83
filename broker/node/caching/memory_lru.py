"""A cacher in memory with room for so many results: what was not used for longest goes first."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from broker.node.caching.memory import Kept, MemoryCacher

ROOM: Final = 1000


class MemoryLruCacher(MemoryCacher):
    """Keeps the results used last. With a time for all of them, using one begins its time anew, as in MoleculerJS."""

    def __init__(self, *, room: int = ROOM, **options: Any) -> None:
        """Make it.

        Args:
            room: For so many results, MoleculerJS's ``max``.
            options: Those of `MemoryCacher`.
        """
        super().__init__(**options)
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._room = room

    async def get(self, key: str) -> Any:
        """What is kept under a key, or ``missing_response``."""
        with self._broker.tolerance.cache_asked("get"):
            kept = self._kept.get(key)
            now_s = self._timers.now_s()
            if kept is None or (kept.expires_s is not None and kept.expires_s < now_s):
                return self.missing_response
            self._broker.tolerance.cache_found()
            self._kept.move_to_end(key)
            if self.ttl_s and kept.ttl_s:
                kept.expires_s = now_s + kept.ttl_s
            return self._clone(kept.data)

    async def get_with_ttl(self, key: str) -> tuple[Any, float | None]:
        """MoleculerJS does not know the time that is left here, so that nothing is ever stale; neither do we."""
        return await self.get(key), None

    async def keys(self) -> list[str]:
        """All keys under which something is kept, without those whose time is over."""
        now_s = self._timers.now_s()
        return [key for key, kept in self._kept.items() if kept.expires_s is None or kept.expires_s >= now_s]

    def _keep(self, key: str, kept: Kept) -> None:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        if len(self._kept) > self._room:
            self._kept.popitem(last=False)
