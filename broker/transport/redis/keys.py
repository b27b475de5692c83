"""Keys that are written and read: what a node keeps for others to find, for the Redis discoverer."""

from __future__ import annotations

from broker.transport.redis.asking import asking
from broker.transport.url import ConnectionSettings


class RedisKeys:
    """SETEX, EXPIRE, DEL, SCAN and MGET. Connects when it is first asked, and again after a failure."""

    def __init__(self, settings: ConnectionSettings) -> None:
        """Begin without a connection."""
        self._asking = asking(settings)

    async def put(self, name: str, value: bytes, ttl_s: float, instead_of: str = "") -> None:
        """Write a key.

        Args:
            name: Its name.
            value: What it holds.
            ttl_s: After so long it is gone.
            instead_of: A key that goes at the same moment.

        Raises:
            TransportError: The server is gone, or says no.
        """
        write: tuple[str | bytes, ...] = ("SETEX", name, str(max(1, round(ttl_s))), value)
        await self._asking.tell([("DEL", instead_of), write] if instead_of else [write])

    async def keep(self, name: str, ttl_s: float) -> None:
        """Let a key live on, if it is still there."""
        await self._asking.tell([("EXPIRE", name, str(round(ttl_s)))])

    async def remove(self, names: list[str]) -> None:
        """Take keys away."""
        for name in names:  # one by one: in a cluster they lie on different nodes
            await self._asking.tell([("DEL", name)])

    async def names(self, pattern: str) -> list[str]:
        """Names of keys that match a glob pattern."""
        return [name.decode("utf-8", "surrogateescape") for name in await self._asking.names(pattern)]

    async def values(self, names: list[str]) -> list[bytes | None]:
        """The values of keys, in their order; None for what is gone."""
        return await self._asking.values([name.encode("utf-8", "surrogateescape") for name in names])

    async def close(self) -> None:
        """End the connection."""
        await self._asking.close()
