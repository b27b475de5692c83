"""What is right and wrong with a connection, one thing after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from broker.protocol.channels import parse_channel
from broker.transport.base import CheckResult, TransportError
from broker.transport.redis.connect import open_connection
from broker.transport.redis.look import RedisLooker
from broker.transport.redis.reading import Refused, SubscribedConnection
from broker.transport.redis.tap import EVERYTHING
from broker.transport.url import ConnectionSettings

SMALL_BUFFER: Final = 8 << 20


async def check(settings: ConnectionSettings) -> AsyncIterator[CheckResult]:
    """Check a connection, telling each finding as soon as it is known; ends at the first that stops the rest."""
    try:
        connection = await open_connection(settings)
    except TransportError as error:
        yield CheckResult("connection", False, error.message, error.advice)
        return
    yield CheckResult("connection", True, f"connected to {settings.redacted}{' with TLS' if settings.is_tls else ''}")
    yield await _may_listen(SubscribedConnection(connection))
    looker = RedisLooker(settings)
    try:
        async for result in _look(looker):
            yield result
    finally:
        await looker.close()


async def _may_listen(connection: SubscribedConnection) -> CheckResult:
    try:
        await connection.subscribe(b"PSUBSCRIBE", EVERYTHING.encode())
    except (Refused, OSError) as error:
        advice = "Name the namespaces it may hear, or let its ACL allow +psubscribe and &MOL*."
        return CheckResult("listening", False, f"this user may not listen to {EVERYTHING}: {error}", advice)
    finally:
        await connection.close()
    return CheckResult("listening", True, f"may listen to {EVERYTHING}; the server refuses us to publish there")


async def _look(looker: RedisLooker) -> AsyncIterator[CheckResult]:
    try:
        info = await looker.server_info()
        yield CheckResult("server", True, f"Redis {info.get('redis_version', 'of an unknown version')}")
    except TransportError as error:
        yield CheckResult("server", True, f"its version is unknown: {error.message}")
    try:
        channels = await looker.channels()
    except TransportError as error:
        yield CheckResult("nodes", False, error.message, error.advice)
    else:
        yield _nodes(channels)
    limit = await looker.output_buffer_limit()
    if limit:
        hard = limit.split()[0]
        is_enough = not hard.isdecimal() or int(hard) == 0 or int(hard) >= SMALL_BUFFER
        yield CheckResult(
            "output buffer", is_enough, f"a subscriber is cut off beyond {limit} (bytes hard, soft, seconds)",
            "Raise client-output-buffer-limit pubsub, for instance to 32mb 8mb 60.",
        )  # fmt: skip


def _nodes(channels: list[str]) -> CheckResult:
    """How many nodes of how many namespaces listen."""
    nodes: dict[str, int] = {}
    for name in channels:
        channel = parse_channel(name.encode("utf-8", "surrogateescape"))
        if channel is not None and channel.command == "REQ":
            nodes[channel.namespace] = nodes.get(channel.namespace, 0) + 1
    if not nodes:
        return CheckResult(
            "nodes", True, "no Moleculer node listens on this server now",
            "Is it the server of the transporter, and are services running?",
        )  # fmt: skip
    each = ", ".join(
        f"{count} in {'namespace ' + name if name else 'the empty namespace'}" for name, count in nodes.items()
    )
    return CheckResult("nodes", True, f"{sum(nodes.values())} nodes: {each}")
