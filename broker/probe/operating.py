"""What a session does for its operator: judged by what may be done now, many at once, one report each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from broker.clock import Clock
from broker.observe.journal import StateChange
from broker.operate.commands import (
    AskBreakers,
    AskOnce,
    Bench,
    Broadcast,
    Call,
    Cancel,
    Command,
    Emit,
    Lock,
    Progress,
    Report,
    Unlock,
    command_word,
)
from broker.operate.permissions import Permission, allows
from broker.probe.asking import Tongues
from broker.probe.benching import bench
from broker.probe.breaker_asking import BreakerAsker
from broker.probe.calling import call
from broker.probe.door import Door
from broker.probe.emitting import tell
from broker.probe.hands import Hands
from broker.probe.introductions import Introductions
from broker.probe.options import SessionOptions
from broker.probe.running import Running
from broker.probe.speaking import Speaking
from broker.probe.streams import Streams
from broker.probe.voice import Voice
from broker.protocol.frame import KEY_CHANNEL_PREFIX, RawFrame
from broker.protocol.peeling import Peeling
from broker.protocol.runs import by_moment
from broker.transport.base import Tap

Told = Callable[[Progress], None]


def now(report: Report) -> asyncio.Future[Report]:
    """A report that is there already."""
    future: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
    future.set_result(report)
    return future


class Operating:
    """The acting half of a session.

    Attributes:
        tap: Brings the answers; None before the session listens.
    """

    def __init__(
        self,
        options: SessionOptions,
        node_id: str,
        door: Door,
        clock: Clock,
        peeling: Peeling,
        *,
        begins: Callable[[], None],
        told_may: Callable[[Permission, int], None],
        note_asked: Callable[[dict[str, Any]], None],
    ) -> None:
        """
        Args:
            options: What may be done, and how we write.
            node_id: Ours.
            door: The way to the bus.
            clock: Tells the time.
            peeling: Knows what is to be put around packets.
            begins: Told before the first packet can be sent.
            told_may: Told what may be done, and until when, whenever that changes.
            note_asked: Takes what nodes said of their breakers.
        """
        self.tap: Tap | None = None
        self._options = options
        self._tongues = Tongues(node_id, options.serializer)
        self._introductions = Introductions()
        self._running = Running()
        self._breakers = BreakerAsker(note_asked, clock.now_ns)
        self._clock = clock
        self._hurried = 0
        self._unheard = deque[tuple[int, Sequence[RawFrame]]]()

        def make_voice() -> Voice:
            tongues, introductions = self._tongues, self._introductions
            return Voice(door, node_id, options, clock, begins, peeling, tongues, self._hurry, introductions)

        self._speaking = Speaking(options.may, make_voice, told_may, clock)

    @property
    def voice(self) -> Voice | None:
        """What speaks now; None while nothing may be said."""
        return self._speaking.voice

    @property
    def hands(self) -> Hands | None:
        """What acts now; None while there is no connection for it."""
        return self._speaking.hands

    def can_speak(self, namespace: str) -> bool:
        """Whether something can be sent in a namespace."""
        return self._speaking.hands is not None and bool(self._tongues.of(namespace))

    # what is wanted

    def submit(self, command: Command, number: int, told: Told, streams: Streams) -> asyncio.Future[Report]:
        """Do what an operator asks for; see the session's."""
        refused = self.refused(command)
        if refused is not None:
            return now(refused)
        match command:
            case AskOnce():
                voice = self._speaking.voice
                return now(voice.ask_once() if voice else Report("refused", "Nobody may ask here."))
            case Cancel():
                return now(self._running.cancel(command.number))
            case Unlock():
                return self._running.start(0, self._speaking.unlock(command), "unlock")
            case Lock():
                return now(self._speaking.lock())
        return self._act(command, number, told, streams)

    def refused(self, command: Command) -> Report | None:
        """Why a command may not be done now; None if it may."""
        self._speaking.tick(self._clock.now_ns())
        may = self._speaking.may_now
        if allows(may, command.needs):
            return None
        return Report(
            "refused",
            f"This session may only {may}; this needs {command.needs}.",
            f"Connect again with the permission to {command.needs}, or unlock it.",
        )

    def _act(self, command: Command, number: int, told: Told, streams: Streams) -> asyncio.Future[Report]:
        """What needs a connection to send through."""
        hands = self._speaking.hands
        if hands is None:
            return now(Report("failed", "There is no connection to send through yet. Nothing was sent.", "Try again."))
        word = command_word(command)
        refusal = partial(self._speaking.refusal, command.needs)
        match command:
            case Call():
                return self._running.start(number, call(hands, command, refusal, told, streams), word)
            case Emit() | Broadcast():
                return self._running.start(number, tell(hands, command, refusal), word)
            case Bench():
                return self._running.start(number, bench(hands, command, refusal, told), word)
            case AskBreakers():
                return self._running.start(number, self._breakers.ask(hands, command, refusal), word)
        raise AssertionError(f"nobody does '{word}'")

    # what is heard

    def hear(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in all frames."""
        if self._unheard:
            self._hear_rest()
        self._hear(at_ns, frames)

    def hear_run(self, moments: list[int], frames: Sequence[RawFrame]) -> None:
        """Take in all frames, which arrived one after the other. Who hears one may let us hear more."""
        if self._speaking.hears:
            self._unheard += [(at_ns, frames[part]) for at_ns, part in by_moment(moments)]
            self._hear_rest()
        else:
            for frame in dict(frames).items():  # one a channel
                if not self._tongues.knows(frame[0]):
                    self._hear(moments[-1], [frame])

    def known(self) -> set[bytes] | None:
        """Channels of whose frames nothing is to be heard any more; None while all are to be heard."""
        return None if self._speaking.hears else self._tongues.channels

    def _hear_rest(self) -> None:
        """Take in what is left of a run."""
        while self._unheard:
            self._hear(*self._unheard.popleft())

    def _hear(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        if self._speaking.voice is None and frames:
            # enough to know how to speak here, should it be unlocked; keys are told once, packets on asking
            if not self._tongues.knows(frames[-1][0]):
                self._tongues.hear(at_ns, frames[-1:])
            if frames[0][0].startswith(KEY_CHANNEL_PREFIX):
                self._introductions.hear(frames)
        if self._speaking.hears:
            self._speaking.hear(at_ns, frames)

    def learn(self, changes: Sequence[StateChange]) -> None:
        """Take in what was observed."""
        self._tongues.learn(changes)
        self._introductions.learn(changes)
        self._breakers.learn(changes)
        self._speaking.learn(changes)

    def tick(self, now_ns: int) -> None:
        """Several times a second."""
        self._speaking.tick(now_ns)
        if self._options.asks_breakers:
            self._breakers.tick(self._speaking.hands, partial(self._speaking.refusal, "ask"))

    def _hurry(self, is_hurried: bool) -> None:
        """Somebody begins to wait for an answer, or does not wait any more."""
        was_hurried = self._hurried > 0
        self._hurried += 1 if is_hurried else -1
        if self.tap is not None and was_hurried != (self._hurried > 0):
            self.tap.hurry(self._hurried > 0)

    # beginning and end

    async def run(self) -> None:
        """Keep the session's own voice until cancelled.

        Raises:
            TransportError: The bus will never let us publish.
        """
        await self._speaking.run()

    async def end(self) -> None:
        """Give everything up that runs, and let go of what was unlocked."""
        await self._running.end()
        await self._breakers.end()
        await self._speaking.end()
