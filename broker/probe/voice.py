"""What a session says on the bus. With the permission *see* there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from broker.clock import Clock
from broker.observe.journal import StateChange
from broker.operate.commands import Report
from broker.probe.announcing import Announcer
from broker.probe.asking import Asker, Tongues
from broker.probe.door import Door
from broker.probe.hands import Hands
from broker.probe.introductions import Introductions
from broker.probe.options import SessionOptions
from broker.probe.wrapped import Wrapped
from broker.protocol.frame import RawFrame
from broker.protocol.peeling import Peeling
from broker.transport.base import Publisher, TransportError

RETRY_S: Final = 2.0


class Voice:
    """Asks, acts, and is announced if that is wanted, once there is a bus and its protocol is known.

    Attributes:
        hands: Do what an operator asks for; None while there is no connection.
        connected: Set when there is one, or never will be.
        failure: Why there never will be; empty otherwise.
    """

    def __init__(
        self,
        door: Door,
        node_id: str,
        options: SessionOptions,
        clock: Clock,
        begins: Callable[[], None],
        peeling: Peeling,
        tongues: Tongues,
        hurry: Callable[[bool], None],
        introductions: Introductions,
    ) -> None:
        """
        Args:
            door: The way to the bus.
            node_id: Ours.
            options: Whether and where to be announced.
            clock: For answers to PING.
            begins: Told before the first packet can be sent.
            peeling: Knows what is to be put around packets.
            tongues: What is spoken; the session keeps it.
            hurry: Told of each who begins to wait for an answer that shall come at once, and of its end.
            introductions: What is known of nodes; the session keeps it.
        """
        self._door = door
        self._node_id = node_id
        self._options = options
        self._clock = clock
        self._begins = begins
        self._peeling = peeling
        self._tongues = tongues
        self._hurry = hurry
        self._introductions = introductions
        self.hands: Hands | None = None
        self.connected = asyncio.Event()
        self.failure = ""
        self._silent = asyncio.Event()
        self._asker: Asker | None = None
        self._announcer: Announcer | None = None

    @property
    def is_announced(self) -> bool:
        """Whether we are a node in somebody's registry."""
        return self._announcer is not None and self._announcer.is_announced

    @property
    def trouble(self) -> str:
        """Why we are not announced though we should be; empty otherwise."""
        return self._announcer.trouble if self._announcer is not None else ""

    async def run(self) -> None:
        """Be ready to speak until cancelled, or until it falls silent and all who wait have their answers.

        Raises:
            TransportError: The bus will never let us publish.
        """
        publisher = await self._publisher()
        try:
            self._begins()
            await self._speak(publisher)
        finally:
            self._asker = self._announcer = None
            await publisher.close()
            await self._let_go()

    def fall_silent(self) -> None:
        """Send nothing more, and close the connection; what was sent may still be answered."""
        self._silent.set()

    async def _speak(self, publisher: Publisher) -> None:
        asker = self._asker = Asker(publisher, self._node_id, self._tongues)
        self.hands = Hands(
            publisher, self._node_id, self._tongues, asker, self._clock, self._hurry, self._introductions
        )
        self.connected.set()
        if self._tongues.spoken():
            self._tongues.take_new()
            asker.ask_once()
        if self._options.announce:
            self._announcer = Announcer(publisher, self._node_id, self._tongues, self._options.namespaces, self._clock)
            await self._announcer.run()
        await self._silent.wait()

    async def _let_go(self) -> None:
        """Let who waits have its answers, unless everything ends."""
        hands = self.hands
        if hands is None:
            return
        try:
            if self._silent.is_set():
                await hands.idle()
        finally:
            self.hands = None
            await hands.close()

    def hear(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in all frames: who speaks which protocol, and who asks for us."""
        self._tongues.hear(at_ns, frames)
        if self.hands is not None:
            self.hands.hear(at_ns, frames)
        if self._announcer is not None:
            self._announcer.hear(at_ns, frames)

    def learn(self, changes: Sequence[StateChange]) -> None:
        """Take in what was observed; ask where a protocol became known."""
        if self.hands is not None:
            self.hands.learn(changes)
        if self._asker is not None:
            self._asker.heard(self._tongues.take_new())

    def ask_once(self) -> Report:
        """Ask all namespaces whose protocol is known, now."""
        if self._asker is None:
            return Report("failed", "Not connected yet.", "Ask again in a moment.")
        return self._asker.ask_once()

    async def _publisher(self) -> Publisher:
        """A publisher, as soon as there is a bus."""
        while True:
            try:
                return Wrapped(await self._door.publisher(), self._peeling)
            except TransportError as error:
                if not error.retriable:
                    raise
            await asyncio.sleep(RETRY_S)
