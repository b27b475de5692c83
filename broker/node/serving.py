"""Others' requests: taken in, served side by side, answered."""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any

from broker.native import IS_COMPILED
from broker.node.context import Context
from broker.node.definitions import mapping
from broker.node.endpoints import ActionEndpoint
from broker.node.errors import MoleculerError, ServiceNotAvailableError, from_wire, to_wire
from broker.node.fields import level, marked, seconds
from broker.node.streaming import NO_STREAMS, IncomingStream, OutgoingStream, as_stream, is_stream
from broker.node.waits import Wait, give, new_wait
from broker.protocol import ordinary
from broker.protocol.packets import Request, Response
from broker.protocol.streams import OBJECT_MODE, STREAM_ERROR, marks

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.wire import Wire


def _unmarked(said: Any) -> dict[str, Any]:
    """A copy without the mark of streams, which is for us alone."""
    plain = mapping(said)
    plain.pop(OBJECT_MODE, None)
    return plain


class Serving:
    """The requests that one broker serves."""

    def __init__(self, broker: Broker, wire: Wire) -> None:
        self._broker = broker
        self._node_id = broker.node_id
        self._context = contextvars.copy_context()
        self._spare: tuple[asyncio.Task[None], Wait] | None = None
        self._wire = wire
        self._streams: dict[str, IncomingStream] = {}
        self._answering: dict[asyncio.Task[Any], str] = {}
        wire.on("REQ", self.take_request)

    @property
    def receiving(self) -> int:
        """How many request streams have not ended yet."""
        return len(self._streams)

    @property
    def streaming(self) -> int:
        """How many answers are streams that have not ended yet."""
        return len(self._answering)

    def node_gone(self, node_id: str) -> None:
        """End the streams of a node that is gone, and those to it."""
        for task, receiver in list(self._answering.items()):
            if receiver == node_id:
                task.cancel()
        for request_id, stream in list(self._streams.items()):
            if stream.sender == node_id:
                del self._streams[request_id]
                stream.fail(MoleculerError(f"Stream closed by {node_id}", type="STREAM_CLOSED"))

    def look_at_streams(self) -> None:
        """Called now and then: end the streams of which a packet was lost, and those whose end may never come.

        These are silent, and nobody reads them any more or the registry does not know their sender.
        """
        nodes = self._broker.registry.nodes
        for request_id, stream in list(self._streams.items()):
            is_silent = stream.look()
            if stream.is_ended or (is_silent and (stream.is_abandoned or stream.sender not in nodes)):
                del self._streams[request_id]
                stream.fail(MoleculerError("Stream given up", type="STREAM_CLOSED"))

    def take_request(self, request: Request) -> None:
        """A request for us, or one packet of a streamed one."""
        stream: IncomingStream | None = None
        if request.stream or request.seq:
            stream, is_new = self._take_request_chunk(request)
            if not is_new:
                return
        broker = self._broker
        ctx = Context(
            broker,
            request.params,
            request.id,
            request.request_id or request.id,
            request.sender,
            _unmarked(request.meta) if request.meta else {},
            _unmarked(request.headers) if request.headers else {},
            1 if request.level == 1 else level(request.level),
            request.parent_id,
            request.caller,
            request.tracing,
            request.timeout_ms / 1000 if type(request.timeout_ms) is int else seconds(request.timeout_ms),
            stream,
        )
        try:
            if broker.is_stopping:
                raise ServiceNotAvailableError({"action": request.action, "nodeID": broker.node_id})
            endpoints = broker.registry.actions.get(request.action)
            endpoint = endpoints.sole_local if endpoints is not None else None
            if endpoint is None or not endpoint.is_available:
                endpoint = broker.calls.local_endpoint(request.action, ctx)
            ctx.endpoint = endpoint
        except MoleculerError as error:
            self._respond(request, ctx, error=error.with_traceback(None))  # our own lines mean nothing to the caller
            if stream is not None:
                stream.abandon()
            return
        spare = self._spare
        if spare is None or stream is not None:
            ctx.task = asyncio.get_running_loop().create_task(self._serve(request, ctx, endpoint))
            endpoint.service.running.add(ctx.task)
            return
        self._spare = None
        ctx.task, work = spare
        endpoint.service.running.add(ctx.task)
        give(work, (request, ctx, endpoint))

    def _take_request_chunk(self, request: Request) -> tuple[IncomingStream, bool]:
        """The stream this packet belongs to, and whether it is its opener."""
        markers = marks(request)
        stream = self._streams.get(request.id)
        if stream is None:
            stream = IncomingStream(request.sender, most_bytes=self._broker.options.max_unread_bytes)
            self._streams[request.id] = stream
        if markers.get(OBJECT_MODE):
            stream.object_mode = True
        error = from_wire(markers[STREAM_ERROR], request.sender) if STREAM_ERROR in markers else None
        stream.take(request.seq, request.params, more=bool(request.stream), error=error)
        if stream.is_ended:
            self._streams.pop(request.id, None)
        return stream, not request.seq

    async def _serve(
        self,
        request: Request,
        ctx: Context,
        endpoint: ActionEndpoint,
    ) -> None:
        """Run our action for another node and answer.

        Args:
            request: What was asked.
            ctx: What the action is given.
            endpoint: The action.
        """
        running = endpoint.service.running
        stream: IncomingStream | None = ctx.stream  # type: ignore[assignment]  # the request's own, until the handler runs
        handler = endpoint.direct if ctx.timeout_s == 0 else None
        try:
            result = await (handler or endpoint.handler)(ctx)
        except Exception as error:  # noqa: BLE001 - every error is an answer
            self._respond(request, ctx, error=error)
        else:
            if type(result) in NO_STREAMS or not is_stream(result):
                channel = self._wire.ordinary_responses.get(request.sender)
                body = None
                if channel is not None and not ctx.response_headers:
                    body = ordinary.response(request.id, ctx.meta, result, self._node_id)
                if body is None or channel is None:
                    self._respond(request, ctx, data=result)
                else:
                    self._wire.put_out(channel, body)
            else:
                await self._respond_stream(request, ctx, as_stream(result))
        finally:
            if stream is not None:
                stream.abandon()
            # as a callback at the task's end this would cost each call another turn of the loop
            running.discard(ctx.task)
            if IS_COMPILED and self._spare is None and not running and not self._broker.is_stopping:
                self._make_spare()

    def _make_spare(self) -> None:
        """While nothing is to be done make the task of the next request, so that it begins at once when that comes."""
        loop = asyncio.get_running_loop()
        work = new_wait(loop)
        self._spare = loop.create_task(self._serve_next(work), context=self._context.copy()), work

    async def _serve_next(self, work: Wait) -> None:
        await self._serve(*await work)

    def start(self) -> None:
        """From now on requests come; what serves them runs in copies of the context that is current now."""
        self._context = contextvars.copy_context()

    async def close(self) -> None:
        """No task is left that waits for a request."""
        if self._spare is not None:
            task, self._spare = self._spare[0], None
            task.cancel()
            await asyncio.wait([task])

    def _respond(
        self,
        request: Request,
        ctx: Context,
        *,
        data: Any = None,
        error: BaseException | None = None,
        seq: int | None = None,
        more: bool | None = None,
        mark: dict[str, Any] | None = None,
    ) -> None:
        meta, headers = ctx.meta, ctx.response_headers
        if mark:
            meta, headers = marked(request.ver, meta, headers, mark)
        response = Response(
            id=request.id,
            meta=meta,
            headers=headers,
            success=error is None,
            data=data,
            error=None if error is None else to_wire(error, self._broker.node_id),
            stream=more,
            seq=seq,
            ver=request.ver,
            sender=self._broker.node_id,
        )
        try:
            self._wire.send(response, request.sender)
        except (TypeError, ValueError) as unsendable:
            if error is not None:
                raise
            text = f"the result of {request.action} cannot be sent: {unsendable}"
            failure = MoleculerError(text, type="RESULT_NOT_SENDABLE")
            if more and seq:  # a chunk: the stream ends with it
                raise failure from unsendable
            self._respond(request, ctx, error=failure, seq=seq, more=more)

    async def _respond_stream(self, request: Request, ctx: Context, stream: OutgoingStream) -> None:
        """Answer with a stream: opener, chunks, end."""
        await stream.begin()
        mark = {OBJECT_MODE: True} if stream.object_mode else None
        seq = 0
        self._respond(request, ctx, seq=0, more=True, mark=mark)

        async def put(chunk: Any) -> None:
            nonlocal seq
            self._respond(request, ctx, data=chunk, seq=seq + 1, more=True, mark=mark)
            seq += 1
            await self._wire.drain()

        failure: Exception | None = None
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a handler runs in one
        self._answering[task] = request.sender
        try:
            await stream.send(put, self._broker.options.max_chunk_size)
        except Exception as error:  # noqa: BLE001 - whatever the source raised is told to the receiver
            failure = error
        finally:
            del self._answering[task]
        self._respond(request, ctx, error=failure, seq=seq + 1, more=False, mark=mark)
