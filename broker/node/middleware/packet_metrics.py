"""Measures the packets of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from broker.node.metrics.executions import Resolved
from broker.node.metrics.values import Value
from broker.node.middleware.base import Middleware, Publish, Receive, Send, TakePacket

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.settings import BrokerOptions


class PacketMetrics(Middleware):
    """Adds to counters at every packet without a look at the clock: they get their time when somebody reads them."""

    @classmethod
    def is_wanted(cls, options: BrokerOptions) -> bool:
        """Only where metrics are on."""
        return options.metrics.enabled

    def __init__(self) -> None:
        self._counted: list[tuple[Value, list[float]]] = []

    def created(self, broker: Broker) -> None:
        """Learn where the metrics are; they are made when they are first needed."""
        self._registry = broker.metrics
        broker.metrics.before_reading(self._stamp)

    def transit_publish(self, call: Publish) -> Publish:
        """Packets that leave, by their type."""
        by_type = self._by_type("moleculer.transit.publish.total")

        def publish(packet: Any, target: str) -> None:
            by_type[packet.COMMAND].value += 1
            call(packet, target)

        return publish

    def transit_message_handler(self, call: TakePacket) -> TakePacket:
        """Packets that came, by their type."""
        by_type = self._by_type("moleculer.transit.receive.total")

        def take(command: str, packet: Any) -> None:
            by_type[command].value += 1
            call(command, packet)

        return take

    def transporter_send(self, call: Send) -> Send:
        """Bytes that leave."""
        return self._counting_bytes(call, "moleculer.transporter.packets.sent")

    def transporter_receive(self, call: Receive) -> Receive:
        """Bytes that came."""
        return self._counting_bytes(call, "moleculer.transporter.packets.received")

    def _by_type(self, name: str) -> Resolved[str, Value]:
        return Resolved(lambda command: self._taken_in(self._registry.series(name, {"type": command})))

    def _counting_bytes(self, call: Send, prefix: str) -> Send:
        sums: Resolved[str, Value] = Resolved(lambda what: self._taken_in(self._registry.series(f"{prefix}.{what}")))

        def counted(channel: bytes, body: bytes) -> None:
            sums["total"].value += 1
            sums["bytes"].value += len(body)
            call(channel, body)

        return counted

    def _taken_in(self, series: Value) -> Value:
        self._counted.append((series, [series.value]))
        return series

    def _stamp(self) -> None:
        """What has grown since somebody last looked has grown now."""
        now_ns = self._registry.now_ns()
        for series, last in self._counted:
            if series.value != last[0]:
                last[0], series.at_ns = series.value, now_ns
