"""Asking: one DISCOVER to each namespace, in the protocol that it speaks, once that is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from broker.observe.journal import StateChange
from broker.operate.commands import Report, TargetReport
from broker.protocol.channels import parse_channel
from broker.protocol.codec import channel_of, encode
from broker.protocol.frame import RawFrame
from broker.protocol.headers import Malformed, read_other
from broker.protocol.packets import Discover
from broker.transport.base import Publisher

PROTOCOLS: Final = ("4", "5")
MAX_CHANNELS: Final = 50_000


class Tongues:
    """Which protocol versions are spoken, and where. Nothing is ever sent before that is known."""

    def __init__(self, own_node_id: str) -> None:
        self._own_node_id = own_node_id
        self._heard: dict[tuple[str, str], None] = {}
        self._new: list[tuple[str, str]] = []
        self._channels: set[bytes] = set()

    def hear(self, _at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in frames; looks into the first one of each channel."""
        known = self._channels
        for channel, body in frames:
            if channel in known:
                continue
            if len(known) >= MAX_CHANNELS:
                known.clear()
            known.add(channel)
            name = parse_channel(channel)
            header = read_other(body) if name is not None else None
            if name is not None and header is not None and not isinstance(header, Malformed):
                self._learn(name.namespace, header.ver, header.sender)

    def learn(self, changes: Iterable[StateChange]) -> None:
        """Take in what was observed of nodes."""
        for change in changes:
            if change.kind == "node" and change.value is not None and change.source in ("info", "key"):
                self._learn(change.namespace, change.value.get("protocol"), change.key)

    def _learn(self, namespace: str, protocol: object, sender: object) -> None:
        if protocol not in PROTOCOLS or sender == self._own_node_id:
            return
        spoken = namespace, str(protocol)
        if spoken not in self._heard:
            self._heard[spoken] = None
            self._new.append(spoken)

    def take_new(self) -> list[tuple[str, str]]:
        """(namespace, protocol) of those learnt since this was last asked."""
        new, self._new = self._new, []
        return new

    def spoken(self) -> list[tuple[str, str]]:
        """(namespace, protocol) of all heard so far."""
        return list(self._heard)

    def of(self, namespace: str) -> list[str]:
        """The protocols heard in a namespace."""
        return [protocol for known, protocol in self._heard if known == namespace]


class Asker:
    """Publishes DISCOVER under a node id of ours that no registry knows. INFO replies come to the tap."""

    def __init__(self, publisher: Publisher, node_id: str, tongues: Tongues) -> None:
        self._publisher = publisher
        self._node_id = node_id
        self._tongues = tongues

    def heard(self, new: Iterable[tuple[str, str]]) -> None:
        """A namespace's protocol became known: ask it, once."""
        for namespace, protocol in new:
            self._ask(namespace, protocol)

    def ask_once(self) -> Report:
        """Ask all that are known, now."""
        spoken = self._tongues.spoken()
        if not spoken:
            return Report(
                "unknown",
                "Nothing was heard yet, so which protocol the mesh speaks is not known.",
                "It will be asked with the first packet heard.",
            )
        targets = []
        for namespace, protocol in spoken:
            self._ask(namespace, protocol)
            targets.append(TargetReport(f"namespace '{namespace}', protocol {protocol}", "done"))
        return Report("done", "Asked who is there.", targets=tuple(targets))

    def _ask(self, namespace: str, protocol: str) -> None:
        packet = Discover(ver=protocol, sender=self._node_id)
        self._publisher.publish(channel_of(packet, namespace), encode(packet))
