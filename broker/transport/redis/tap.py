"""The tap: everything that is published under Moleculer's prefix, stamped as it arrives."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Final

from broker.clock import Clock
from broker.protocol.frame import FrameSink
from broker.protocol.runs import RunSink, StraightSink
from broker.transport.base import TransportError, gap_frame
from broker.transport.redis.backoff import Backoff
from broker.transport.redis.connect import open_connection
from broker.transport.redis.wire import Refused, Wire
from broker.transport.url import ConnectionSettings

EVERYTHING: Final = "MOL*"
LOST_ADVICE: Final = "Was it restarted, or this connection killed? What passes until we are back is not seen."
BUFFER_ADVICE: Final = (
    "We were too slow for this traffic. Run the probe where more CPU is free, listen to fewer namespaces, "
    "or raise client-output-buffer-limit pubsub."
)
SILENT_ADVICE: Final = "Is the server frozen, or the network between us down?"


def escape_pattern(text: str) -> str:
    """A name for a pattern in which none of its characters means anything else."""
    return re.sub(r"([*?\[\]\\^])", r"\\\1", text)


def patterns(namespaces: Sequence[str] | None) -> list[str]:
    """What to subscribe to.

    Args:
        namespaces: "" is the empty one; None for all.

    Returns:
        For each namespace the one pattern that an ACL for it allows: it must
        be the same to the letter (protocol, section 2.2).
    """
    if namespaces is None:
        return [EVERYTHING]
    return [f"MOL-{escape_pattern(name)}.*" if name else "MOL.*" for name in dict.fromkeys(namespaces)]


class RedisTap:
    """Listens to everything, and publishes nothing: on RESP2 the server refuses PUBLISH from a subscriber."""

    def __init__(self, settings: ConnectionSettings, clock: Clock, namespaces: Sequence[str] | None = None) -> None:
        """Begin without a connection.

        Args:
            settings: Where the server is.
            clock: Stamps what arrives.
            namespaces: Only these ("" is the empty one); None for all.
        """
        self._settings = settings
        self._clock = clock
        self._patterns = patterns(namespaces or None)
        self._backoff = Backoff()
        self._wire: Wire | None = None
        self._is_hurried = False

    def catch_up(self) -> None:
        """Deliver what has arrived until now."""
        if self._wire is not None:
            self._wire.catch_up()

    def hurry(self, is_hurried: bool) -> None:
        """Deliver at once what arrives, while somebody waits for it; or when that is cheap."""
        self._is_hurried = is_hurried
        if self._wire is not None:
            self._wire.hurry(is_hurried)

    async def run(self, sink: FrameSink) -> None:
        """Listen until cancelled; a lost connection is a gap, mended by itself.

        Raises:
            TransportError: At the first connection, what trying again cannot
                mend: a wrong password, a refused certificate, a forbidden pattern.
        """
        has_heard, in_gap = False, False
        while True:
            try:
                wire = await self._connect()
            except TransportError as error:
                if not (has_heard or error.retriable):
                    raise
                in_gap = True
                await self._wait(sink, error)
                continue
            has_heard = True
            self._backoff.reset()
            try:
                if in_gap:
                    sink.feed(wire.held_since_ns or self._clock.now_ns(), [gap_frame("end")])
                wire.deliver_to(
                    sink.feed,
                    sink.feed_run if isinstance(sink, RunSink) else None,
                    sink if isinstance(sink, StraightSink) else None,
                )
                self._wire = wire
                wire.hurry(self._is_hurried)
                reason = await wire.ended()
            finally:
                await wire.close()
                self._wire = None
            in_gap = True
            text = f"{reason.removesuffix('.')} ({self._settings.redacted})."
            await self._wait(sink, TransportError(text, _advice(reason)))

    async def _wait(self, sink: FrameSink, error: TransportError) -> None:
        wait_s = self._backoff.next_s() if error.retriable else self._backoff.most_s()
        frame = gap_frame("begin", reason=error.message, advice=error.advice, retry_in_s=wait_s)
        sink.feed(self._clock.now_ns(), [frame])
        await asyncio.sleep(wait_s)

    async def _connect(self) -> Wire:
        """Connected and subscribed; what arrives is held.

        Raises:
            TransportError: What went wrong, and what to do.
        """
        wire = Wire(await open_connection(self._settings), self._clock)
        try:
            names = [pattern.encode("utf-8", "surrogateescape") for pattern in self._patterns]
            await wire.subscribe(b"PSUBSCRIBE", names)
        except Refused as refusal:
            await wire.close()
            raise self._forbidden(refusal) from refusal
        except BaseException:
            await wire.close()
            raise
        return wire

    def _forbidden(self, refusal: Refused) -> TransportError:
        where, wanted = self._settings.redacted, " ".join(self._patterns)
        if "NOPERM" not in str(refusal):
            return TransportError(f"{where} does not let us listen to {wanted}: {refusal}.", "See the server's log.")
        if "command" in str(refusal):
            advice = "Let its ACL allow +psubscribe."
        elif self._patterns == [EVERYTHING]:
            advice = "Name the namespaces that it may hear (--namespace, - for the empty one), or allow it &MOL*."
        else:
            advice = f"Let its ACL allow exactly these patterns: {' '.join(f'&{each}' for each in self._patterns)}"
        return TransportError(f"{self._settings.who} of {where} may not listen to {wanted}.", advice, retriable=False)


def _advice(reason: str) -> str:
    if "output buffer" in reason:
        return BUFFER_ADVICE
    return SILENT_ADVICE if "no sign of life" in reason else LOST_ADVICE
