"""One call for an operator: sent by a node of ours that nobody knows, waited for, reported in full."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from broker.node.context import ABSENT, Context
from broker.node.definitions import ActionDefinition, ServiceDefinition
from broker.node.endpoints import ActionEndpoint
from broker.node.errors import MoleculerError, RequestRejectedError, RequestTimeoutError
from broker.node.nodes import NodeEntry
from broker.node.streaming import IncomingStream
from broker.observe.announcements import plain
from broker.operate.commands import Answer, Call, Report
from broker.probe.attempts import NOTES, Notes, NotSentError
from broker.probe.hands import CannotAct, Hands
from broker.probe.json_texts import object_of, text_of, value_of
from broker.probe.unannounced import Unannounced
from broker.transport.base import TransportError

KNOWN_WITHIN_S: Final = 2.0
"""So long introductions are awaited before an action counts as unknown."""
MAY_HAVE_RUN: Final = "It may have been done, and is not sent again by itself."

Refusal = Callable[[], str]
"""Why nothing may be sent any more; empty while it may."""

Take = Callable[[Any], Awaitable[None]]
"""Takes a chunk of a stream: bytes, or a value of a stream of values."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call with its texts read."""

    action: str
    params: Any
    meta: dict[str, Any]
    headers: dict[str, Any]
    node_id: str
    timeout_s: float
    retries: int


def read_call(command: Call) -> Wanted:
    """What a command wants.

    Raises:
        CannotAct: One of its texts is none.
    """
    if not command.action:
        raise CannotAct(Report("failed", "No action is named. Nothing was sent.", "Choose one."))
    try:
        return Wanted(
            command.action,
            value_of("params", command.params),
            object_of("meta", command.meta),
            object_of("headers", command.headers),
            command.node_id,
            max(0.0, command.timeout_ms / 1000),
            max(0, command.retries),
        )
    except ValueError as error:
        raise CannotAct(Report("failed", f"{error}. Nothing was sent.", "Write it as JSON.")) from None


async def endpoint_of(hands: Hands, node: Unannounced, wanted: Wanted) -> ActionEndpoint | str:
    """Who is called: the name for one chosen by the balancer, otherwise the very endpoint.

    Raises:
        CannotAct: Nobody offers it, and no node was chosen.
    """
    actions = node.broker.registry.actions

    def is_offered() -> bool:
        endpoints = actions.get(wanted.action)
        if endpoints is None:
            return False
        return any(each.node.id == wanted.node_id or not wanted.node_id for each in endpoints.endpoints)

    if not is_offered():
        hands.ask(node.namespace)
        await node.until(is_offered, KNOWN_WITHIN_S)
    if wanted.node_id:
        return _on_node(node, wanted)
    if not is_offered():
        raise CannotAct(_unknown_action(wanted.action, list(actions)))
    return wanted.action


def _on_node(node: Unannounced, wanted: Wanted) -> ActionEndpoint:
    """An endpoint that retries stay on, whether it was introduced or not: its node says if it is not there."""
    broker = node.broker
    endpoints = broker.registry.actions.get(wanted.action)
    known = next((each for each in endpoints.endpoints if each.node.id == wanted.node_id), None) if endpoints else None
    entry = broker.registry.nodes.get(wanted.node_id) or NodeEntry(wanted.node_id, available=False)
    schema = dict(known.action.schema) if known is not None else {}
    # what is private is not looked for among others when it is tried again
    action = ActionDefinition(wanted.action, schema | {"visibility": "private"})
    service = known.service if known is not None else ServiceDefinition("", None, wanted.action.rpartition(".")[0])
    handler = broker.middlewares.wrap("remote_action", broker.requesting.request, service, action)
    return ActionEndpoint(entry, service, action, handler)


def _unknown_action(action: str, known: list[str]) -> Report:
    near = get_close_matches(action, known, 3, 0.5)
    if near:
        advice = f"Did you mean {' or '.join(near)}? To send it all the same, choose a node."
    elif known:
        advice = f"{len(known)} actions are known, none with a name like it. To send it all the same, choose a node."
    else:
        advice = "No node has described itself yet. To send it all the same, choose a node."
    return Report("failed", f"No node offers the action '{action}'. Nothing was sent.", advice)


async def call(
    hands: Hands,
    command: Call,
    refusal: Refusal,
    *,
    upload: AsyncIterable[Any] | None = None,
    download: Take | None = None,
) -> Report:
    """Call once, with the retries that are wanted.

    Args:
        hands: Who sends.
        command: What is called.
        refusal: Why nothing may be sent any more; empty while it may.
        upload: Chunks to send along.
        download: Takes the chunks of a streamed answer; without it they are counted and thrown away.

    Raises:
        CannotAct: Nothing was sent.
    """
    wanted = read_call(command)
    node = await hands.node(command.namespace)
    endpoint = await endpoint_of(hands, node, wanted)
    try:
        await hands.publisher.confirm()
    except TransportError as error:
        raise CannotAct(Report("failed", f"{error.message} Nothing was sent.", error.advice)) from None
    return await OneCall(hands, node, wanted, endpoint, refusal).run(upload, download)


class OneCall:
    """A call that is being made."""

    def __init__(
        self, hands: Hands, node: Unannounced, wanted: Wanted, endpoint: ActionEndpoint | str, refusal: Refusal
    ) -> None:
        self._hands = hands
        self._node = node
        self._wanted = wanted
        self._endpoint = endpoint
        self._notes = Notes(refusal)
        self._stream_bytes: int | None = None
        self._ctx = self._context()

    def _context(self) -> Context:
        wanted = self._wanted
        ctx = Context(self._node.broker, {} if wanted.params is ABSENT else wanted.params)
        ctx.meta, ctx.headers = dict(wanted.meta), wanted.headers
        ctx.timeout_s, ctx.retries = wanted.timeout_s, wanted.retries
        ctx.locals[NOTES] = self._notes
        return ctx

    async def run(self, upload: AsyncIterable[Any] | None = None, download: Take | None = None) -> Report:
        """Make it. Gives the report, also when it is given up: this coroutine may be cancelled once."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - coroutines run in tasks
        self._ctx.stream = upload

        def lost(reason: str) -> None:
            self._notes.lost = reason
            task.cancel()

        watching = asyncio.create_task(self._watch_sending(lost), name="sending")
        with self._hands.waits(lost):
            try:
                result = await self._node.broker.call(self._endpoint, ctx=self._ctx)
                if isinstance(result, IncomingStream):
                    await self._take_stream(result, download)
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
            self._stream_bytes += len(chunk) if isinstance(chunk, bytes) else len(text_of(chunk).encode())
            if download is not None:
                await download(chunk)

    # reports

    def _answer(self, data: str = "", error: dict[str, Any] | None = None) -> Answer:
        notes = self._notes
        return Answer(
            node_id=notes.answer.sender if notes.answer is not None else "",
            duration_ms=max(0.0, notes.ended_s - notes.began_s) * 1000,
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
        return Report("done", f"{answer.node_id} answered in {answer.duration_ms:,.1f} ms.", answer=answer)

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
