"""Our requests: sent, waited for, answered."""

from __future__ import annotations

import asyncio
import sys
import weakref
from typing import TYPE_CHECKING, Any

import msgspec

from broker.node.context import DRAWN, Context, new_id
from broker.node.definitions import mapping
from broker.node.endpoints import ActionEndpoint
from broker.node.errors import (
    MoleculerError,
    QueueIsFullError,
    RequestRejectedError,
    ServiceNotAvailableError,
    from_wire,
    to_wire,
)
from broker.node.fields import action_name, marked, milliseconds
from broker.node.streaming import IncomingStream, OutgoingStream, as_stream
from broker.node.waits import Wait, give, new_wait
from broker.protocol import ordinary
from broker.protocol.packets import Request, Response
from broker.protocol.streams import OBJECT_MODE, STREAM_ERROR, marks

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.wire import Wire


class Waiting(msgspec.Struct, eq=False):
    """A request that waits for its answer.

    Attributes:
        id: Of the request.
        action: Which one; empty while nobody serves it.
        node_id: Who was asked.
        answer: Gets what comes back; None when it was a stream, which must not be held here.
        ctx: Of the call; None where nobody would see it.
        stream: The stream that is the answer, while somebody reads it; None where the answer is none.
    """

    id: str
    action: str
    node_id: str
    answer: Any
    ctx: Context | None = None
    stream: weakref.ref[IncomingStream] | None = None

    def reading(self) -> IncomingStream | None:
        """The stream that is the answer, if somebody still has it."""
        return self.stream() if self.stream is not None else None

    def settle(self, result: Any = None, error: MoleculerError | None = None) -> None:
        """Give the answer to who waits for it; afterwards nothing of it is held here."""
        answer, self.answer = self.answer, None
        if answer is None or answer.done():
            return
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)


