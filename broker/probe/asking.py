"""Asking: one DISCOVER to each namespace, in the protocol that it speaks, once that is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from broker.observe.journal import StateChange
from broker.operate.commands import Report, TargetReport
from broker.protocol.codec import channel_of, encode
from broker.protocol.packets import Discover
from broker.transport.base import Publisher

PROTOCOLS = ("4", "5")


class Tongues:
    """Which protocol versions are spoken, and where. Nothing is ever sent before that is known."""

    def __init__(self, own_node_id: str) -> None:
        self._own_node_id = own_node_id
        self._heard: dict[tuple[str, str], None] = {}

    def learn(self, changes: Iterable[StateChange]) -> list[tuple[str, str]]:
        """Take in what was observed.

        Returns:
            (namespace, protocol) of those heard for the first time.
        """
        new = []
        for change in changes:
            if change.kind != "node" or change.value is None or change.key == self._own_node_id:
                continue
            spoken = change.namespace, change.value.get("protocol", "")
            is_heard = change.source not in ("catalogue", "channels") or change.value.get("state") != "remembered"
            if is_heard and spoken[1] in PROTOCOLS and spoken not in self._heard:
                self._heard[spoken] = None
                new.append(spoken)
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
        self._is_owed = False

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
        return Report("done", f"Asked {len(spoken)} times who is there.", targets=tuple(targets))

    def _ask(self, namespace: str, protocol: str) -> None:
        packet = Discover(ver=protocol, sender=self._node_id)
        self._publisher.publish(channel_of(packet, namespace), encode(packet))


Publish = Callable[[bytes, bytes], None]
