"""Caching of results: a file for each kind of cacher, found by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from broker.node.caching.base import Cacher
from broker.node.caching.memory import MemoryCacher
from broker.node.caching.memory_lru import MemoryLruCacher

__all__ = ["Cacher", "MemoryCacher", "MemoryLruCacher", "resolve"]

_KINDS: Final[dict[str, Callable[[], Cacher]]] = {"memory": MemoryCacher, "memorylru": MemoryLruCacher}


def resolve(cacher: Cacher | str | bool | None) -> Cacher | None:
    """The cacher that a broker option means.

    Args:
        cacher: One, or the name of a kind in any case; True for one in memory.

    Raises:
        ValueError: There is no such kind; names those that there are.
    """
    if isinstance(cacher, Cacher):
        return cacher
    if not cacher:
        return None
    if cacher is True:
        return MemoryCacher()
    kind = _KINDS.get(cacher.lower())
    if kind is None:
        raise ValueError(f"cacher is {cacher!r}, expected 'Memory', 'MemoryLRU' or a Cacher")
    return kind()
