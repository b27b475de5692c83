"""Asking: one DISCOVER to each namespace, in the protocol that it speaks, once that is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from broker.observe.journal import StateChange
from broker.operate.commands import Report, TargetReport
from broker.protocol.channels import parse_channel
from broker.protocol.codec import channel_of, encode
from broker.protocol.frame import RawFrame
from broker.protocol.headers import Malformed, read_other
from broker.protocol.packets import Discover
from broker.protocol.serializers import JSON, serializer_of
from broker.transport.base import Publisher

PROTOCOLS: Final = ("4", "5")
MAX_CHANNELS: Final = 50_000
MAX_SPEAKERS: Final = 10_000


class Tongue(NamedTuple):
    """Somebody who was heard: a node of a namespace and the protocol it speaks."""

    namespace: str
    protocol: str
    node_id: str


class Tongues:
    """Which protocol versions are spoken, by whom, in which serializer. Nothing is ever sent before that is known.

    Attributes:
        channels: Of which a frame was looked into.
    """

    def __init__(self, own_node_id: str, serializer: str = "") -> None:
        """
        Args:
            own_node_id: Ours, which is not heard.
            serializer: In which we speak; empty for that of each namespace.
        """
        self._own_node_id = own_node_id
        self._serializer = serializer
        self._heard: dict[tuple[str, str], dict[str, None]] = {}
        self._serializers: dict[str, str] = {}
        self._new: list[Tongue] = []
        self.channels: set[bytes] = set()

    def knows(self, channel: bytes) -> bool:
        """Whether a frame of this channel was looked into."""
        return channel in self.channels

    def hear(self, _at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in frames; looks into the first one of each channel."""
        known = self.channels
        for channel, body in frames:
            if channel in known:
                continue
            if len(known) >= MAX_CHANNELS:
                known.clear()
            known.add(channel)
            name = parse_channel(channel)
            header = read_other(body) if name is not None else None
            if name is not None and header is not None and not isinstance(header, Malformed):
                self._serializers.setdefault(name.namespace, serializer_of(body) or JSON)
                self._learn(name.namespace, header.ver, header.sender)

    def learn(self, changes: Iterable[StateChange]) -> None:
        """Take in what was observed of nodes: who is never the first on a channel is known only from this.

        What is remembered of an earlier session is no reason to speak.
        """
        for change in changes:
            if change.kind == "node" and change.value is not None and change.source != "catalogue":
                self._learn(change.namespace, change.value.get("protocol"), change.key)

    def _learn(self, namespace: str, protocol: object, sender: object) -> None:
        if protocol not in PROTOCOLS or not isinstance(sender, str) or sender == self._own_node_id:
            return
        speakers = self._heard.setdefault((namespace, str(protocol)), {})
        if sender not in speakers and len(speakers) < MAX_SPEAKERS:
            speakers[sender] = None
            self._new.append(Tongue(namespace, str(protocol), sender))

    def take_new(self) -> list[Tongue]:
        """Who was heard for the first time since this was last asked."""
        new, self._new = self._new, []
        return new

    def spoken(self) -> list[tuple[str, str]]:
        """(namespace, protocol) of all heard so far."""
        return list(self._heard)

    def of(self, namespace: str) -> list[str]:
        """The protocols heard in a namespace."""
        return [protocol for known, protocol in self._heard if known == namespace]

    def speakers(self, namespace: str, protocol: str) -> list[str]:
        """Who speaks a protocol there, as far as was heard."""
        return list(self._heard.get((namespace, protocol), ()))

    def serializer(self, namespace: str) -> str:
        """What our packets for a namespace are written in."""
        return self._serializer or self._serializers.get(namespace, JSON)


class Asker:
    """Publishes DISCOVER under a node id of ours that no registry knows. INFO replies come to the tap.

    A namespace that speaks one protocol is asked by broadcast. In a mixed one
    every node is asked by itself, in its own: a packet of the other version is
    an error in a node's log.
    """

    def __init__(self, publisher: Publisher, node_id: str, tongues: Tongues) -> None:
        self._publisher = publisher
        self._node_id = node_id
        self._tongues = tongues
        self._asked: set[str] = set()

    def heard(self, new: Iterable[Tongue]) -> None:
        """Somebody spoke for the first time: ask its namespace, once; in a mixed one ask just the newcomer."""
        for tongue in new:
            if len(self._tongues.of(tongue.namespace)) > 1:
                self._ask(tongue.namespace, tongue.protocol, tongue.node_id)
            elif tongue.namespace not in self._asked:
                self._ask(tongue.namespace, tongue.protocol)
            self._asked.add(tongue.namespace)

    def ask_once(self) -> Report:
        """Ask all that are known, now."""
        spoken = self._tongues.spoken()
        if not spoken:
            return Report(
                "unknown",
                "Nothing was heard yet, so which protocol the mesh speaks is not known.",
                "It will be asked with the first packet heard.",
            )
        for namespace in dict.fromkeys(namespace for namespace, _ in spoken):
            self.ask_namespace(namespace)
        targets = tuple(
            TargetReport(f"namespace '{namespace}', protocol {protocol}", "done") for namespace, protocol in spoken
        )
        return Report("done", "Asked who is there.", targets=targets)

    def ask_namespace(self, namespace: str) -> None:
        """Ask all who are known in one namespace, now."""
        self._asked.add(namespace)
        protocols = self._tongues.of(namespace)
        for protocol in protocols:
            for node_id in self._tongues.speakers(namespace, protocol) if len(protocols) > 1 else [""]:
                self._ask(namespace, protocol, node_id)

    def _ask(self, namespace: str, protocol: str, node_id: str = "") -> None:
        packet = Discover(ver=protocol, sender=self._node_id)
        body = encode(packet, self._tongues.serializer(namespace))
        self._publisher.publish(channel_of(packet, namespace, node_id), body)
