"""What is right and wrong with a connection, for `doctor` and the connection form."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from broker.protocol.channels import parse_channel
from broker.transport.base import CheckResult, TransportError
from broker.transport.redis.connect import open_connection
from broker.transport.redis.look import RedisLooker
from broker.transport.redis.tap import patterns
from broker.transport.redis.wire import Refused, Wire
from broker.transport.url import ConnectionSettings

ENOUGH_BUFFER_BYTES: Final = 8 << 20


async def check(settings: ConnectionSettings, namespaces: Sequence[str] | None = None) -> list[CheckResult]:
    """Check a connection: reachable, let in, may listen, may look, what is there. Publishes nothing.

    Args:
        settings: Where.
        namespaces: What would be listened to; None for all.

    Returns:
        What was found, in this order; only the first when we are not let in.
    """
    return [result async for result in _check(settings, namespaces)]


async def _check(settings: ConnectionSettings, namespaces: Sequence[str] | None) -> AsyncIterator[CheckResult]:
    try:
        wire = Wire(await open_connection(settings))
    except TransportError as error:
        yield CheckResult("connection", False, error.message, error.advice)
        return
    yield CheckResult("connection", True, f"connected to {settings.redacted}{_how(settings)}")
    yield await _may_listen(wire, patterns(namespaces or None))
    looker = RedisLooker(settings)
    try:
        info, result = await _server(looker)
        yield result
        yield await _nodes(looker)
        if limit := info.get("pubsub_output_buffer_limit"):
            yield _buffer(str(limit))
    finally:
        await looker.close()


def _how(settings: ConnectionSettings) -> str:
    how = [
        "with TLS" if settings.is_tls else "",
        f"as '{settings.username}'" if settings.username else "with the password" if settings.password else "",
    ]
    return "".join(f", {part}" for part in how if part)


async def _may_listen(wire: Wire, wanted: Sequence[str]) -> CheckResult:
    what = " ".join(wanted)
    try:
        await wire.subscribe(b"PSUBSCRIBE", [pattern.encode("utf-8", "surrogateescape") for pattern in wanted])
    except (Refused, TransportError) as error:
        advice = "Name the namespaces that it may hear (--namespace), or let its ACL allow +psubscribe and &MOL*."
        return CheckResult("listening", False, f"this user may not listen to {what}: {error}", advice)
    finally:
        await wire.close()
    return CheckResult("listening", True, f"may listen to {what}")


async def _server(looker: RedisLooker) -> tuple[dict[str, Any], CheckResult]:
    try:
        info = await looker.server_info()
    except TransportError as error:
        return {}, CheckResult("server", True, f"its version is not known: {error.message}", error.advice)
    mode = info.get("redis_mode", "")
    kind = {"cluster": ", a node of a cluster", "sentinel": ", a Sentinel: use redis+sentinel://"}.get(mode, "")
    loading = ", loading its data set" if info.get("loading") == "1" else ""
    text = f"Redis {info.get('redis_version', 'of an unknown version')}{kind}{loading}"
    return info, CheckResult("server", mode != "sentinel", text)


async def _nodes(looker: RedisLooker) -> CheckResult:
    """How many nodes of which namespaces listen."""
    try:
        channels = await looker.channels()
    except TransportError as error:
        return CheckResult("nodes", False, error.message, f"{error.advice} Until then nodes are known when they speak.")
    nodes: dict[str, int] = {}
    for name in channels:
        channel = parse_channel(name.encode("utf-8", "surrogateescape"))
        if channel is not None and channel.command == "REQ":
            nodes[channel.namespace] = nodes.get(channel.namespace, 0) + 1
    if not nodes:
        advice = "Is this the server of the transporter, and are services running?"
        return CheckResult("nodes", True, f"no node listens here now; {len(channels)} channels of Moleculer's", advice)
    quoted = {name: f"'{name}'" if name else "the empty one" for name in sorted(nodes)}
    each = ", ".join(f"{nodes[name]} in {text}" for name, text in quoted.items())
    named = "1 namespace" if len(nodes) == 1 else f"{len(nodes)} namespaces"
    text = f"{sum(nodes.values())} nodes on {len(channels)} channels, {named}: {each}"
    return CheckResult("nodes", True, text)


def _buffer(limit: str) -> CheckResult:
    hard = limit.split(maxsplit=1)[0]
    is_enough = not hard.isdecimal() or int(hard) == 0 or int(hard) >= ENOUGH_BUFFER_BYTES
    text = f"a listener is cut off beyond {limit} (bytes at once, bytes lasting, seconds)"
    advice = "Raise client-output-buffer-limit pubsub, for instance to 32mb 8mb 60."
    return CheckResult("output buffer", is_enough, text, "" if is_enough else advice)
