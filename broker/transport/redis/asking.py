"""Connections that ask: of one server, or of all nodes of a cluster."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from redis import exceptions
from redis.asyncio import Connection, RedisCluster
from redis.asyncio.cluster import ClusterNode

from broker.transport.base import TransportError
from broker.transport.redis.connect import CLIENT_NAME, FAILURES, open_connection, options
from broker.transport.redis.refusals import explain
from broker.transport.url import ConnectionSettings

AT_ONCE: Final = 500
"""Keys asked for in one command."""


class Asking(Protocol):
    """Asks, and gives what was answered."""

    async def ask(self, *command: str) -> list[Any]:
        """What each server answers; one answer, but of a cluster one for each node.

        Raises:
            TransportError: No answer, or an error.
        """
        ...

    async def values(self, names: list[bytes]) -> list[bytes | None]:
        """The values of keys, in their order; None for what is gone or no string."""
        ...

    async def names(self, pattern: str) -> list[bytes]:
        """Names of keys that match a glob pattern, each once."""
        ...

    async def tell(self, commands: Sequence[Sequence[str | bytes]]) -> None:
        """Have commands done that change keys; on one server at one moment.

        Raises:
            TransportError: No answer, or an error.
        """
        ...

    async def close(self) -> None:
        """End all connections."""
        ...


class AskingOne:
    """Asks one server, on one connection, one question after the other."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    async def ask(self, *command: str) -> list[Any]:
        """What the server answers, in a list of one."""
        return [await self._ask(*command)]

    async def tell(self, commands: Sequence[Sequence[str | bytes]]) -> None:
        """Have commands done, several in one transaction."""
        if len(commands) == 1:
            await self._ask(*commands[0])
        else:
            await self._ask_all([("MULTI",), *commands, ("EXEC",)])

    async def _ask(self, *command: str | bytes) -> Any:
        return (await self._ask_all([command]))[0]

    async def _ask_all(self, commands: Sequence[Sequence[str | bytes]]) -> list[Any]:
        async with self._turn:
            if self._connection is None or not self._connection.is_connected:
                self._connection = await open_connection(self._settings, with_database=True)
            try:
                for command in commands:
                    await self._connection.send_command(*command)
                return [await self._connection.read_response() for _ in commands]
            except FAILURES as error:
                if not isinstance(error, exceptions.ResponseError) or len(commands) > 1:
                    await self._end()
                raise explain(error, self._settings) from error
            except BaseException:
                await self._end()  # its answer would be taken for the next one's
                raise

    async def names(self, pattern: str) -> list[bytes]:
        """Names of keys, by SCAN, which does not hold up the server as KEYS would."""
        found: dict[bytes, None] = {}
        cursor: bytes | int = 0
        while True:
            cursor, batch = await self._ask("SCAN", str(int(cursor)), "MATCH", pattern, "COUNT", str(AT_ONCE))
            found.update(dict.fromkeys(batch))
            if int(cursor) == 0:
                return list(found)

    async def values(self, names: list[bytes]) -> list[bytes | None]:
        """Values, by MGET."""
        found: list[bytes | None] = []
        for begin in range(0, len(names), AT_ONCE):
            found += await self._ask("MGET", *names[begin : begin + AT_ONCE])
        return found

    async def close(self) -> None:
        """End the connection."""
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


class AskingAll:
    """Asks every node of a cluster: each knows only its own subscribers, each primary only its own keys."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._cluster: RedisCluster | None = None
        self._nodes: dict[str, AskingOne] = {}

    async def _open(self) -> RedisCluster:
        if self._cluster is None:
            self._cluster = RedisCluster(
                startup_nodes=[ClusterNode(host, port) for host, port in self._settings.hosts],
                ssl=self._settings.is_tls,
                client_name=CLIENT_NAME,
                **options(self._settings),
            )
        try:
            await self._cluster.initialize()
        except FAILURES as error:
            await self.close()
            # what the cluster client says of a failure is less than what a plain connection finds out
            connection = await open_connection(self._settings)
            await connection.disconnect(nowait=True)
            raise explain(error, self._settings) from error
        return self._cluster

    def _node(self, node: ClusterNode) -> AskingOne:
        alone = replace(self._settings, hosts=((node.host, int(node.port)),))
        return self._nodes.setdefault(alone.redacted, AskingOne(alone))

    async def ask(self, *command: str) -> list[Any]:
        """What the nodes answer; nodes that are down are left out, as long as one answers."""
        cluster = await self._open()
        answers: list[Any] = []
        failure: TransportError | None = None
        for node in cluster.get_nodes():
            try:
                answers += await self._node(node).ask(*command)
            except TransportError as error:
                if not error.retriable:
                    raise
                failure = error
        if failure is not None:
            await self.close()  # the cluster has changed: find out anew who belongs to it
            if not answers:
                raise failure
        return answers

    async def names(self, pattern: str) -> list[bytes]:
        """Names of keys on all primaries."""
        cluster = await self._open()
        found: dict[bytes, None] = {}
        for node in cluster.get_primaries():
            found.update(dict.fromkeys(await self._node(node).names(pattern)))
        return list(found)

    async def values(self, names: list[bytes]) -> list[bytes | None]:
        """Values, by one MGET for each slot."""
        if not names:
            return []
        cluster = await self._open()
        try:
            return list(await cluster.mget_nonatomic(names))
        except FAILURES as error:
            raise explain(error, self._settings) from error

    async def tell(self, commands: Sequence[Sequence[str | bytes]]) -> None:
        """Have commands done one after the other, each where its key lies."""
        cluster = await self._open()
        try:
            for command in commands:
                await cluster.execute_command(*command)
        except FAILURES as error:
            raise explain(error, self._settings) from error

    async def close(self) -> None:
        """End all connections."""
        nodes, self._nodes = self._nodes, {}
        for node in nodes.values():
            await node.close()
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            with contextlib.suppress(*FAILURES):
                await cluster.aclose()


def asking(settings: ConnectionSettings) -> Asking:
    """Who asks, for these settings; it connects when it is first asked."""
    return AskingAll(settings) if settings.kind == "cluster" else AskingOne(settings)


__all__ = ["Asking", "TransportError", "asking"]
