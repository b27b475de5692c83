"""What a session does on the bus for an operator: its nodes that nobody knows, and who uses them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from broker.clock import Clock
from broker.observe.journal import StateChange
from broker.operate.commands import Report
from broker.probe.asking import Asker, Tongues
from broker.probe.introductions import Introductions, gone_nodes
from broker.probe.unannounced import Unannounced
from broker.protocol.frame import RawFrame
from broker.transport.base import Publisher, TransportError

SETTLE_S: Final = 0.4
SETTLE_AT_MOST_S: Final = 2.0
SETTLE_STEP_S: Final = 0.02
"""When nobody new has introduced itself for a while, all have; however many come, it is not waited for longer."""

ASK_AGAIN_S: Final = 5.0
"""Who is there is not asked more often than this."""


class CannotAct(Exception):  # noqa: N818 - it is no error of anybody
    """Nothing was sent.

    Attributes:
        report: Why, and what to do.
    """

    def __init__(self, report: Report) -> None:
        super().__init__(report.message)
        self.report = report


class Hands:
    """Our nodes, one in each namespace in which something was done.

    Attributes:
        publisher: The session's.
    """

    def __init__(
        self,
        publisher: Publisher,
        node_id: str,
        tongues: Tongues,
        asker: Asker,
        clock: Clock,
        hurry: Callable[[bool], None],
        introductions: Introductions,
    ) -> None:
        """
        Args:
            publisher: The session's.
            node_id: Ours.
            tongues: What is spoken.
            asker: Asks who is there.
            clock: Tells the time.
            hurry: Told of each who begins to wait for an answer that shall come at once, and of its end.
            introductions: What is known of nodes; the session keeps it.
        """
        self._hurry = hurry
        self.publisher = publisher
        self._asker = asker
        self._node_id = node_id
        self._tongues = tongues
        self._clock = clock
        self._introductions = introductions
        self._nodes: dict[str, Unannounced] = {}
        self._making = asyncio.Lock()
        self._ask_again_s: dict[str, float] = {}
        self._waiting: set[Callable[[str], None]] = set()
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._began_s = asyncio.get_running_loop().time()

    def hear(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in all frames."""
        for namespace, frame in self._introductions.hear(frames):
            if namespace in self._nodes:
                self._nodes[namespace].introduce(frame)
        for node in self._nodes.values():
            node.hear(at_ns, frames)

    def learn(self, changes: Sequence[StateChange]) -> None:
        """Take in what was observed."""
        if self._nodes:
            for namespace, node_id in gone_nodes(changes):
                if namespace in self._nodes:
                    self._nodes[namespace].gone(node_id)
        for change in changes:
            if change.kind == "gap" and change.value is not None:
                self._lost(str(change.value.get("reason", "")))

    def ask(self, namespace: str) -> None:
        """Ask a namespace who is there, unless that was done a moment ago."""
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._ask_again_s.get(namespace, self._began_s + ASK_AGAIN_S):  # at first all are asked anyway
            self._ask_again_s[namespace] = now_s + ASK_AGAIN_S
            self._asker.ask_namespace(namespace)

    def _lost(self, reason: str) -> None:
        """Nothing is heard any more: whoever waits for an answer is told."""
        for tell in list(self._waiting):
            tell(reason)

    @contextmanager
    def waits(self, lost: Callable[[str], None], *, is_urgent: bool = True) -> Iterator[None]:
        """Somebody waits for an answer: told, with a reason, when nothing is heard any more.

        Args:
            lost: Told.
            is_urgent: Whether the answer shall come at once, which costs a busy tap something.
        """
        self._waiting.add(lost)
        self._is_idle.clear()
        if is_urgent:
            self._hurry(True)
        try:
            yield
        finally:
            self._waiting.discard(lost)
            if not self._waiting:
                self._is_idle.set()
            if is_urgent:
                self._hurry(False)

    async def idle(self) -> None:
        """Wait until nobody waits for an answer."""
        await self._is_idle.wait()

    async def node(self, namespace: str) -> Unannounced:
        """Our node in a namespace.

        Raises:
            CannotAct: It is not known how to speak there.
        """
        protocols = self._tongues.of(namespace)
        if not protocols:
            raise CannotAct(self._nothing_heard(namespace))
        async with self._making:
            node = self._nodes.get(namespace)
            if node is None:
                node = Unannounced(
                    self.publisher,
                    self._node_id,
                    namespace,
                    protocols=protocols,
                    serializer=self._tongues.serializer(namespace),
                    clock=self._clock,
                )
                await node.start(self._introductions.of(namespace))
                self._nodes[namespace] = node
        return node

    async def is_ready(self, refusal: Callable[[], str]) -> None:
        """Make sure that something may be sent now, and that the bus takes it.

        Raises:
            CannotAct: It may not, or the connection is lost.
        """
        try:
            if not refusal():
                await self.publisher.confirm()
        except TransportError as error:
            if not refusal():
                raise CannotAct(Report("failed", f"{error.message} Nothing was sent.", error.advice)) from None
        if why := refusal():
            raise CannotAct(Report("refused", f"{why} Nothing was sent."))

    def patience_s(self) -> float:
        """How long introductions are awaited before somebody or something counts as unknown."""
        return max(SETTLE_S, self._began_s + SETTLE_AT_MOST_S - asyncio.get_running_loop().time())

    async def settled(self, node: Unannounced) -> None:
        """Wait, soon after there is a connection, until all who are there have introduced themselves."""
        loop = asyncio.get_running_loop()
        at_most_s, at_least_s = self._began_s + SETTLE_AT_MOST_S, self._began_s + SETTLE_S
        while (now_s := loop.time()) < at_most_s and now_s < max(at_least_s, node.newest_s + SETTLE_S):  # noqa: ASYNC110
            await asyncio.sleep(SETTLE_STEP_S)

    async def close(self) -> None:
        """Nothing is waited for any more."""
        for node in self._nodes.values():
            await node.stop()
        self._nodes.clear()

    def _nothing_heard(self, namespace: str) -> Report:
        heard = ", ".join(f"'{name}'" for name in dict.fromkeys(known for known, _ in self._tongues.spoken()))
        if heard:
            advice = f"Heard so far: {heard}. Choose one of these, or wait until somebody speaks in '{namespace}'."
        else:
            advice = "Wait for the first packet of the mesh; nodes beat every few seconds."
        return Report(
            "failed",
            f"Nothing was heard of namespace '{namespace}' yet, so which protocol it speaks is not known. "
            "Nothing was sent.",
            advice,
        )
