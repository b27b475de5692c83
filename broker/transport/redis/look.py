"""Looking around a Redis server on a connection that has no way to publish."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from redis import exceptions
from redis.asyncio import Redis, RedisCluster

from broker.transport.base import TransportError
from broker.transport.redis.connect import explain, open_cluster, open_connection
from broker.transport.url import ConnectionSettings

SCAN_COUNT = 500


class RedisLooker:
    """PUBSUB CHANNELS, SCAN, MGET, CLIENT LIST and INFO; nothing else."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self.__client: Redis | RedisCluster | None = None

    async def _client(self) -> Redis | RedisCluster:
        if self.__client is None:
            if self._settings.kind == "cluster":
                self.__client = open_cluster(self._settings)
            else:
                connection = await open_connection(self._settings)
                pool_options = {"host": connection.host, "port": connection.port}  # type: ignore[attr-defined]
                await connection.disconnect()
                self.__client = _single(self._settings, **pool_options)
        return self.__client

    async def _ask(self, *command: str) -> list[Any]:
        """What the server (every node, in a cluster) answers, one a node."""
        try:
            client = await self._client()
            if isinstance(client, RedisCluster):
                await client.initialize()
                return [await node.execute_command(*command) for node in client.get_nodes()]
            return [await client.execute_command(*command)]
        except (exceptions.RedisError, OSError) as error:
            raise explain(error, self._settings) from error

    async def channels(self) -> list[str]:
        """Moleculer's channels that somebody listens on.

        Raises:
            TransportError: The user lacks +pubsub, or the server is gone.
        """
        try:
            answers = await self._ask("PUBSUB CHANNELS", "MOL*")
        except TransportError as error:
            if "NOPERM" in str(error.__cause__):
                raise TransportError(
                    f"This user of {self._settings.redacted} may not ask which channels there are.",
                    "Nodes are known when they speak. To know them at once its ACL must allow +pubsub.",
                    retriable=False,
                ) from error
            raise
        names = {_text(name) for answer in answers for name in answer}
        return sorted(names)

    async def keys(self, pattern: str) -> dict[str, bytes]:
        """Keys that match a glob pattern, with their values; what is no string is left out."""
        found: dict[str, bytes] = {}
        try:
            client = await self._client()
            names = [name async for name in _scan(client, pattern)]
            for name in names:
                value = await client.execute_command("GET", name)
                if isinstance(value, bytes):
                    found[_text(name)] = value
        except (exceptions.RedisError, OSError) as error:
            raise explain(error, self._settings) from error
        return found

    async def clients(self) -> list[dict[str, str]]:
        """Subscribed connections of the server, as it describes them."""
        clients: list[dict[str, str]] = []
        for answer in await self._ask("CLIENT LIST", "TYPE", "PUBSUB"):
            clients += answer
        return clients

    async def server_info(self) -> dict[str, Any]:
        """What the server says of itself."""
        return dict((await self._ask("INFO", "server"))[0])

    async def output_buffer_limit(self) -> str:
        """The limit beyond which it cuts off a subscriber; empty when we may not know."""
        try:
            answer = (await self._ask("CONFIG GET", "client-output-buffer-limit"))[0]
        except TransportError:
            return ""
        text = str(answer.get("client-output-buffer-limit", "")) if isinstance(answer, dict) else ""
        return text.partition("pubsub ")[2]

    async def close(self) -> None:
        """End the connection."""
        if self.__client is not None:
            await self.__client.aclose()
            self.__client = None


def _single(settings: ConnectionSettings, host: str, port: int) -> Redis:
    tls: dict[str, Any] = {"ssl": settings.is_tls}
    if settings.is_tls and settings.tls_ca:
        tls["ssl_ca_certs"] = settings.tls_ca
    return Redis(
        host=host,
        port=port,
        db=settings.database,
        username=settings.username or None,
        password=settings.password or None,
        protocol=2,
        max_connections=2,
        client_name="meshscope",
        **tls,
    )


async def _scan(client: Redis | RedisCluster, pattern: str) -> AsyncIterator[bytes]:
    async for name in client.scan_iter(match=pattern, count=SCAN_COUNT):
        yield name


def _text(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