class Requesting:
    """The requests of one broker.

    Attributes:
        orphaned: Answers that nobody waited for.
    """

    def __init__(self, broker: Broker, wire: Wire) -> None:
        self._broker = broker
        self._wire = wire
        self._pending: dict[str, Waiting] = {}
        self._most = broker.options.max_queue_size if broker.options.max_queue_size > 0 else sys.maxsize
        self.orphaned = 0
        wire.on("RES", self.take_response)

    @property
    def waiting(self) -> int:
        """How many requests wait for their answer, or for the end of it."""
        return len(self._pending)

    @property
    def receiving(self) -> int:
        """How many response streams have not ended yet."""
        return len(self._streaming())

    async def request(self, ctx: Context) -> Any:
        """Send a request and wait for its answer.

        Raises:
            MoleculerError: What the other node answered.
            ServiceNotAvailableError: It is held open since it was chosen.
            RequestRejectedError: It went away meanwhile.
            QueueIsFullError: Too many are waiting.
        """
        endpoint = ctx.endpoint
        if type(endpoint) is ActionEndpoint and endpoint.held is False:
            raise ServiceNotAvailableError({"action": action_name(ctx), "nodeID": ctx.node_id})
        if len(self._pending) >= self._most:
            about = {"action": action_name(ctx), "nodeID": self._broker.node_id}
            raise QueueIsFullError({**about, "size": len(self._pending), "limit": self._most})
        answer = new_wait(asyncio.get_running_loop())
        pending = self._pending[ctx.id] = Waiting(ctx.id, action_name(ctx), ctx.node_id, answer, ctx)
        sending: asyncio.Task[None] | None = None
        try:
            if ctx.stream is None:
                self._send_request(ctx)
            else:
                sending = self._broker.tasks.spawn(self._send_stream(ctx, as_stream(ctx.stream)), "request stream")
            return await answer
        except BaseException:
            if sending is not None:
                sending.cancel()
            self.give_up(pending)
            raise

    def begin(self, endpoint: ActionEndpoint, params: Any) -> tuple[Waiting, Wait] | None:
        """Send an ordinary request: from outside of any other, without options, with no middleware that minds.

        Nobody sees the context of such a call, so it has none.

        Args:
            endpoint: Chosen just now.
            params: What to give it.

        Returns:
            None, and nothing is sent, when it is not so ordinary.
        """
        wire, waiting = self._wire, self._pending
        node_id = endpoint.node.id
        channel = wire.ordinary_requests.get(node_id)
        if channel is None or endpoint.direct is None or endpoint.local or len(waiting) >= self._most:
            return None
        request_id = DRAWN.pop() if DRAWN else new_id()
        action = endpoint.action.name
        body = ordinary.request(request_id, action, params, self._broker.node_id)
        if body is None:
            return None
        answer = new_wait(asyncio.get_running_loop())
        begun = waiting[request_id] = Waiting(request_id, action, node_id, answer)
        wire.put_out(channel, body)
        return begun, answer

    def give_up(self, begun: Waiting) -> None:
        """Nobody waits any longer for an answer; a stream of answers goes on."""
        if begun.stream is None:
            self._pending.pop(begun.id, None)

    def node_gone(self, node_id: str) -> None:
        """Reject everything that waits for a node that is gone."""
        for request_id, pending in list(self._pending.items()):
            if pending.node_id == node_id:
                self._reject(request_id, pending)

    def forget_unread(self) -> None:
        """The ends of streams that nobody reads are not waited for any longer: they may never come."""
        for pending in self._streaming():
            stream = pending.reading()
            if stream is None or stream.is_abandoned or stream.is_ended:
                del self._pending[pending.id]

    def look_at_streams(self) -> None:
        """Called now and then: end the streams of which a packet was lost, and forget those that nobody reads."""
        for pending in self._streaming():
            stream = pending.reading()
            if stream is not None:
                stream.look()
        self.forget_unread()

    def _streaming(self) -> list[Waiting]:
        """Those whose answer is a stream."""
        return [pending for pending in self._pending.values() if pending.stream is not None]

    def close(self) -> None:
        """We are leaving: nothing is waited for any longer."""
        for request_id, pending in list(self._pending.items()):
            self._reject(request_id, pending)

    def _reject(self, request_id: str, pending: Waiting) -> None:
        if self._pending.pop(request_id, None) is None:
            return
        error = RequestRejectedError({"action": pending.action, "nodeID": pending.node_id})
        stream = pending.reading()
        if stream is not None:
            stream.fail(error)
        pending.settle(error=error)

    def _send_request(
        self,
        ctx: Context,
        *,
        params: Any = None,
        seq: int | None = None,
        more: bool = False,
        mark: dict[str, Any] | None = None,
    ) -> None:
        """Send a whole request (seq None), or one packet of a streamed one."""
        endpoint = ctx.endpoint
        protocol = self._wire.protocols.get(ctx.node_id) or self._wire.spoken[0]
        meta, headers = ctx.meta if not seq else {}, ctx.headers
        if mark:
            meta, headers = marked(protocol, meta, headers, mark)
        whole = seq is None
        request = Request(
            id=ctx.id,
            action=endpoint.action.name if type(endpoint) is ActionEndpoint else "",
            params=ctx.params if whole or (seq == 0 and protocol != "4") else params,
            meta=meta,
            headers=headers,
            timeout_ms=milliseconds(ctx.timeout_s) if ctx.timeout_s else 0,
            level=ctx.level,
            tracing=ctx.tracing,
            parent_id=ctx.parent_id,
            request_id=ctx.request_id,
            caller=ctx.caller,
            stream=more,
            seq=seq,
            ver=protocol,
            sender=self._broker.node_id,
        )
        self._wire.send(request, ctx.node_id)

    async def _send_stream(self, ctx: Context, stream: OutgoingStream) -> None:
        """Send a streamed request: opener, chunks, end."""
        await stream.begin()
        mark: dict[str, Any] | None = {OBJECT_MODE: True} if stream.object_mode else None
        seq = 0
        self._send_request(ctx, seq=0, more=True, mark=mark)

        async def put(chunk: Any) -> None:
            nonlocal seq
            self._send_request(ctx, params=chunk, seq=seq + 1, more=True, mark=mark)
            seq += 1
            await self._wire.drain()

        ending: dict[str, Any] | None = mark
        try:
            await stream.send(put, self._broker.options.max_chunk_size)
        except BaseException as error:
            # whatever the source raised is told to the receiver; also that we gave up
            told: BaseException = error
            if not isinstance(error, Exception):
                told = MoleculerError(f"Stream closed by {self._broker.node_id}", type="STREAM_CLOSED")
            ending = {**(mark or {}), STREAM_ERROR: to_wire(told, self._broker.node_id)}
            if not isinstance(error, Exception):
                raise
        finally:
            self._send_request(ctx, seq=seq + 1, more=False, mark=ending)

    def take_response(self, response: Response) -> None:
        """An answer, or one packet of a streamed one."""
        pending = self._pending.get(response.id)
        if pending is None:
            self.orphaned += 1
            return
        ctx = pending.ctx
        if ctx is not None:
            ctx.node_id = response.sender
            if response.meta:
                ctx.meta.update(mapping(response.meta))
        if response.stream or response.seq:
            self._take_response_chunk(pending, response)
            return
        if pending.stream is not None:
            self._take_whole_response(pending, response)
            return
        del self._pending[response.id]
        answer = pending.answer
        if not response.success:
            pending.settle(error=from_wire(response.error, response.sender))
        elif answer is not None and not answer.done():
            give(answer, response.data)

    def _take_whole_response(self, pending: Waiting, response: Response) -> None:
        """An answer that is no part of the stream that answers already: it can only say that this failed."""
        if response.success:
            self.orphaned += 1
            return
        stream = pending.reading()
        if stream is not None:
            stream.fail(from_wire(response.error, response.sender))
        del self._pending[response.id]

    def _take_response_chunk(self, pending: Waiting, response: Response) -> None:
        if pending.ctx is not None:
            pending.ctx.meta.pop(OBJECT_MODE, None)
        if pending.stream is None:
            is_of_values = bool(marks(response).get(OBJECT_MODE))
            most_bytes = self._broker.options.max_unread_bytes
            opened = IncomingStream(response.sender, object_mode=is_of_values, most_bytes=most_bytes)
            pending.stream = weakref.ref(opened)
            pending.settle(opened)
        stream = pending.reading()
        if stream is None:  # whoever read it has dropped it
            if not response.stream:
                self._pending.pop(response.id, None)
            return
        error = None if response.success else from_wire(response.error, response.sender)
        stream.take(response.seq, response.data, more=bool(response.stream), error=error)
        if stream.is_ended:
            self._pending.pop(response.id, None)
