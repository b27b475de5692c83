"""What a cacher is: where results are kept, for how long, and under which keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from broker.node.caching.keys import key_015
from broker.node.caching.options import CacheOptions, Keygen
from broker.node.context import ABSENT, Context

if TYPE_CHECKING:
    from broker.node.broker import Broker

Unlock = Callable[[], Awaitable[None]]
"""Gives a lock to the next."""


class Cacher(ABC):
    """One broker's cache. Another kind is another file: it overrides what is abstract here.

    Attributes:
        ttl_s: How long results are kept whose action does not say; None for ever.
        missing_response: What ``get`` gives when there is nothing. With None, results that are None are
            not kept, as MoleculerJS 0.14 does.
        prefix: Begins every key in a store that others use too.
        is_connected: Whether it can be asked; while not, every call is made.
    """

    def __init__(
        self,
        *,
        ttl_s: float | None = None,
        keygen: Keygen | None = None,
        max_params_length: int | None = None,
        missing_response: Any = ABSENT,
        prefix: str | None = None,
    ) -> None:
        """Make it; a broker begins it.

        Args:
            ttl_s: See there.
            keygen: Makes all keys instead of ``key_015``; an action's own comes first.
            max_params_length: Keys whose params are longer end in a hash; at least 44.
            missing_response: See there.
            prefix: Instead of the namespace's.
        """
        self.ttl_s = ttl_s
        self.missing_response = missing_response
        self.prefix = f"{prefix}-" if prefix else "MOL-"
        self.is_connected = True
        self._has_own_prefix = bool(prefix)
        self._keygen = keygen
        self._max_params_length = max_params_length

    def begin(self, broker: Broker) -> None:
        """Belong to a broker; nothing is connected yet."""
        self._timers = broker.timers
        self._broker = broker
        if broker.namespace and not self._has_own_prefix:
            self.prefix = f"MOL-{broker.namespace}-"

    @abstractmethod
    async def start(self) -> None:
        """The broker starts: connect, where there is something to connect to."""

    @abstractmethod
    async def close(self) -> None:
        """The broker has stopped: end timers and connections."""

    @abstractmethod
    def transporter_reconnected(self) -> None:
        """The broker was cut off for a while, and may have missed events that ask for cleaning."""

    def key_of(self, action: str, options: CacheOptions, ctx: Context) -> str:
        """The key of a call's result."""
        keygen = options.keygen or self._keygen
        if keygen is not None:
            return keygen(action, options, ctx)
        return key_015(action, options, ctx, self._max_params_length)

    def is_missing(self, data: Any) -> bool:
        """Whether ``get`` meant that there is nothing."""
        missing = self.missing_response
        return data is missing or (isinstance(missing, str | int | float) and data == missing)

    @abstractmethod
    async def get(self, key: str) -> Any:
        """What is kept under a key, or ``missing_response``."""

    @abstractmethod
    async def get_with_ttl(self, key: str) -> tuple[Any, float | None]:
        """What is kept under a key, and how much of its time is left, in seconds; None where that is not known."""

    @abstractmethod
    async def set(self, key: str, data: Any, ttl_s: float | None = None) -> None:
        """Keep something; for ``self.ttl_s`` when nothing is said, and for ever with 0."""

    @abstractmethod
    async def delete(self, *keys: str) -> None:
        """Keep these no longer."""

    @abstractmethod
    async def clean(self, *patterns: str) -> None:
        """Keep nothing whose key matches one of these (``posts.*``, ``posts.**``); nothing at all without any."""

    @abstractmethod
    async def keys(self) -> list[str]:
        """All keys under which something is kept."""

    @abstractmethod
    async def lock(self, key: str, ttl_s: float | None = None) -> Unlock:
        """Wait until nobody else works on a key."""

    @abstractmethod
    async def try_lock(self, key: str, ttl_s: float | None = None) -> Unlock | None:
        """The same without waiting; None when somebody else does."""
