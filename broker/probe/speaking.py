"""When a session may speak: as it was opened, or for a while more, through a connection that lasts no longer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from broker.clock import SECOND, Clock
from broker.observe.journal import StateChange
from broker.operate.commands import Report, Unlock
from broker.operate.permissions import Permission, allows
from broker.probe.hands import Hands
from broker.probe.voice import Voice
from broker.protocol.frame import RawFrame
from broker.transport.base import TransportError

log = logging.getLogger(__name__)

LONGEST_UNLOCK_S: Final = 600.0
CONNECT_WITHIN_S: Final = 5.0
LOCKED: Final = "This session is locked again."


class Speaking:
    """The voices of a session, and what they may say.

    Attributes:
        may_now: What may be published.
        unlocked_until_ns: When it is locked again; 0 while it is not unlocked.
    """

    def __init__(
        self, may: Permission, make: Callable[[], Voice], told: Callable[[Permission, int], None], clock: Clock
    ) -> None:
        """
        Args:
            may: As the session was opened; with ``see`` there is no voice.
            make: Makes a voice.
            told: Told what may be published, whenever that changes.
            clock: Tells when an unlocking is over.
        """
        self._may = self.may_now = may
        self.unlocked_until_ns = 0
        self._make = make
        self._told = told
        self._clock = clock
        self._own = make() if allows(may, "ask") else None
        self._lent: Voice | None = None
        self._tasks: dict[Voice, asyncio.Task[None]] = {}

    # what there is

    @property
    def voice(self) -> Voice | None:
        """The one that speaks now; None while nothing may be said."""
        return self._own or self._lent

    @property
    def hands(self) -> Hands | None:
        """What acts; None while there is no connection for it."""
        return self.voice.hands if self.voice is not None else None

    def refusal(self, needs: Permission) -> str:
        """Why something may not be sent now; empty if it may."""
        self.tick(self._clock.now_ns())
        if allows(self.may_now, needs):
            return ""
        return LOCKED if self.may_now == self._may else f"This session may only {self.may_now} now."

    # what is heard

    @property
    def hears(self) -> bool:
        """Whether there is anybody to hear frames."""
        return self._own is not None or bool(self._tasks)

    def hear(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in all frames."""
        for voice in self._voices():
            voice.hear(at_ns, frames)

    def learn(self, changes: Sequence[StateChange]) -> None:
        """Take in what was observed."""
        for voice in self._voices():
            voice.learn(changes)

    def _voices(self) -> Iterator[Voice]:
        if self._own is not None:
            yield self._own
        if self._tasks:
            yield from list(self._tasks)

    # a while of more

    async def unlock(self, command: Unlock) -> Report:
        """Let more be done for a while."""
        if allows(self._may, command.may):
            return Report("failed", f"This session may {self._may} already.", "There is nothing to unlock.")
        if not 0 < command.for_s <= LONGEST_UNLOCK_S:
            return Report(
                "failed", f"for_s is {command.for_s:g}, expected up to {LONGEST_UNLOCK_S:g}.", "Unlock again later."
            )
        self.may_now = command.may
        self.unlocked_until_ns = self._clock.now_ns() + round(command.for_s * SECOND)
        self._told(self.may_now, self.unlocked_until_ns)
        if self._own is None and self._lent is None:
            self._lent = self._make()
            self._tasks[self._lent] = asyncio.create_task(self._speak(self._lent), name="unlocked voice")
        if (failure := await self._connected()) is not None:
            self.lock()
            return failure
        return Report("done", f"May {command.may} for {command.for_s:g} s.")

    async def _connected(self) -> Report | None:
        """Wait until there is a connection; why there is none."""
        voice = self.voice
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                if voice is not None:
                    await voice.connected.wait()
        except TimeoutError:
            trouble = "there is no connection to publish through"
        else:
            trouble = voice.failure if voice is not None else "it was locked meanwhile"
        return Report("failed", f"Not unlocked: {trouble}.", "Try again.") if trouble else None

    def lock(self) -> Report:
        """Back to what the session was opened with; what was sent may still be answered."""
        if not self.unlocked_until_ns:
            return Report("done", "It is locked.")
        self.may_now, self.unlocked_until_ns = self._may, 0
        self._told(self._may, 0)
        lent, self._lent = self._lent, None
        if lent is not None:
            lent.fall_silent()
            if not lent.connected.is_set() and lent in self._tasks:
                self._tasks[lent].cancel()
        return Report("done", "Locked.")

    def tick(self, now_ns: int) -> None:
        """Lock when the time is over."""
        if 0 < self.unlocked_until_ns <= now_ns:
            self.lock()

    async def _speak(self, voice: Voice) -> None:
        try:
            await voice.run()
        except TransportError as error:
            log.info("the unlocked connection failed: %s", error)
            voice.failure = f"{error.message} {error.advice}".strip().rstrip(".")
        finally:
            voice.connected.set()
            self._tasks.pop(voice, None)
            if self._lent is voice:
                self.lock()

    # beginning and end

    async def run(self) -> None:
        """Keep the session's own voice until cancelled.

        Raises:
            TransportError: The bus will never let us publish.
        """
        if self._own is not None:
            await self._own.run()

    async def end(self) -> None:
        """Let go of what an unlocking lent."""
        self.lock()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
