"""A connection that redis-py made and we read: one `recv`, one time stamp for its frames."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import hiredis
from redis.asyncio import Connection

from broker.clock import Clock
from broker.native import compiled
from broker.protocol.frame import RawFrame
from broker.protocol.runs import StraightSink
from broker.transport.base import Deliver, TransportError
from broker.transport.redis.courtesy import LATE_NS, NEVER_NS, let_others_first
from broker.transport.redis.handover import PatientReader, Unread
from broker.transport.redis.patient import is_possible, read_patiently
from broker.transport.redis.reading import Arrived
from broker.transport.redis.replies import RUN_BYTES, Replies, pack
from broker.transport.redis.rest import Rest

log = logging.getLogger(__name__)

ANSWER_S: Final = 5.0
"""How long the server may take to answer a command."""
QUIET_S: Final = 3.0
"""After so long without a byte we ask whether the server is there."""
CHECK_EVERY_S: Final = 0.5

FULL_READ_BYTES: Final = 1 << 16
BEHIND_BYTES: Final = 1 << 20
PAUSE_S: Final = 0.005
AT_ONCE_S: Final = 0.25
"""So much had piled up when we read it, and the end came at once behind it: a server that hangs up on us in this
way does so because its buffer for us was full. Nothing on the wire says it."""

PING: Final = pack(b"PING")

Take = Callable[[int, Sequence[RawFrame]], None]
"""Takes when (ns since the epoch) frames arrived, and the frames."""

TakeRun = Callable[[list[int], list[RawFrame]], None]
"""Takes frames that arrived one after the other, and when each did."""


def _each(deliver: Deliver, _at_ns: int, frames: Sequence[RawFrame]) -> None:
    for channel, body in frames:
        try:
            deliver(channel, body)
        except Exception as error:  # noqa: BLE001 it is logged
            _not_taken_in(channel, error)


def _not_taken_in(channel: bytes, error: Exception) -> None:
    log.error("a packet on %r could not be taken in", channel, exc_info=error)


class Refused(Exception):  # noqa: N818 it is what the server did
    """The server answered a command with an error; the text is its own."""


class Wire(asyncio.Protocol):
    """Reads a connection until it ends.

    redis-py's transport is reached through private names (`_reader`,
    `_writer`); a test notices when they go.

    Attributes:
        on_refusal: Given the errors that nobody waits for.
        transport: Where what is sent goes.
        is_full: Whether the server is slow to take it.
    """

    def __init__(self, connection: Connection, clock: Clock | None = None, *, rests: bool = False) -> None:
        """Take a connection over; what arrives is held until `deliver_to`.

        Args:
            connection: Connected and logged in, with nothing under way.
            clock: Stamps what arrives, which is then read a moment later where that is cheaper; left out where
                it is wanted at once, and nobody asks when it arrived.
            rests: Whether what arrives may be read a moment later while nobody waits for it.
        """
        self._clock = clock
        self._replies = Replies(self._other)
        self._ear: compiled.Ear | None = None
        self._held: list[tuple[int, list[RawFrame]]] = []
        self._take: Take = self._hold
        self._take_run: TakeRun | None = None
        self._straight: StraightSink | None = None
        self._confirming = 0
        self._confirmed: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._heard_s = self._loop.time()
        self._is_pinged = False
        self._was_short = True
        self._read_s = self._heard_s
        self._why = ""
        self._bug: Exception | None = None
        self._can_write = asyncio.Event()
        self._can_write.set()
        self.is_full = False
        self._pings: deque[asyncio.Future[None] | None] = deque()
        self.on_refusal: Callable[[str], None] = lambda _refusal: None
        # the stream is kept because Python closes the transport of one that nobody holds
        self._stream, self.transport, self._before = self._take_over(connection)
        self._ticking = self._loop.call_later(CHECK_EVERY_S, self._tick)
        self._rest = Rest(self.transport) if rests else None
        self._patient: PatientReader | None = None
        if clock is not None and is_possible(self.transport):
            self._patient = read_patiently(self.transport, clock, self._arrived, self._read_end)

    def _take_over(
        self, connection: Connection
    ) -> tuple[asyncio.StreamWriter, asyncio.Transport, asyncio.BaseProtocol]:
        writer = connection._writer
        if writer is None:
            raise TransportError("the connection was lost before it could be used", "Try again.")
        transport: asyncio.Transport = writer.transport  # type: ignore[assignment]
        before = transport.get_protocol()
        # uvloop chooses how to read when reading begins
        transport.pause_reading()
        transport.set_protocol(self)
        transport.resume_reading()
        # redis-py forgets the connection: whoever has the transport closes it
        connection._reader = connection._writer = None
        return writer, transport, before

    # what asyncio calls

    def data_received(self, data: bytes) -> None:
        """These bytes arrived together."""
        has_waited = False
        is_short = len(data) < FULL_READ_BYTES
        if not (is_short and self._was_short):
            # what has piled up is read without a pause, and its last read is a short one
            has_waited = self._loop.time() - self._read_s <= PAUSE_S
            self._was_short = is_short
        self._arrived([(self._clock.now_ns() if self._clock is not None else 0, data, has_waited)])
        if self._rest is not None and not self._pings and self._confirmed is None:
            self._rest.begin()

    def _arrived(self, pieces: Iterable[Arrived]) -> None:
        """Bytes arrived."""
        self._heard_s = self._loop.time()
        self._is_pinged = False
        try:
            if self._take_run is not None:
                self._arrived_in_runs(iter(pieces), self._take_run)
            else:
                for piece in pieces:
                    if frames := self._replies.feed_piece(piece):
                        self._take(piece[0], frames)
        except ValueError as error:
            self._end(f"What the server sent is not Redis's protocol: {error}.")
        except Exception as error:  # noqa: BLE001 it is raised where `ended` is awaited
            self._bug = error
            self._end("")
        self._read_s = self._loop.time()

    def _arrived_in_runs(self, pieces: Iterator[Arrived], take_run: TakeRun) -> None:
        """What is ordinary goes straight where it can; else what was odd is taken as frames, and what follows again
        straight."""
        straight, unread = self._straight, pieces if isinstance(pieces, Unread) else None
        while True:
            is_straight = straight is not None and unread is not None and self._go_straight(straight, unread)
            run = self._replies.feed_run(pieces, 1 if is_straight else RUN_BYTES)
            if run is None:
                return
            if run[1]:
                take_run(*run)
                if self._clock is not None:
                    let_others_first(self._clock.now_ns() - run[0][-1])

    def _go_straight(self, sink: StraightSink, unread: Unread) -> bool:
        """Let messages go straight, up to one that is not ordinary. Whether any might."""
        replies = self._replies
        while unread.pieces and unread.most_bytes > 0 and replies.is_between and replies.splitter is not None:
            straight = sink.straight(unread.pieces[0][0])
            if straight is None:
                return False
            taken_bytes, replies.behind_bytes = replies.splitter.go_straight(
                unread.pieces, straight, replies.behind_bytes, unread.most_bytes, self._late_ns()
            )
            sink.went_straight(straight)
            unread.most_bytes -= taken_bytes
            if not straight.count:
                break
        return True

    def _late_ns(self) -> int:
        """What arrived at this moment is late now: see `let_others_first`. In ns since the epoch."""
        return self._clock.now_ns() - LATE_NS if self._clock is not None else NEVER_NS

    def _hear_the_rest(self, block: bytes, begin: int, frames: list[RawFrame]) -> None:
        """What the ear does not hear: the messages until there, and all that follows."""
        if frames:
            self._take(0, frames)
        Wire.data_received(self, block[begin:])
        if self._ear is not None:
            self._ear.is_on = self._was_short and not self._replies.is_hiredis_on

    def eof_received(self) -> bool:
        """The server has nothing more to say."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._ticking.cancel()
        self._read_on()
        if self._patient is not None:
            self._patient.close()
        self._can_write.set()
        self._before.connection_lost(exc)
        if not self._why:
            self._why = self._reason(exc)
        if self._confirmed is not None and not self._confirmed.done():
            self._confirmed.set_exception(TransportError(self._why))
        if self._ended.done():
            return
        if self._bug is not None:
            self._ended.set_exception(self._bug)
        else:
            self._ended.set_result(self._why)

    def pause_writing(self) -> None:
        """The server is slow to take what we send."""
        self.is_full = True
        self._can_write.clear()

    def resume_writing(self) -> None:
        """It takes again."""
        self.is_full = False
        self._can_write.set()

    # what others call

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return not self.transport.is_closing()

    def write(self, commands: bytes) -> None:
        """Send packed commands; nothing happens when the connection has ended."""
        self.transport.write(commands)

    def offer(self, commands: bytes, most_waiting_bytes: int) -> bool:
        """Send packed commands, unless the connection has ended, or more than this is waiting to leave.

        Returns:
            Whether they are sent.
        """
        transport = self.transport
        if transport.is_closing() or (self.is_full and transport.get_write_buffer_size() > most_waiting_bytes):
            return False
        transport.write(commands)
        return True

    async def drain(self) -> None:
        """Wait while too much is waiting to leave."""
        await self._can_write.wait()

    async def subscribe(self, command: bytes, names: Sequence[bytes]) -> None:
        """Subscribe or unsubscribe, and wait until the server has said yes to every name.

        Raises:
            Refused: It said no.
            TransportError: The connection ended, or no answer came in ANSWER_S.
        """
        if not names:
            return
        self._confirming = len(names)
        self._confirmed = self._loop.create_future()
        self._read_on()
        self.write(pack(command, *names))
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._confirmed
        except TimeoutError as error:
            text = f"The server did not answer {command.decode()} in {ANSWER_S:.0f} s."
            raise TransportError(text, "Is it frozen, or loading its data?") from error
        finally:
            self._confirmed = None

    async def fence(self) -> None:
        """Wait until the server has answered everything that was sent.

        Raises:
            TransportError: The connection ended, or no answer came in ANSWER_S.
        """
        pong: asyncio.Future[None] = self._loop.create_future()
        self._ping(pong)
        waited: list[asyncio.Future[Any]] = [pong, self._ended]
        await asyncio.wait(waited, timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        if not pong.done():
            text = self._why or f"The server did not answer in {ANSWER_S:.0f} s."
            raise TransportError(text, "Is it frozen, or loading its data?")

    def catch_up(self) -> None:
        """Hand over what has arrived until now."""
        if self._patient is not None and self.is_open:
            self._patient.catch_up()

    def hurry(self, is_hurried: bool) -> None:
        """Hand over at once what arrives; or when that is cheap."""
        if self._patient is not None and self.is_open:
            self._patient.hurry(is_hurried)

    def deliver_each(self, deliver: Deliver) -> None:
        """As `deliver_to`, one by one and without their time; an exception of it is logged."""
        self.deliver_to(partial(_each, deliver))
        if self._replies.splitter is not None:
            self._ear = compiled.Ear(
                self._replies.splitter, deliver, _not_taken_in, self._hear_the_rest, FULL_READ_BYTES
            )
            self.data_received = self._ear  # type: ignore[method-assign, assignment]  # its twin, without a step in Python
            self.transport.set_protocol(self)  # uvloop looks for `data_received` here

    def deliver_to(self, take: Take, take_run: TakeRun | None = None, straight: StraightSink | None = None) -> None:
        """Hand over what was held, and everything from now on: in runs to who takes them, or straight."""
        held, self._held = self._held, []
        self._take, self._take_run = take, take_run
        self._straight = straight if self._replies.splitter is not None else None
        for at_ns, frames in held:
            take(at_ns, frames)

    @property
    def held_since_ns(self) -> int | None:
        """When the first of the frames that are held arrived, in ns since the epoch."""
        return self._held[0][0] if self._held else None

    async def ended(self) -> str:
        """Wait for the end.

        Returns:
            Why it ended, a whole sentence.

        Raises:
            Exception: What `take` raised; the connection is closed then.
        """
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        """Hand over what has arrived, send what waits, and end the connection."""
        self.catch_up()
        self._why = self._why or "We closed the connection."
        self.transport.close()
        try:
            async with asyncio.timeout(1.0):
                await asyncio.wait([self._ended])
        except TimeoutError:
            self.transport.abort()  # a frozen server takes nothing
            await asyncio.wait([self._ended])
        self._ended.exception()  # a bug was told by `ended`, or there is nobody to tell

    # inside

    def _hold(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        self._held.append((at_ns, list(frames)))

    def _other(self, reply: Any) -> None:
        if isinstance(reply, hiredis.ReplyError):
            text = str(reply)
            # a server that may or can not answer a PING has answered all the same
            if self._pings and ("'ping'" in text or text.startswith("LOADING")):
                self._ponged()
            elif self._confirmed is not None and not self._confirmed.done():
                self._confirmed.set_exception(Refused(text))
            else:
                self.on_refusal(text)
        elif reply in (b"PONG", [b"pong", b""]):
            self._ponged()
        elif isinstance(reply, list) and reply and isinstance(reply[0], bytes) and reply[0].endswith(b"subscribe"):
            self._confirming -= 1
            if self._confirming == 0 and self._confirmed is not None and not self._confirmed.done():
                self._confirmed.set_result(None)

    def _ping(self, pong: asyncio.Future[None] | None = None) -> None:
        self._pings.append(pong)
        self._read_on()
        self.write(PING)

    def _read_on(self) -> None:
        """Somebody waits for an answer."""
        if self._rest is not None:
            self._rest.end()

    def _ponged(self) -> None:
        pong = self._pings.popleft() if self._pings else None
        if pong is not None and not pong.done():
            pong.set_result(None)

    def _tick(self) -> None:
        self._ticking = self._loop.call_later(CHECK_EVERY_S, self._tick)
        if self._ear is not None and self._ear.was_heard:
            self._ear.was_heard = self._is_pinged = False
            self._heard_s = self._loop.time()
        quiet_s = self._loop.time() - self._heard_s
        if quiet_s >= QUIET_S + ANSWER_S and self._is_pinged:
            self._end(f"The server gave no sign of life for {quiet_s:.0f} s.")
        elif quiet_s >= QUIET_S and not self._is_pinged:
            self._is_pinged = True
            # a loop that stood still has not read what waits: the answer gets its full time
            self._heard_s = self._loop.time() - QUIET_S
            self._ping()

    def _read_end(self, error: OSError | None) -> None:
        self._end(self._reason(error))

    def _end(self, why: str) -> None:
        self._why = self._why or why
        self.transport.abort()

    def _reason(self, error: Exception | None) -> str:
        if self._replies.behind_bytes >= BEHIND_BYTES and self._loop.time() - self._read_s < AT_ONCE_S:
            return (
                "The server closed the connection: its output buffer for us was full "
                "(client-output-buffer-limit pubsub)."
            )
        if error is None or isinstance(error, ConnectionResetError):
            return "The connection was closed by the server."
        return f"The connection broke: {error}."
