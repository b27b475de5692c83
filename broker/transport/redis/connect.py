"""One connection to a Redis server, however it is found, and what its refusals mean."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from redis import exceptions
from redis.asyncio import Connection, RedisCluster, Sentinel, SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError
from redis.backoff import NoBackoff

from broker.transport.base import TransportError
from broker.transport.url import ConnectionSettings

CONNECT_TIMEOUT_S = 5.0


async def open_connection(settings: ConnectionSettings) -> Connection:
    """Connect and log in. The connection speaks RESP2, on which a subscriber cannot publish.

    Raises:
        TransportError: What went wrong, and what to do.
    """
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S * 2):
            host, port = await _find(settings)
            connection = new_connection(settings, host, port)
            await connection.connect()
    except (exceptions.RedisError, OSError, TimeoutError) as error:
        raise explain(error, settings) from error
    return connection


def new_connection(settings: ConnectionSettings, host: str, port: int) -> Connection:
    """A connection to one server, not yet made."""
    return (SSLConnection if settings.is_tls else Connection)(host=host, port=port, **connection_options(settings))


def connection_options(settings: ConnectionSettings) -> dict[str, Any]:
    """What redis-py wants to know of a connection, whoever makes it."""
    options: dict[str, Any] = {
        "db": settings.database,
        "username": settings.username or None,
        "password": settings.password or None,
        "protocol": 2,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "lib_name": None,
        "lib_version": None,
        "client_name": "meshscope",
    }
    if settings.is_tls and settings.tls_ca:
        options["ssl_ca_certs"] = settings.tls_ca
    return options


async def _find(settings: ConnectionSettings) -> tuple[str, int]:
    if settings.kind == "sentinel":
        options = connection_options(settings) | {"ssl": settings.is_tls}
        sentinel = Sentinel(list(settings.hosts), **options)
        try:
            host, port = await sentinel.discover_master(settings.master)
        finally:
            for client in sentinel.sentinels:
                await client.aclose()
        return str(host), int(port)
    if settings.kind == "cluster":
        return await _cluster_node(settings)
    return settings.host, settings.port


async def _cluster_node(settings: ConnectionSettings) -> tuple[str, int]:
    """The first of the known nodes that answers: the cluster's bus forwards what is published to every one."""
    failure: Exception = OSError("no cluster node was named")
    for host, port in settings.hosts:
        connection = new_connection(settings, host, port)
        try:
            await connection.connect()
        except (exceptions.RedisError, OSError, TimeoutError) as error:
            failure = error
            continue
        await connection.disconnect()
        return host, port
    raise failure


def open_cluster(settings: ConnectionSettings) -> RedisCluster:
    """A client that knows all nodes of a cluster."""
    options = connection_options(settings)
    for unknown in ("db", "retry", "lib_name", "lib_version"):
        options.pop(unknown)
    return RedisCluster(host=settings.host, port=settings.port, ssl=settings.is_tls, **options)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def explain(error: BaseException, settings: ConnectionSettings) -> TransportError:
    """Say what a refusal means and what to do; never with a password in it."""
    where = settings.redacted
    causes = list(_causes(error))
    text = " ".join(str(cause) for cause in causes)

    def is_any(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if is_any(ssl.SSLCertVerificationError):
        reason = next(c.verify_message for c in causes if isinstance(c, ssl.SSLCertVerificationError))
        return TransportError(
            f"{where} showed a certificate that is not trusted: {reason}.",
            "Name the authority that signed it (TLS CA file), or mend the server's certificate.",
            retriable=False,
        )
    if is_any(ssl.SSLError) or (settings.is_tls and is_any(ConnectionResetError, asyncio.IncompleteReadError)):
        return TransportError(
            f"{where} does not speak TLS on this port, or refused ours.",
            "Is it a plain server? Then use redis:// instead of rediss://. Does it ask for a client certificate?",
            retriable=False,
        )
    if is_any(exceptions.AuthenticationError) or "WRONGPASS" in text or "NOAUTH" in text:
        given = "the password" if settings.password else "a connection without password"
        return TransportError(
            f"{where} refused {given}.", "Check user and password, and the server's ACL.", retriable=False
        )
    if "NOPERM" in text:
        return TransportError(
            f"{where}: this user may not do that: {_last(text)}",
            "Ask for +psubscribe and the channels &MOL*.",
            retriable=False,
        )
    if is_any(exceptions.BusyLoadingError) or "LOADING" in text:
        return TransportError(f"{where} is loading its data.", "It will answer when it is done.")
    if is_any(socket.gaierror):
        return TransportError(
            f"The host of {where} is unknown.", "Check its spelling, and that its name can be resolved here."
        )
    if is_any(MasterNotFoundError):
        return TransportError(
            f"The Sentinels of {where} know no master named '{settings.master}', or none is up.",
            "Check the name with: redis-cli -p 26379 sentinel masters",
        )
    if is_any(ConnectionRefusedError) or "111" in text:
        return TransportError(f"Cannot reach {where}: connection refused.", "Is the server running, on this port?")
    if is_any(TimeoutError, exceptions.TimeoutError):
        return TransportError(
            f"{where} did not answer in {CONNECT_TIMEOUT_S:.0f} s.", "Is a firewall between us, or the server frozen?"
        )
    if is_any(exceptions.ConnectionError, OSError) and ("closed" in text.lower() or "reset" in text.lower()):
        return TransportError(
            f"{where} closed the connection while we were being let in.",
            "Does it want TLS (rediss://)? Has it too many clients (maxclients)?",
        )
    return TransportError(f"Cannot use {where}: {_last(text)}", "See the server's log.")


def _last(text: str) -> str:
    return text.strip()[:200] or "no reason given"
