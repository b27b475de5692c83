"""PING and PONG: how far away nodes are, and how their clocks differ."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from broker.node.context import new_id
from broker.protocol.packets import Ping, Pong

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.wire import Wire


class Answer(TypedDict):
    """What a node's PONG tells, under MoleculerJS's names; times in ms."""

    nodeID: str
    elapsedTime: int
    timeDiff: int
    id: str


class Pings:
    """The pings of one broker, and its answers to others'."""

    def __init__(self, broker: Broker, wire: Wire) -> None:
        self._broker = broker
        self._wire = wire
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        wire.on("PING", self.take_ping)
        wire.on("PONG", self.take_pong)

    def send(self, node_id: str = "", ping_id: str = "") -> None:
        """Ask one node, or all."""
        ping_id = ping_id or new_id()
        for protocol in [self._wire.protocol_of(node_id)] if node_id else self._wire.spoken:
            ping = Ping(time=self._broker.now_ms(), id=ping_id, ver=protocol, sender=self._broker.node_id)
            self._wire.send(ping, node_id)

    async def ask(self, node_id: str, timeout_s: float) -> Answer | None:
        """Ask one node; None when it does not answer in time, or we are not connected."""
        if self._wire.link is None:
            return None
        ping_id = new_id()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[ping_id] = answer
        self.send(node_id, ping_id)
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            return None
        finally:
            self._waiting.pop(ping_id, None)

    async def ask_each(self, node_ids: Sequence[str], timeout_s: float) -> dict[str, Answer | None]:
        """Ask several nodes at once."""
        answers = await asyncio.gather(*(self.ask(node_id, timeout_s) for node_id in node_ids))
        return dict(zip(node_ids, answers, strict=True))

    def take_ping(self, packet: Ping) -> None:
        """Somebody wants to know how far away we are."""
        now_ms = self._broker.now_ms()
        pong = Pong(time=packet.time, id=packet.id, arrived=now_ms, ver=packet.ver, sender=self._broker.node_id)
        self._wire.send(pong, packet.sender)

    def take_pong(self, packet: Pong) -> None:
        """Somebody answered."""
        if packet.time is None or packet.arrived is None:
            return
        now_ms = self._broker.now_ms()
        elapsed_ms = now_ms - packet.time
        difference_ms = round(now_ms - packet.arrived - elapsed_ms / 2)
        told = Answer(nodeID=packet.sender, elapsedTime=elapsed_ms, timeDiff=difference_ms, id=packet.id or "")
        waiting = self._waiting.get(packet.id or "")
        if waiting is not None and not waiting.done():
            waiting.set_result(told)
        self._broker.notice("$node.pong", told)
        labels = {"targetNodeID": packet.sender}
        self._broker.metrics.set("moleculer.transit.pong.time", elapsed_ms, labels)
        self._broker.metrics.set("moleculer.transit.pong.systime-diff", difference_ms, labels)
