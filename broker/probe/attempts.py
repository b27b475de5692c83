"""What only the packets of a call tell: when it was sent, how large its answer is, what came back beside the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from broker.clock import SECOND
from broker.node.context import Context
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.errors import MoleculerError
from broker.node.middleware.base import Middleware, Publish, Receive, TakePacket
from broker.protocol.packets import Event, Response
from broker.protocol.serializers import loads

NOTES: Final = "notes"
"""Under which a context's ``locals`` hold them."""
OUT_OF_TIME: Final = "RequestTimeoutError"


class NotSentError(MoleculerError):
    """It was not sent: this session may not send any more."""


class Notes:
    """Notes on one call; of its last attempt where nothing else is said.

    Attributes:
        attempts: Requests sent.
        began_ns, ended_ns: When the request was sent, and when its answer arrived at this machine.
        size_bytes: Of the packets of the answer.
        answer: The packet that brought it; None while there is none.
        is_undefined: Whether the answer's data is JavaScript's undefined.
        is_out_of_time: Whether the node itself said that the time of this call was over.
        ids: Under which its answers come.
        lost: Why nothing can come any more; empty while it may.
    """

    __slots__ = (
        "answer",
        "attempts",
        "began_ns",
        "ended_ns",
        "ids",
        "is_out_of_time",
        "is_undefined",
        "lost",
        "meta",
        "refusal",
        "size_bytes",
    )

    def __init__(self, refusal: Callable[[], str]) -> None:
        """
        Args:
            refusal: Why nothing may be sent any more; empty while it may.
        """
        self.refusal = refusal
        self.attempts = 0
        self.began_ns = self.ended_ns = 0
        self.size_bytes = 0
        self.answer: Response | None = None
        self.meta: dict[str, Any] = {}
        self.is_undefined = self.is_out_of_time = False
        self.ids: list[str] = []
        self.lost = ""

    @property
    def duration_s(self) -> float:
        """How long the last attempt took."""
        return max(0, self.ended_ns - self.began_ns) / SECOND


class Attempts(Middleware):
    """Writes into the notes of each call that has some.

    Attributes:
        heard_ns: When what is being delivered arrived: before we got round to it.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """
        Args:
            now_ns: The node's clock.
        """
        self.heard_ns = 0
        self._now_ns = now_ns
        self._open: dict[str, Notes] = {}
        self._body = b""
        self._sent: list[tuple[Event, str]] | None = None

    def remote_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:  # noqa: ARG002
        """Around each attempt."""
        # ours would hold back what an operator asks for, and broadcast so to everybody
        action.schema.pop("circuitBreaker", None)

        async def attempt(ctx: Context) -> Any:
            notes: Notes | None = ctx.locals.get(NOTES)
            if notes is None:
                return await call(ctx)
            if refusal := notes.refusal():
                raise NotSentError(refusal)
            self._begin(notes, ctx.id)
            try:
                return await call(ctx)
            except MoleculerError as error:
                data = error.data if isinstance(error.data, dict) else {}
                if error.name == OUT_OF_TIME and data.get("action") == action.name:
                    notes.is_out_of_time = True
                    error.retryable = False  # it may still run there
                raise
            finally:
                notes.ended_ns = notes.ended_ns or self._now_ns()

        return attempt

    def close(self, notes: Notes) -> None:
        """Nothing more is noted of this call."""
        for request_id in notes.ids:
            self._open.pop(request_id, None)

    @contextmanager
    def collecting(self) -> Iterator[list[tuple[Event, str]]]:
        """Collect the events that are sent while the block runs, each with the node it goes to."""
        sent: list[tuple[Event, str]] = []
        self._sent = sent
        try:
            yield sent
        finally:
            self._sent = None

    def transit_publish(self, call: Publish) -> Publish:
        """Collect."""

        def publish(packet: Any, target: str) -> None:
            call(packet, target)
            if self._sent is not None and isinstance(packet, Event):
                self._sent.append((packet, target))

        return publish

    def transporter_receive(self, call: Receive) -> Receive:
        """Remember the bytes of which a packet is made."""

        def receive(channel: bytes, body: bytes) -> None:
            self._body = body
            call(channel, body)
            self._body = b""

        return receive

    def transit_message_handler(self, call: TakePacket) -> TakePacket:
        """Note what an answer is like."""

        def take(command: str, packet: Any) -> None:
            if command == "RES" and (notes := self._open.get(packet.id)) is not None:
                self._answered(notes, packet)
            call(command, packet)

        return take

    def _begin(self, notes: Notes, request_id: str) -> None:
        notes.attempts += 1
        notes.size_bytes, notes.answer, notes.meta = 0, None, {}
        notes.is_undefined = notes.is_out_of_time = False
        notes.ids.append(request_id)
        self._open[request_id] = notes
        notes.began_ns, notes.ended_ns = self._now_ns(), 0

    def _answered(self, notes: Notes, packet: Response) -> None:
        notes.ended_ns = max(self.heard_ns, notes.began_ns)
        notes.size_bytes += len(self._body)
        if isinstance(packet.meta, dict):
            notes.meta.update(packet.meta)
        if packet.seq or packet.stream:
            packet = _without_data(packet)
        elif packet.data is None and packet.success:
            notes.is_undefined = _says_nothing(self._body)
        notes.answer = packet


def _without_data(packet: Response) -> Response:
    """One packet of a stream: what it carried is not to be held on to."""
    fields = {name: getattr(packet, name) for name in packet.__struct_fields__ if name != "data"}
    return Response(**fields)


def _says_nothing(body: bytes) -> bool:
    """Whether an answer has no data at all, not even null."""
    try:
        return "data" not in loads(body)
    except (ValueError, TypeError):
        return False
