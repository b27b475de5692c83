"""One connection to a Redis server, however it is found. redis-py makes it; it speaks RESP2."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any, Final

from redis import exceptions
from redis.asyncio import Connection, Sentinel, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from broker.transport.base import TransportError
from broker.transport.redis.refusals import CONNECT_S, PlainServerError, TlsServerError, explain
from broker.transport.url import ConnectionSettings, host_text

CLIENT_NAME: Final = "meshscope"
LONG_GREETING_S: Final = 1.0
FAILURES: Final = (exceptions.RedisError, exceptions.RedisClusterException, OSError, TimeoutError, ValueError)
"""What redis-py raises when a connection cannot be had; ValueError and OSError for TLS files."""


async def open_connection(settings: ConnectionSettings, *, with_database: bool = False) -> Connection:
    """Connect and log in, on RESP2, where the server refuses PUBLISH from a subscriber.

    Args:
        settings: Where. Of a cluster the first node that answers: its bus
            forwards what is published on any node to every other.
        with_database: Select the URL's database; channels are the same in all.

    Raises:
        TransportError: What went wrong, and what to do.
    """
    places, about = await _places(settings)
    for host, port in places[:-1]:
        with contextlib.suppress(TransportError):
            return await _open(settings, host, port, about, with_database)
    return await _open(settings, *places[-1], about, with_database)


def options(settings: ConnectionSettings) -> dict[str, Any]:
    """What redis-py wants to know of a connection, whoever makes it."""
    wanted: dict[str, Any] = {
        "username": settings.username or None,
        "password": settings.password or None,
        "protocol": 2,
        "socket_connect_timeout": CONNECT_S,
        "socket_timeout": CONNECT_S,
        "socket_keepalive": True,
    }
    return wanted | tls_options(settings)


def tls_options(settings: ConnectionSettings) -> dict[str, Any]:
    """What redis-py wants to know of TLS."""
    files = {"ssl_ca_certs": settings.tls_ca, "ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key}
    return {name: file for name, file in files.items() if file} if settings.is_tls else {}


async def _places(settings: ConnectionSettings) -> tuple[tuple[tuple[str, int], ...], str]:
    """Where to try, and how to speak of it."""
    if settings.kind != "sentinel":
        return settings.hosts, settings.redacted
    plain = {
        "username": settings.sentinel_username or None,
        "password": settings.sentinel_password or None,
        "protocol": 2,
        "socket_connect_timeout": CONNECT_S,
        "socket_timeout": CONNECT_S,
        "retry": Retry(NoBackoff(), 0),
        "ssl": settings.is_tls,
    }
    sentinel = Sentinel(list(settings.hosts), sentinel_kwargs=plain | tls_options(settings))
    try:
        host, port = await sentinel.discover_master(settings.master)
    except FAILURES as error:
        raise explain(error, settings) from error
    finally:
        await sentinel.aclose()
    return ((str(host), int(port)),), f"{settings.redacted} (master at {host_text(str(host), int(port))})"


async def _open(settings: ConnectionSettings, host: str, port: int, about: str, with_database: bool) -> Connection:
    kind = SSLConnection if settings.is_tls else Connection
    wanted = options(settings) | {"retry": Retry(NoBackoff(), 0), "driver_info": None}
    connection = kind(host=host, port=port, db=settings.database if with_database else 0, **wanted)
    try:
        await _connect(connection, settings, host, port)
        await connection.send_command("CLIENT", "SETNAME", CLIENT_NAME)
        # whoever may not name itself is let in all the same; whoever must log in first hears of it here
        with contextlib.suppress(exceptions.ResponseError):
            await connection.read_response()
    except FAILURES as error:
        await connection.disconnect(nowait=True)
        raise explain(await _look_closer(error, settings, host, port), settings, about) from error
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    return connection


async def _connect(connection: Connection, settings: ConnectionSettings, host: str, port: int) -> None:
    """Connect; of a plain server that waits for more of our TLS greeting it is found out what it is."""
    if not settings.is_tls:
        await connection.connect()
        return
    connecting = asyncio.create_task(connection.connect(), name="redis TLS")
    try:
        done, _ = await asyncio.wait([connecting], timeout=LONG_GREETING_S)
        if not done:
            is_plain = False
            with contextlib.suppress(OSError, TimeoutError):
                is_plain = await _answers_plainly(host, port)
            if is_plain:
                raise PlainServerError
        await connecting
    finally:
        if not connecting.done():
            connecting.cancel()
            await asyncio.wait([connecting])


async def _look_closer(error: BaseException, settings: ConnectionSettings, host: str, port: int) -> BaseException:
    """A server that speaks TLS while we do not, or the other way, hangs or hangs up: find out which it is."""
    unclear = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.InvalidResponse, OSError)
    known = (exceptions.AuthenticationError, exceptions.BusyLoadingError, PlainServerError)
    is_known = isinstance(error, known) or isinstance(
        error.__context__, (ConnectionRefusedError, ssl.SSLCertVerificationError)
    )
    if not isinstance(error, unclear) or is_known:
        return error
    with contextlib.suppress(OSError, TimeoutError):
        if settings.is_tls and await _answers_plainly(host, port):
            return PlainServerError()
        if not settings.is_tls and await _answers_tls(host, port):
            return TlsServerError()
    return error


async def _answers_plainly(host: str, port: int) -> bool:
    async with asyncio.timeout(1.0):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(b"PING\r\n")
            return (await reader.read(1)) in {b"+", b"-"}
        finally:
            writer.transport.abort()


async def _answers_tls(host: str, port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is said on this connection; it only answers whether TLS is spoken
    try:
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLError as error:
        return "certificate" in str(error).lower()
    writer.transport.abort()
    return True


__all__ = ["CLIENT_NAME", "FAILURES", "TransportError", "open_connection", "options", "tls_options"]
