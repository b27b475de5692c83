"""A node of ours that nobody knows: it calls and emits, hears who is there and what is answered, and stays unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from broker.clock import Clock
from broker.node import Broker, BrokerOptions
from broker.node.discovery import Discovery
from broker.node.errors import RequestRejectedError, RequestTimeoutError
from broker.node.options import RetryPolicy, is_retryable
from broker.probe.announcing import Lent
from broker.probe.attempts import Attempts, NotSentError
from broker.protocol.channels import channel_name
from broker.protocol.frame import RawFrame
from broker.protocol.packets import Info
from broker.transport.base import Deliver, Publisher

_NOT_AGAIN = (RequestTimeoutError, RequestRejectedError, NotSentError)
"""Nobody answered, so it may have been done; or it must not be sent."""


class SilentDiscovery(Discovery):
    """Takes in who is there. Nothing is sent, ever: others must not take us for a node."""

    async def begin(self) -> None:
        """The session knows who is there."""

    def reconnected(self) -> None:
        """The session's tap mends itself."""

    def send_info(self, node_id: str = "") -> None:
        """We tell nobody what we are."""

    def beat(self) -> None:
        """Nor that we are alive."""

    async def leave(self) -> None:
        """We never came."""

    def take_info(self, packet: Info) -> None:
        """Somebody says what he is; under our own id it is the session's announced node."""
        if packet.sender != self._broker.node_id:
            super().take_info(packet)


class AnswersOnly:
    """A bus for such a node: it speaks through the session's publisher, and is handed what it needs to hear."""

    def __init__(self, publisher: Publisher, answers: bytes) -> None:
        """
        Args:
            publisher: The session's.
            answers: The channel on which answers come.
        """
        self._publisher = publisher
        self._answers = answers
        self._deliver: Deliver | None = None

    def hear(self, frames: Sequence[RawFrame]) -> None:
        """Pass on what is an answer to us."""
        if self._deliver is not None:
            for channel, body in frames:
                if channel == self._answers:
                    self._deliver(channel, body)

    def hand(self, frame: RawFrame) -> None:
        """Pass on an introduction."""
        if self._deliver is not None:
            self._deliver(*frame)

    def publisher(self) -> Publisher:
        """The session's, which the node must not close."""
        return Lent(self._publisher)

    async def subscribe(
        self,
        channels: Sequence[bytes],  # noqa: ARG002 - what is passed on is decided here
        deliver: Deliver,
        on_reconnect: Callable[[], None] | None = None,  # noqa: ARG002 - the tap mends itself
        on_lost: Callable[[], None] | None = None,  # noqa: ARG002
    ) -> AnswersOnly:
        """From now on it hears."""
        self._deliver = deliver
        return self

    async def add(self, channels: Sequence[bytes]) -> None:
        """Nothing more is wanted."""

    async def remove(self, channels: Sequence[bytes]) -> None:
        """Nothing less is wanted."""

    async def close(self) -> None:
        """Hear nothing any more."""
        self._deliver = None


class Unannounced:
    """Our node in one namespace.

    Attributes:
        namespace: Where.
        broker: What calls and emits there.
        attempts: What packets tell of its calls.
        newest_s: When a node introduced itself of which nothing was known; of the loop's clock.
    """

    def __init__(
        self,
        publisher: Publisher,
        node_id: str,
        namespace: str,
        *,
        protocols: Sequence[str],
        serializer: str,
        clock: Clock,
    ) -> None:
        """
        Args:
            publisher: Where to.
            node_id: Ours.
            namespace: Where.
            protocols: Spoken there.
            serializer: In which we write.
            clock: Tells the time.
        """
        self.namespace = namespace
        self.attempts = Attempts(clock.now_ns)
        options = BrokerOptions(
            protocols=protocols,
            discoverer=SilentDiscovery,
            heartbeat_interval_s=0.0,
            stop_delay_s=0.0,
            internal_services=False,
            retry=RetryPolicy(enabled=True, retries=0, check=_may_go_again),
            middlewares=[self.attempts],
        )
        self._bus = AnswersOnly(publisher, channel_name(namespace, "RES", node_id))
        self.broker = Broker(node_id, self._bus, namespace, serializer, options=options, clock=clock)
        self.newest_s = 0.0
        self._changed = asyncio.Event()

    async def start(self, introductions: Iterable[RawFrame]) -> None:
        """Know who is there."""
        await self.broker.start()
        for frame in introductions:
            self.introduce(frame)

    async def stop(self) -> None:
        """Wait for nothing any more."""
        await self.broker.stop()

    def hear(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in all frames."""
        self.attempts.heard_ns = at_ns
        self._bus.hear(frames)

    def introduce(self, frame: RawFrame) -> None:
        """Take in what a node says of itself."""
        known = len(self.broker.registry.nodes)
        self._bus.hand(frame)
        if len(self.broker.registry.nodes) > known:
            self.newest_s = asyncio.get_running_loop().time()
        self._changed.set()

    def gone(self, node_id: str) -> None:
        """A node is gone, as the session sees it."""
        self.broker.node_gone(node_id, unexpected=True)

    async def until(self, is_so: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for introductions until something is so.

        Returns:
            Whether it is, in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not is_so():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return is_so()
        return True


def _may_go_again(error: Exception) -> bool:
    """Whether another attempt may follow: the error came as an answer, and says so."""
    return is_retryable(error) and not isinstance(error, _NOT_AGAIN)
