"""Streams of one call: chunks that arrive, put in order, and chunks that go out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any, Final

from broker.node.errors import MoleculerError
from broker.protocol.streams import InOrder, as_bytes

_MOST_EARLY = 1024
"""More packets than this do not wait for one that is missing: it will not come any more."""


_VALUE_BYTES = 1024
"""What a value counts as, of whatever size it is."""

_Packet = tuple[object, Any, bool, Exception | None]
"""seq, chunk, whether more come, why it ends"""


class IncomingStream(AsyncIterator[Any]):
    """Chunks as they arrive, handed out in order.

    A packet that comes early waits for those before it. As in MoleculerJS
    there is no way to slow the sender down; what waits unread is bounded
    instead: a stream whose reader is too slow ends with an error.

    Attributes:
        object_mode: Whether chunks are values; otherwise they are bytes.
        sender: The node that sends it.
        is_abandoned: Whether nobody reads it any more.
    """

    def __init__(self, sender: str, *, object_mode: bool = False, most_bytes: int = 0) -> None:
        """
        Args:
            sender: The node that sends it.
            object_mode: Whether chunks are values.
            most_bytes: More than this may not wait unread, a value counted as 1 kB; 0 for no limit.
        """
        self.sender = sender
        self.object_mode = object_mode
        self._packets: InOrder[_Packet] = InOrder(_MOST_EARLY)
        self._ready: deque[Any] = deque()
        self._ready_bytes = 0
        self._most_bytes = most_bytes
        self._ended = False
        self._at_last_look = (-1, -1)  # packets that had come, and which one was missing, -1 for none
        self.is_abandoned = False
        self._error: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None

    @property
    def is_ended(self) -> bool:
        """Whether its last packet was taken in, in its turn."""
        return self._ended

    def take(self, seq: object, chunk: Any, *, more: bool, error: Exception | None = None) -> None:
        """Take in one packet.

        Args:
            seq: Its number as the wire says it; 0 is the opener and carries no chunk.
            chunk: What it carries.
            more: Whether it is not the last one.
            error: Why the stream ends, if it ends badly.
        """
        if self._ended:
            return
        for place, value, goes_on, failure in self._packets.take(seq, (seq, chunk, more, error)):
            if goes_on and place and not self.is_abandoned:
                self._keep(as_bytes(value))
            if not goes_on and not self._ended:
                self._end(failure)
        if self._packets.early >= _MOST_EARLY and not self._ended:
            self._tear()
        self._wake()

    def look(self) -> bool:
        """Called now and then: whether nothing came since the last time.

        A stream that goes on, but still misses the packet that it missed then, ends with an error: it was lost.
        """
        taken, missing = self._at_last_look
        packets = self._packets
        self._at_last_look = packets.taken, packets.expected if packets.early else -1
        if missing >= 0 and missing == self._at_last_look[1] and not self._ended:
            self._tear()
            self._wake()
        return taken == packets.taken

    def abandon(self) -> None:
        """Nobody will read it any more: only its end is waited for."""
        self.is_abandoned = True
        self._ready.clear()
        self._ready_bytes = 0

    def fail(self, error: Exception) -> None:
        """End it from this side: its sender is gone, or nobody waits any longer."""
        if not self._ended:
            self._end(error)
            self._wake()

    async def __anext__(self) -> Any:
        """The next chunk."""
        while not self._ready:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        chunk = self._ready.popleft()
        self._ready_bytes -= _size(chunk)
        return chunk

    def _keep(self, chunk: Any) -> None:
        self._ready.append(chunk)
        self._ready_bytes += _size(chunk)
        if self._ready_bytes > self._most_bytes > 0:
            self.abandon()  # its end is still waited for, so that what comes until then finds where it belongs
            text = f"a stream of {self.sender} was read too slowly: more than {self._most_bytes} bytes of it waited"
            self._error = MoleculerError(text, type="STREAM_UNREAD")

    def _tear(self) -> None:
        self._end(MoleculerError(f"packet {self._packets.expected} of a stream was lost", type="STREAM_TORN"))

    def _end(self, error: Exception | None) -> None:
        self._ended, self._error = True, self._error or error

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def _size(chunk: Any) -> int:
    return len(chunk) if isinstance(chunk, bytes) else _VALUE_BYTES


class OutgoingStream:
    """Chunks that go out: what is sent, and whether they are bytes or values."""

    def __init__(self, source: AsyncIterable[Any], *, object_mode: bool | None = None) -> None:
        """Begin.

        Args:
            source: Gives the chunks.
            object_mode: Whether they are values; None to look at the first.
        """
        self._source = aiter(source)
        self._first: list[Any] = []
        self.object_mode = object_mode
        self._error: Exception | None = None

    async def begin(self) -> None:
        """Find out whether it is in object mode, which its opener must say."""
        if self.object_mode is None:
            try:
                self._first = [await anext(self._source)]
            except StopAsyncIteration:
                self._first = []
            except Exception as error:  # noqa: BLE001 - told to the receiver by send()
                self._error = error
            self.object_mode = bool(self._first) and not isinstance(self._first[0], bytes | bytearray | memoryview)

    async def send(self, put: Callable[[Any], Awaitable[None]], chunk_bytes: int) -> None:
        """Send everything; however that ends, the source is closed.

        Args:
            put: Sends one chunk, and waits while the connection is full.
            chunk_bytes: Binary chunks are cut to this size.

        Raises:
            Exception: Whatever the source raised.
        """
        if self._error is not None:
            raise self._error
        try:
            for chunk in self._first:
                await self._put(chunk, put, chunk_bytes)
            async for chunk in self._source:
                await self._put(chunk, put, chunk_bytes)
        finally:
            close = getattr(self._source, "aclose", None)  # what a generator has, and few others
            if close is not None:
                await close()

    async def _put(self, chunk: Any, put: Callable[[Any], Awaitable[None]], chunk_bytes: int) -> None:
        if isinstance(chunk, bytes | bytearray | memoryview) and len(chunk) > chunk_bytes > 0:
            for start in range(0, len(chunk), chunk_bytes):
                await put(bytes(chunk[start : start + chunk_bytes]))
        else:
            await put(chunk)


NO_STREAMS: Final = frozenset((dict, list, tuple, str, bytes, int, float, bool, type(None)))
"""What most results are; told without asking an abstract class."""


def is_stream(value: object) -> bool:
    """Whether an action's result is a stream."""
    return type(value) not in NO_STREAMS and isinstance(value, OutgoingStream | AsyncIterable)


def as_stream(value: AsyncIterable[Any] | OutgoingStream) -> OutgoingStream:
    """An action's result, or a caller's stream, as something to send."""
    if isinstance(value, OutgoingStream):
        return value
    object_mode = value.object_mode if isinstance(value, IncomingStream) else None
    return OutgoingStream(value, object_mode=object_mode)
