"""Between contexts and packets: requests out and in, responses, events."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from broker.node.context import Context
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
from broker.node.streaming import IncomingStream, OutgoingStream, as_stream, is_stream
from broker.protocol.packets import Event, Request, Response

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.wire import Wire

log = logging.getLogger(__name__)

_OBJECT_MODE = "$streamObjectMode"
_STREAM_ERROR = "$streamError"


class _Pending:
    """A request that waits for its answer."""

    __slots__ = ("answer", "ctx", "node_id", "stream")

    def __init__(self, ctx: Context, answer: asyncio.Future[Any]) -> None:
        self.ctx = ctx
        self.node_id = ctx.node_id
        self.answer = answer
        self.stream: IncomingStream | None = None


class Transit:
    """Requests, responses and events of one broker."""

    def __init__(self, broker: Broker, wire: Wire) -> None:
        self._broker = broker
        self._wire = wire
        self._pending: dict[str, _Pending] = {}
        self._request_streams: dict[str, IncomingStream] = {}
        self.orphaned = 0

    # our requests

    async def request(self, ctx: Context) -> Any:
        """Send a request and wait for its answer.

        Raises:
            MoleculerError: What the other node answered.
            RequestRejectedError: It went away meanwhile.
            QueueIsFullError: Too many are waiting.
        """
        limit = self._broker.options.max_queue_size
        if len(self._pending) >= limit > 0:
            about = {"action": _action_name(ctx), "nodeID": self._broker.node_id}
            raise QueueIsFullError({**about, "size": len(self._pending), "limit": limit})
        pending = _Pending(ctx, asyncio.get_running_loop().create_future())
        self._pending[ctx.id] = pending
        sending: asyncio.Task[None] | None = None
        try:
            if ctx.stream is None:
                self._send_request(ctx)
            else:
                sending = self._broker.spawn(self._send_stream(ctx, as_stream(ctx.stream)), "request stream")
            return await pending.answer
        except BaseException:
            if sending is not None:
                sending.cancel()
            raise
        finally:
            if pending.stream is None:
                self._pending.pop(ctx.id, None)

    def node_gone(self, node_id: str) -> None:
        """End everything that waits for a node that is gone."""
        for request_id, stream in list(self._request_streams.items()):
            if stream.sender == node_id:
                del self._request_streams[request_id]
                stream.fail(MoleculerError(f"Stream closed by {node_id}", type="STREAM_CLOSED"))
        for request_id, pending in list(self._pending.items()):
            if pending.node_id == node_id:
                error = RequestRejectedError({"action": _action_name(pending.ctx), "nodeID": node_id})
                self._settle(request_id, pending, error)

    def close(self) -> None:
        """We are leaving: nothing is waited for any longer."""
        for request_id, pending in list(self._pending.items()):
            error = RequestRejectedError({"action": _action_name(pending.ctx), "nodeID": pending.node_id})
            self._settle(request_id, pending, error)

    def _settle(self, request_id: str, pending: _Pending, error: MoleculerError) -> None:
        self._pending.pop(request_id, None)
        if pending.stream is not None:
            pending.stream.fail(error)
        elif not pending.answer.done():
            pending.answer.set_exception(error)

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
        protocol = self._wire.protocol_of(ctx.node_id)
        meta, headers = (ctx.meta if not seq else {}), ctx.headers
        if mark:
            if protocol == "4":
                meta = {**meta, **mark}
            else:
                headers = {**headers, **mark}
        whole = seq is None
        request = Request(
            id=ctx.id,
            action=_action_name(ctx),
            params=ctx.params if whole or (seq == 0 and protocol != "4") else params,
            meta=meta,
            headers=headers,
            timeout_ms=_milliseconds(ctx.timeout_s),
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
        mark: dict[str, Any] | None = {_OBJECT_MODE: True} if stream.object_mode else None
        seq = 0
        self._send_request(ctx, seq=0, more=True, mark=mark)

        async def put(chunk: Any) -> None:
            nonlocal seq
            seq += 1
            self._send_request(ctx, params=chunk, seq=seq, more=True, mark=mark)
            await self._wire.drain()

        ending: dict[str, Any] | None = mark
        try:
            await stream.send(put, self._broker.options.max_chunk_size)
        except Exception as error:  # noqa: BLE001 - whatever the source raised is told to the receiver
            ending = {**(mark or {}), _STREAM_ERROR: to_wire(error, self._broker.node_id)}
        self._send_request(ctx, seq=seq + 1, more=False, mark=ending)

    def take_response(self, response: Response) -> None:
        """An answer, or one packet of a streamed one."""
        pending = self._pending.get(response.id)
        if pending is None:
            self.orphaned += 1
            return
        ctx = pending.ctx
        ctx.node_id = response.sender
        ctx.meta.update(mapping(response.meta))
        if response.stream or response.seq:
            self._take_response_chunk(pending, response)
            return
        if pending.answer.done():
            return
        if response.success:
            pending.answer.set_result(response.data)
        else:
            pending.answer.set_exception(from_wire(response.error, response.sender))

    def _take_response_chunk(self, pending: _Pending, response: Response) -> None:
        marks = mapping(response.meta) | mapping(response.headers)
        pending.ctx.meta.pop(_OBJECT_MODE, None)
        stream = pending.stream
        if stream is None:
            stream = pending.stream = IncomingStream(response.sender, object_mode=bool(marks.get(_OBJECT_MODE)))
            if not pending.answer.done():
                pending.answer.set_result(stream)
        error = None if response.success else from_wire(response.error, response.sender)
        stream.take(response.seq or 0, response.data, more=bool(response.stream), error=error)
        if stream.is_ended:
            self._pending.pop(response.id, None)

    # others' requests

    def take_request(self, request: Request) -> None:
        """A request for us, or one packet of a streamed one."""
        stream: IncomingStream | None = None
        if request.stream or request.seq:
            stream, is_new = self._take_request_chunk(request)
            if not is_new:
                return
        self._broker.spawn_request(self._serve(request, stream))

    def _take_request_chunk(self, request: Request) -> tuple[IncomingStream, bool]:
        """The stream this packet belongs to, and whether it is its opener."""
        marks = mapping(request.meta) | mapping(request.headers)
        stream = self._request_streams.get(request.id)
        if stream is None:
            stream = IncomingStream(request.sender)
            self._request_streams[request.id] = stream
        if marks.get(_OBJECT_MODE):
            stream.object_mode = True
        error = from_wire(marks[_STREAM_ERROR], request.sender) if _STREAM_ERROR in marks else None
        stream.take(request.seq or 0, request.params, more=bool(request.stream), error=error)
        if stream.is_ended:
            self._request_streams.pop(request.id, None)
        return stream, not request.seq

    async def _serve(self, request: Request, stream: IncomingStream | None) -> None:
        """Run our action for another node and answer."""
        ctx = self._context_of(request, stream)
        try:
            endpoint = self._endpoint_for(request.action)
            ctx.endpoint = endpoint
            result = await endpoint.handler(ctx)
        except Exception as error:  # noqa: BLE001 - every error is an answer
            self._respond(request, ctx, error=error)
            return
        finally:
            if stream is not None and not stream.is_ended:
                self._request_streams.pop(request.id, None)
        if is_stream(result):
            await self._respond_stream(request, ctx, as_stream(result))
        else:
            self._respond(request, ctx, data=result)

    def _endpoint_for(self, action: str) -> ActionEndpoint:
        if self._broker.is_stopping:
            raise ServiceNotAvailableError({"action": action, "nodeID": self._broker.node_id})
        return self._broker.calls.local_endpoint(action)

    def _context_of(self, request: Request, stream: IncomingStream | None) -> Context:
        ctx = Context(self._broker, request.params, context_id=request.id)
        ctx.node_id = request.sender
        ctx.meta = mapping(request.meta)
        ctx.meta.pop(_OBJECT_MODE, None)
        ctx.headers = mapping(request.headers)
        ctx.headers.pop(_OBJECT_MODE, None)
        ctx.level = _level(request.level)
        ctx.request_id = request.request_id or request.id
        ctx.parent_id = request.parent_id
        ctx.caller = request.caller
        ctx.tracing = request.tracing
        ctx.timeout_s = _seconds(request.timeout_ms)
        ctx.stream = stream
        return ctx

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
            if request.ver == "4":
                meta = {**meta, **mark}
            else:
                headers = {**headers, **mark}
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
            self._respond(request, ctx, error=MoleculerError(text, type="RESULT_NOT_SENDABLE"), seq=seq, more=more)

    async def _respond_stream(self, request: Request, ctx: Context, stream: OutgoingStream) -> None:
        """Answer with a stream: opener, chunks, end."""
        await stream.begin()
        mark = {_OBJECT_MODE: True} if stream.object_mode else None
        seq = 0
        self._respond(request, ctx, seq=0, more=True, mark=mark)

        async def put(chunk: Any) -> None:
            nonlocal seq
            seq += 1
            self._respond(request, ctx, data=chunk, seq=seq, more=True, mark=mark)
            await self._wire.drain()

        failure: Exception | None = None
        try:
            await stream.send(put, self._broker.options.max_chunk_size)
        except Exception as error:  # noqa: BLE001 - whatever the source raised is told to the receiver
            failure = error
        self._respond(request, ctx, error=failure, seq=seq + 1, more=False, mark=mark)

    # events

    def send_event(self, ctx: Context) -> None:
        """Send an event to the node of its context."""
        event = Event(
            id=ctx.id,
            event=ctx.event_name or "",
            data=ctx.params,
            groups=ctx.event_groups,
            broadcast=ctx.event_kind == "broadcast",
            meta=ctx.meta,
            headers=ctx.headers,
            level=ctx.level,
            tracing=ctx.tracing,
            parent_id=ctx.parent_id,
            request_id=ctx.request_id,
            caller=ctx.caller,
            ver=self._wire.protocol_of(ctx.node_id),
            sender=self._broker.node_id,
        )
        self._wire.send(event, ctx.node_id)

    def take_event(self, event: Event) -> None:
        """An event for our handlers."""
        if self._broker.is_stopping:
            return
        ctx = Context(self._broker, event.data, context_id=event.id)
        ctx.event_name = event.event
        ctx.event_kind = "broadcast" if event.broadcast else "emit"
        ctx.event_groups = list(event.groups) if isinstance(event.groups, list) and event.groups else None
        ctx.meta = mapping(event.meta)
        ctx.headers = mapping(event.headers)
        ctx.level = _level(event.level)
        ctx.tracing = event.tracing
        ctx.parent_id = event.parent_id
        ctx.request_id = event.request_id or event.id
        ctx.caller = event.caller
        ctx.node_id = event.sender
        self._broker.events.deliver(ctx)


def _action_name(ctx: Context) -> str:
    return ctx.endpoint.action.name if isinstance(ctx.endpoint, ActionEndpoint) else ""


def _level(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 1


def _seconds(timeout_ms: object) -> float | None:
    """The wire's timeout; None when it says nothing that makes sense."""
    if isinstance(timeout_ms, bool) or not isinstance(timeout_ms, int | float):
        return None
    return timeout_ms / 1000


def _milliseconds(timeout_s: float | None) -> float:
    """A timeout as the wire has it: 0 for none, whole numbers as such."""
    if not timeout_s:
        return 0
    timeout_ms = timeout_s * 1000
    return int(timeout_ms) if timeout_ms == int(timeout_ms) else timeout_ms
