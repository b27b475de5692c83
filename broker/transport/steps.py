"""A connection checked step by step, from the name of its server to the packets that are heard. Publishes nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Final

from broker.clock import Clock
from broker.protocol.channels import parse_channel
from broker.protocol.frame import RawFrame
from broker.transport import check, open_tap
from broker.transport.base import CheckResult, TransportError
from broker.transport.reach import Begun, reach
from broker.transport.url import ConnectionSettings

LISTEN_S: Final = 2.0


class _Ear:
    """Counts what is heard, by namespace."""

    def __init__(self) -> None:
        self.packets: Counter[str] = Counter()

    def feed(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in what arrived together."""
        del at_ns
        for name, _ in frames:
            channel = parse_channel(name) if not name.startswith(b"@") else None
            if channel is not None:
                self.packets[channel.namespace] += 1


async def check_steps(
    settings: ConnectionSettings, clock: Clock, namespaces: Sequence[str] | None = None, *, listen_s: float = LISTEN_S
) -> AsyncIterator[Begun | CheckResult]:
    """Check a connection: each step as it begins where that takes time, and each finding as it is known.

    Args:
        settings: Where.
        clock: For the tap that listens at the end.
        namespaces: What would be listened to; None for all.
        listen_s: How long to listen.
    """
    last = CheckResult("reached", True, "")
    async for step in reach(settings):
        yield step
        last = step if isinstance(step, CheckResult) else last
    if not last.ok:
        return
    yield Begun("login", "logging in, and asking what is allowed")
    results = await check(settings, namespaces)
    for result in results:
        yield result._replace(name="login") if result.name == "connection" else result
    if not all(result.ok for result in results if result.name in ("connection", "listening")):
        return
    yield Begun("heard", f"listening for {listen_s:g} s")
    yield await _heard(settings, clock, namespaces, listen_s)


async def _heard(
    settings: ConnectionSettings, clock: Clock, namespaces: Sequence[str] | None, listen_s: float
) -> CheckResult:
    ear = _Ear()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(listen_s):
                await open_tap(settings, clock, namespaces or None).run(ear)
    except TransportError as error:
        return CheckResult("heard", False, error.message, error.advice)
    if not ear.packets:
        return CheckResult(
            "heard", True, f"no packet in {listen_s:g} s; nodes that are idle speak every 10 s by Moleculer's default"
        )
    named = [(f"'{name}'" if name else "the empty one", count) for name, count in ear.packets.most_common(6)]
    each = ", ".join(f"{count:,} in {name}" for name, count in named)
    spaces = "namespace" if len(ear.packets) == 1 else f"{len(ear.packets)} namespaces"
    return CheckResult("heard", True, f"{ear.packets.total():,} packets in {listen_s:g} s, {spaces}: {each}")
