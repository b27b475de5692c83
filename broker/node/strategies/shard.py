"""The same key always to the same node: MoleculerJS's ring, so that callers of both kinds agree."""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from broker.node.caching.keys import number_text
from broker.node.caching.paths import value_at
from broker.node.context import ABSENT
from broker.node.strategies.base import E, Strategy, number

if TYPE_CHECKING:
    from broker.node.context import Context

_WHOLE: Final = 2**32
"""Of the hash: the first 8 hex digits of an MD5."""


class Shard(Strategy):
    """By ``shardKey``: a path into the params, with ``#`` into meta, or a function of the context.

    Each node stands ``vnodes`` (10) times on a ring of ``ringSize`` (2^32). A
    call without the key goes anywhere. While the key's node cannot be called,
    the next one on the ring takes its place (MoleculerJS refuses the call).
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Take the options; ``cacheSize`` means nothing here, where nothing needs to be cached."""
        super().__init__(options)
        self._shard_key = options.get("shardKey")
        self._vnodes = int(number(options, "vnodes", 10))
        self._ring_size = number(options, "ringSize", 0)
        self._node_ids: list[str] | None = []  # of a ring that is still to be divided
        self._ends: list[float] = []
        self._owners: list[str] = []

    def select(self, endpoints: list[E], ctx: Context | None) -> E:
        """The one on the key's node."""
        key = None if ctx is None else self._key_of(ctx)
        if key is None:
            return super().select(endpoints, ctx)
        if self._node_ids is not None:
            self._divide(self._node_ids)
        by_node: dict[str, E] = {}
        for endpoint in endpoints:
            by_node.setdefault(endpoint.node.id, endpoint)
        first = bisect_left(self._ends, self.hash_of(key))
        for step in range(len(self._owners)):
            found = by_node.get(self._owners[(first + step) % len(self._owners)])
            if found is not None:
                return found
        return super().select(endpoints, ctx)

    def changed(self, endpoints: list[E]) -> None:
        """Divide the ring anew when it is needed next."""
        self._node_ids = [endpoint.node.id for endpoint in endpoints]

    def _divide(self, node_ids: list[str]) -> None:
        self._node_ids = None
        sorted_ids = sorted(node_ids, key=lambda each: each.encode("utf-16-be", "surrogatepass"))
        self._owners = sorted_ids * self._vnodes
        if not self._owners:
            self._ends = []
            return
        size = self._ring_size or _WHOLE
        part = size / len(self._owners)
        self._ends = [math.floor(part * place) for place in range(1, len(self._owners))]
        self._ends.append(size)

    def hash_of(self, key: object) -> float:
        """Where on the ring a key lies."""
        digest = hashlib.md5(_text(key).encode("utf-8", "replace"), usedforsecurity=False).digest()
        place = int.from_bytes(digest[:4], "big")
        return place % self._ring_size if self._ring_size else place

    def _key_of(self, ctx: Context) -> Any:
        shard_key: str | Callable[[Context], Any] | None = self._shard_key
        if not shard_key:
            return None
        if callable(shard_key):
            return shard_key(ctx)
        in_meta = shard_key.startswith("#")
        found = value_at(ctx.meta, shard_key[1:]) if in_meta else value_at(ctx.params, shard_key)
        return None if found is ABSENT else found


def _text(key: object) -> str:
    """As JavaScript writes it."""
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, float):
        return number_text(key)
    if isinstance(key, list | tuple):
        return ",".join("" if each is None else _text(each) for each in key)
    if isinstance(key, Mapping):
        return "[object Object]"
    return str(key)
