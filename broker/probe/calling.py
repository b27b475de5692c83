"""One call for an operator: sent by a node of ours that nobody knows, waited for, reported in full."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any, Final

from broker.node.context import ABSENT, Context
from broker.node.endpoints import ActionEndpoint
from broker.node.errors import MoleculerError, RequestRejectedError, RequestTimeoutError
from broker.node.streaming import IncomingStream
from broker.observe.announcements import plain
from broker.operate.commands import Answer, Call, Progress, Report
from broker.probe.attempts import NOTES, Notes, NotSentError
from broker.probe.hands import Hands
from broker.probe.json_texts import text_of
from broker.probe.streams import NO_STREAMS, Streams, Take, chunk_bytes
from broker.probe.unannounced import Unannounced
from broker.probe.wanted import Wanted, endpoint_of, read_call
from broker.transport.base import TransportError

TELL_EVERY_S: Final = 0.25
MAY_HAVE_RUN: Final = "It may have been done, and is not sent again by itself."

Refusal = Callable[[], str]
"""Why nothing may be sent any more; empty while it may."""


def _ignore(_: Progress) -> None:
    """Nobody wants to know."""


async def call(
    hands: Hands,
    command: Call,
    refusal: Refusal,
    told: Callable[[Progress], None] = _ignore,
    streams: Streams = NO_STREAMS,
    *,
    is_urgent: bool = True,
) -> Report:
    """Call once, with the retries that are wanted.

    Args:
        hands: Who sends.
        command: What is called.
        refusal: Why nothing may be sent any more; empty while it may.
        told: Told now and then how much of its streams has passed.
        streams: What is sent along, and where a streamed answer goes.
        is_urgent: Whether somebody waits for the answer; others may come a little later.

    Raises:
        CannotAct: Nothing was sent.
    """
    wanted = read_call(command)
    node = await hands.node(command.namespace)
    endpoint = await endpoint_of(hands, node, wanted)
    await hands.is_ready(refusal)
    return await OneCall(hands, node, wanted, endpoint, refusal, told).run(streams, is_urgent=is_urgent)


class OneCall:
    """A call that is being made."""

    def __init__(
        self,
        hands: Hands,
        node: Unannounced,
        wanted: Wanted,
        endpoint: ActionEndpoint | str,
        refusal: Refusal,
        told: Callable[[Progress], None],
    ) -> None:
        self._hands = hands
        self._node = node
        self._wanted = wanted
        self._endpoint = endpoint
        self._notes = Notes(refusal)
        self._refusal = refusal
        self._told = told
        self._told_s = 0.0
        self._sent_bytes = 0
        self._stream_bytes: int | None = None
        self._ctx = self._context()

    def _context(self) -> Context:
        wanted = self._wanted
        ctx = Context.fresh(self._node.broker, {} if wanted.params is ABSENT else wanted.params)
        ctx.meta, ctx.headers = dict(wanted.meta), wanted.headers
        ctx.timeout_s, ctx.retries = wanted.timeout_s, wanted.retries
        ctx.locals[NOTES] = self._notes
        return ctx

    async def run(self, streams: Streams = NO_STREAMS, *, is_urgent: bool = True) -> Report:
        """Make it. Gives the report, also when it is given up: this coroutine may be cancelled once."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - coroutines run in tasks
        if streams.upload is not None:
            self._ctx.stream = self._sending(streams.upload)
            self._ctx.retries = 0  # what is read is gone

        def lost(reason: str) -> None:
            self._notes.lost = reason
            task.cancel()

        watching = asyncio.create_task(self._watch_sending(lost), name="sending")
        with self._hands.waits(lost, is_urgent=is_urgent):
            try:
                result = await self._node.broker.call(self._endpoint, ctx=self._ctx)
                if isinstance(result, IncomingStream):
                    await self._take_stream(result, streams.download)
                    result = None
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - told in the report, or raised again
                return self._failed(error, task)
            finally:
                watching.cancel()
                self._node.attempts.close(self._notes)
        return self._done(result)

    async def _watch_sending(self, lost: Callable[[str], None]) -> None:
        """Whether the bus takes what we send."""
        await asyncio.sleep(0)
        try:
            await self._hands.publisher.confirm()
        except TransportError as error:
            lost(f"{error.message} {error.advice}".strip())

    async def _take_stream(self, stream: IncomingStream, download: Take | None) -> None:
        self._stream_bytes = 0
        async for chunk in stream:
            self._stream_bytes += len(chunk_bytes(chunk))
            if download is not None:
                await download(chunk)
            self._tell()

    async def _sending(self, upload: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """What is sent along, counted, as long as it may be sent."""
        async for chunk in upload:
            if why := self._refusal():
                raise NotSentError(why)
            yield chunk
            self._sent_bytes += len(chunk)
            self._tell()

    def _tell(self) -> None:
        """Tell how much has passed, not too often."""
        now_s = self._node.broker.monotonic_s()
        if now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            self._told(Progress(sent_bytes=self._sent_bytes, received_bytes=self._stream_bytes or 0))

    # reports

    def _answer(self, data: str = "", error: dict[str, Any] | None = None) -> Answer:
        notes = self._notes
        return Answer(
            node_id=notes.answer.sender if notes.answer is not None else "",
            duration_ms=notes.duration_s * 1000,
            size_bytes=notes.size_bytes,
            request_id=self._ctx.request_id,
            attempts=notes.attempts,
            data=data,
            meta=text_of(notes.meta) if notes.meta else "",
            error=error,
            stream_bytes=self._stream_bytes,
        )

    def _done(self, result: Any) -> Report:
        data = "" if self._notes.is_undefined or self._stream_bytes is not None else text_of(result)
        answer = self._answer(data)
        text = f"{answer.node_id} answered in {answer.duration_ms:,.1f} ms."
        return Report("done", text, self._left_out(), answer=answer)

    def _left_out(self) -> str:
        """What the protocol did not carry."""
        protocol = self._notes.answer.ver if self._notes.answer is not None else "5"
        if protocol == "4" and self._ctx.headers:
            return "Protocol 4 has no headers: they were not sent."
        if protocol == "4" and self._ctx.stream is not None and self._ctx.params:
            return "Protocol 4 has no params beside a stream: they were not sent."
        return ""

    def _failed(self, error: BaseException, task: asyncio.Task[Any]) -> Report:
        if isinstance(error, asyncio.CancelledError):
            task.uncancel()
            if self._notes.lost:
                return self._unknown(f"The connection was lost after it was sent: {self._notes.lost}")
            what = "Given up after it was sent." if self._notes.attempts else "Given up before anything was sent."
            return Report("cancelled", what, MAY_HAVE_RUN if self._notes.attempts else "", answer=self._answer())
        if isinstance(error, NotSentError):
            return Report("refused", f"{error.message} Nothing more was sent.", answer=self._answer())
        if self._notes.is_out_of_time:
            return self._unknown("The node gave the time of this call up; what it began may still go on.")
        if isinstance(error, RequestTimeoutError):
            return self._unknown(f"No answer within {self._wanted.timeout_s * 1000:,.0f} ms.")
        if isinstance(error, RequestRejectedError):
            return self._unknown(f"{error.data.get('nodeID')} went away before it answered.")
        if isinstance(error, MoleculerError):
            return self._refused_there(error)
        if isinstance(error, TypeError | ValueError):
            return Report("failed", f"It cannot be written: {error}. Nothing was sent.")
        raise error

    def _unknown(self, why: str) -> Report:
        return Report("unknown", why, MAY_HAVE_RUN, answer=self._answer(error=self._wire_error()))

    def _refused_there(self, error: MoleculerError) -> Report:
        text = f"{error.name}: {error.message}"
        if not self._notes.attempts:
            return Report("failed", f"{text} Nothing was sent.")
        return Report("failed", text, answer=self._answer(error=self._wire_error()))

    def _wire_error(self) -> dict[str, Any] | None:
        wire = self._notes.answer.error if self._notes.answer is not None else None
        return plain(json.loads(text_of(wire))) if isinstance(wire, dict) else None
