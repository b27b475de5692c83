"""What an action says of the caching of its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from broker.node.context import Context

Keygen = Callable[[str, "CacheOptions", Context], str]
"""(full name of the action, its options, the call) to the key of the call's result"""


@dataclass(frozen=True, slots=True)
class CacheLock:
    """Whether only one call at a time works on the same key.

    Attributes:
        enabled: Whether at all.
        ttl_s: How long a lock may be held, where a cacher can enforce it.
        stale_s: A result with less left to live than this is still answered, and made anew beside.
    """

    enabled: bool = True
    ttl_s: float | None = None
    stale_s: float | None = None


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """Whether and how the results of one action are kept.

    Attributes:
        enabled: Whether at all; may be asked for each call.
        keys: Paths into the params (``user.id``, ``rows[0]``), with ``#`` into meta and with ``@`` into headers,
            whose values tell results apart; None for all params.
        ttl_s: How long a result is kept; None as the cacher says, 0 for ever.
        lock: See there.
        keygen: Makes the key instead of the cacher.
    """

    enabled: bool | Callable[[Context], bool] = True
    keys: tuple[str, ...] | None = None
    ttl_s: float | None = None
    lock: CacheLock = CacheLock(enabled=False)
    keygen: Keygen | None = None

    @classmethod
    def of(cls, said: object) -> Self:
        """What an action's ``cache`` means: True, options, or a mapping with Moleculer's names or ours."""
        if isinstance(said, cls):
            return said
        if not isinstance(said, Mapping):
            return cls(enabled=bool(said))
        enabled, keys = said.get("enabled", True), said.get("keys")
        return cls(
            enabled=enabled if callable(enabled) else enabled is not False,
            keys=None if keys is None else tuple(map(str, keys)),
            ttl_s=said.get("ttl_s", said.get("ttl")),
            lock=_lock(said.get("lock")),
            keygen=said.get("keygen"),
        )

    def to_wire(self) -> dict[str, Any]:
        """As an action publishes it in INFO: functions vanish."""
        wire: dict[str, Any] = {}
        if self.enabled is False:
            wire["enabled"] = False
        if self.keys is not None:
            wire["keys"] = list(self.keys)
        if self.ttl_s is not None:
            wire["ttl"] = self.ttl_s
        if self.lock.enabled:
            lock = {"enabled": True, "ttl": self.lock.ttl_s, "staleTime": self.lock.stale_s}
            wire["lock"] = {key: value for key, value in lock.items() if value is not None}
        return wire


def _lock(said: object) -> CacheLock:
    if isinstance(said, CacheLock):
        return said
    if not isinstance(said, Mapping):
        return CacheLock(enabled=bool(said))
    return CacheLock(
        enabled=said.get("enabled") is not False,
        ttl_s=said.get("ttl_s", said.get("ttl")),
        stale_s=said.get("stale_s", said.get("staleTime")),
    )
