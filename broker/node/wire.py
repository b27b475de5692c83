"""Between packets and the bus: encoding, channel names, who speaks which version, who takes which packet."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from broker.native import IS_COMPILED, compiled
from broker.node.errors import InvalidPacketDataError, ProtocolVersionMismatchError
from broker.node.link import Link
from broker.node.middleware.base import Publish, Receive, Send, TakePacket
from broker.node.middleware.stack import Middlewares
from broker.protocol import ordinary
from broker.protocol.channels import Channel, channel_name, parse_channel
from broker.protocol.codec import decode, decode_extended, encode, json_reader
from broker.protocol.headers import Malformed
from broker.protocol.packets import Packet
from broker.protocol.serializers import JSON, JSON_EXT, REFUSALS, serializer_name

log = logging.getLogger(__name__)

BROADCAST_COMMANDS = ("DISCOVER", "INFO", "DISCONNECT", "HEARTBEAT", "PING")
TARGETED_COMMANDS = ("EVENT", "REQ", "RES", "DISCOVER", "INFO", "PING", "PONG")

PROTOCOLS = ("4", "5")
"""Versions that we speak: MoleculerJS 0.14's and 0.15's."""

_MOST_NAMES = 10_000
"""Of channels that are remembered; there are many only where nodes come and go under ever new ids."""

Take = Callable[[Any], None]
"""Takes one packet."""


class Wire:
    """The packets of one node.

    Attributes:
        link: Our connection, or None.
        spoken: The versions in which we broadcast.
        protocols: In which version each node spoke last.
        malformed: How many packets could not be read.
        is_known: Tells whether a node is one of the mesh; of others not everything is remembered.
        on_fault: Told of packets that could not be handled.
        ordinary_requests: Channels of the nodes to which ordinary requests may go as `broker.protocol.ordinary`
            writes them, by node.
        ordinary_responses: The same of answers.
        put_out: Puts bytes on a channel.
        send: Puts a packet out: (packet, the node it is for or "" for all); raises TypeError when it
            holds something that cannot be serialized.
        receive: Takes in what came on one of our channels: (channel, body); never raises, whatever it is.
    """

    def __init__(
        self, node_id: str, namespace: str, serializer: str, protocols: Iterable[str], middlewares: Middlewares
    ) -> None:
        """Begin without a connection.

        Args:
            node_id: Ours.
            namespace: Ours.
            serializer: In which everything is written; what arrives is recognised by itself.
            protocols: Versions in which we broadcast from the beginning.
            middlewares: May put something around what passes here.

        Raises:
            ValueError: There is no such serializer.
        """
        self._node_id = node_id
        self._namespace = namespace
        self._serializer = serializer_name(serializer)
        self._decode = decode_extended if self._serializer == JSON_EXT else decode
        self.spoken = list(protocols)
        self.protocols: dict[str, str] = {}
        self._takers: dict[str, Take] = {}
        self._channels: dict[bytes, Channel | None] = {}
        self._known: dict[bytes, tuple[Callable[[bytes], Any], Take]] = {}
        self._names: dict[str, dict[str, bytes]] = {}
        self.ordinary_requests: dict[str, bytes] = {}
        self.ordinary_responses: dict[str, bytes] = {}
        self.link: Link | None = None
        self.malformed = 0
        self.is_known: Callable[[str], bool] = lambda _node_id: False
        self.on_fault: Callable[[Exception], None] = lambda _error: None
        self._faults = 0
        self._middlewares = middlewares
        self.put_out: Send = _nowhere
        self._writes_plainly = self._serializer == JSON and not middlewares.has("transit_publish")
        self.send: Publish = middlewares.wrap("transit_publish", self._send)
        receive: Receive = self.receive_slowly
        if IS_COMPILED:
            receive = compiled.Post(self._known, self.protocols, self._receive_with_care, self._fault)
        self.receive: Receive = middlewares.wrap("transporter_receive", receive, first_is_outermost=True)
        self._is_watched = middlewares.has("transit_message_handler")
        self._handle: TakePacket = middlewares.wrap("transit_message_handler", self._take)

    def attach(self, link: Link) -> None:
        """From now on what is sent goes there."""
        self.link = link
        self.put_out = self._middlewares.wrap("transporter_send", link.publish)

    async def close(self) -> None:
        """Leave the bus."""
        if self.link is not None:
            link, self.link, self.put_out = self.link, None, _nowhere
            await link.close()

    def subscriptions(self) -> list[bytes]:
        """The twelve channels of a node."""
        everybody = [channel_name(self._namespace, command) for command in BROADCAST_COMMANDS]
        return everybody + [channel_name(self._namespace, command, self._node_id) for command in TARGETED_COMMANDS]

    def on(self, command: str, take: Take) -> None:
        """From now on this takes the packets of a command, such as ``REQ``."""
        self._takers[command] = take
        self._channels.clear()
        self._known.clear()

    def protocol_of(self, node_id: str) -> str:
        """The version in which to speak to a node."""
        return self.protocols.get(node_id, self.spoken[0])

    def _send(self, packet: Packet, target: str) -> None:
        body = encode(packet, self._serializer)
        try:
            channel = self._names[packet.COMMAND][target]
        except KeyError:
            channel = self._name_channel(packet.COMMAND, target)
        self.put_out(channel, body)

    def _name_channel(self, command: str, target: str) -> bytes:
        """A channel's name, remembered."""
        names = self._names.setdefault(command, {})
        if len(names) >= _MOST_NAMES:
            names.clear()
        name = names[target] = channel_name(self._namespace, command, target)
        return name

    async def drain(self) -> None:
        """Wait while too much is waiting to leave."""
        if self.link is not None:
            await self.link.drain()

    def receive_slowly(self, name: bytes, body: bytes) -> None:
        """What came on a channel; most is an ordinary packet in JSON from a node that we know."""
        known = self._known.get(name)
        if known is None:
            self._receive_with_care(name, body)
            return
        read, take = known
        try:
            packet = read(body)
            is_expected = self.protocols.get(packet.sender) == packet.ver
        except REFUSALS:
            is_expected = False
        if not is_expected:
            self._receive_with_care(name, body)
            return
        try:
            take(packet)
        except Exception as error:  # noqa: BLE001 - one packet, whatever it is, harms no other
            self._fault(error)

    def _receive_with_care(self, name: bytes, body: bytes) -> None:
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = parse_channel(name)
            self._remember(name, channel)
        if channel is None:
            return
        packet = self._decode(channel, body)
        if isinstance(packet, Malformed):
            self.malformed += 1
            self._fault(InvalidPacketDataError(f"a packet on {packet.channel} cannot be read: {packet.reason}"))
            return
        if packet.sender == self._node_id and channel.command not in ("REQ", "RES", "EVENT", "INFO"):
            return
        if packet.ver not in PROTOCOLS:
            self._fault(ProtocolVersionMismatchError(packet.sender, self.spoken[0], packet.ver))
            return
        if self.protocols.get(packet.sender) != packet.ver:
            self.learn(packet.sender, packet.ver)
        try:
            if self._is_watched:
                self._handle(channel.command, packet)
            elif (take := self._takers.get(channel.command)) is not None:
                take(packet)
        except Exception as error:  # noqa: BLE001 - one packet, whatever it is, harms no other
            self._fault(error)

    def _remember(self, name: bytes, channel: Channel | None) -> None:
        """Most of what comes on our own channels needs no second look."""
        if channel is None or self._serializer != JSON or channel.command not in ("REQ", "RES", "EVENT"):
            return
        take = self._takers.get(channel.command)
        if self._is_watched:
            take = partial(self._handle, channel.command)
        if take is not None:
            self._known[name] = json_reader(channel.command), take

    def _fault(self, error: Exception) -> None:
        self._faults += 1
        if self._faults & (self._faults - 1) == 0:  # a flood of them must not become a flood of lines
            log.error("%d packet(s) could not be handled; the last: %s", self._faults, error, exc_info=error)
        self.on_fault(error)

    def _take(self, command: str, packet: Any) -> None:
        take = self._takers.get(command)
        if take is not None:
            take(packet)

    def learn(self, sender: str, protocol: str) -> None:
        """A node speaks this version: so do we to it, and from now on to all as well."""
        if protocol not in PROTOCOLS or self.protocols.get(sender) == protocol:
            return
        if len(self.protocols) > _MOST_NAMES:  # senders that pass by, each under a new id
            for stranger in [each for each in self.protocols if not self.is_known(each)]:
                for kept in (self.protocols, self.ordinary_requests, self.ordinary_responses):
                    kept.pop(stranger, None)
        self.protocols[sender] = protocol
        self._learn_ordinary(sender, protocol)
        if protocol not in self.spoken:
            self.spoken.append(protocol)
            log.info("%s speaks version %s: so do we from now on", sender, protocol)

    def _learn_ordinary(self, node_id: str, protocol: str) -> None:
        """Whether what goes to a node may be written without a packet between."""
        if self._writes_plainly and protocol == ordinary.VERSION:
            self.ordinary_requests[node_id] = channel_name(self._namespace, "REQ", node_id)
            self.ordinary_responses[node_id] = channel_name(self._namespace, "RES", node_id)
        else:
            self.ordinary_requests.pop(node_id, None)
            self.ordinary_responses.pop(node_id, None)


def _nowhere(_channel: bytes, _body: bytes) -> None:
    """We are not connected: nobody hears it."""
