"""The tap: everything that is published under Moleculer's prefix, stamped as it arrives."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from broker.clock import Clock
from broker.protocol.frame import FrameSink
from broker.transport.base import TransportError, gap_frame
from broker.transport.redis.backoff import Backoff
from broker.transport.redis.connect import explain, open_connection
from broker.transport.redis.reading import Refused, SubscribedConnection
from broker.transport.url import ConnectionSettings

EVERYTHING = "MOL*"
BUFFER_ADVICE = (
    "We were too slow for this traffic; raise client-output-buffer-limit pubsub, or run the probe on a freer machine."
)


def escape_pattern(text: str) -> str:
    """A name for a pattern in which none of its characters means anything else."""
    return re.sub(r"([*?\[\]\\^])", r"\\\1", text)


def literal_patterns(namespaces: Sequence[str]) -> list[str]:
    """The patterns that an ACL for these namespaces allows: only the literal ones (protocol, section 2.2)."""
    return [f"MOL-{escape_pattern(name)}.*" if name else "MOL.*" for name in namespaces]


class RedisTap:
    """Listens to everything, and publishes nothing: on RESP2 the server refuses PUBLISH from a subscriber."""

    def __init__(self, settings: ConnectionSettings, clock: Clock, namespaces: Sequence[str] | None = None) -> None:
        """Begin without a connection.

        Args:
            settings: Where the server is.
            clock: Stamps what arrives.
            namespaces: Only these; None for all.
        """
        self._settings = settings
        self._clock = clock
        self._namespaces = list(namespaces) if namespaces else None
        self._backoff = Backoff()

    async def run(self, sink: FrameSink) -> None:
        """Listen until cancelled; a lost connection is a gap, mended by itself.

        Raises:
            TransportError: At the first connection, what trying again cannot mend.
        """
        was_connected, in_gap = False, False
        while True:
            try:
                connection = await self._connect()
            except TransportError as error:
                if not was_connected and not error.retriable:
                    raise
                in_gap = True
                await self._wait(sink, error)
                continue
            was_connected = True
            self._backoff.reset()
            if in_gap:
                sink.feed(self._clock.now_ns(), [gap_frame("end")])
            try:
                reason = await connection.read(lambda frames: sink.feed(self._clock.now_ns(), frames))
            finally:
                await connection.close()
            in_gap = True
            advice = (
                BUFFER_ADVICE if "output buffer" in reason else "Was it restarted? What passes meanwhile is lost to us."
            )
            await self._wait(sink, TransportError(f"{self._settings.redacted}: {reason}.", advice))

    async def _wait(self, sink: FrameSink, error: TransportError) -> None:
        wait_s = self._backoff.next_s()
        frame = gap_frame("begin", reason=error.message, advice=error.advice, retry_in_s=wait_s)
        sink.feed(self._clock.now_ns(), [frame])
        await asyncio.sleep(wait_s)

    async def _connect(self) -> SubscribedConnection:
        try:
            return await self._subscribe(
                [EVERYTHING] if self._namespaces is None else literal_patterns(self._namespaces)
            )
        except Refused as refusal:
            if "NOPERM" not in str(refusal):
                raise TransportError(f"{self._settings.redacted} refused to let us listen: {refusal}") from refusal
            raise TransportError(
                f"This user of {self._settings.redacted} may not listen to {EVERYTHING}: {refusal}",
                "Name the namespaces that it may hear (--namespace), or let its ACL allow +psubscribe and &MOL*.",
                retriable=False,
            ) from refusal

    async def _subscribe(self, patterns: Sequence[str]) -> SubscribedConnection:
        connection = SubscribedConnection(await open_connection(self._settings))
        try:
            await connection.subscribe(b"PSUBSCRIBE", *(p.encode("utf-8", "surrogateescape") for p in patterns))
        except OSError as error:
            await connection.close()
            raise explain(error, self._settings) from error
        except BaseException:
            await connection.close()
            raise
        return connection
