"""The Redis discoverer: nodes keep what they are in keys, and that they are alive in keys that go by themselves.

As MoleculerJS's: DISCOVER, INFO and HEARTBEAT never touch the bus, DISCONNECT does.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from broker.node.discovery import Discovery
from broker.protocol.channels import Channel
from broker.protocol.codec import decode, encode
from broker.protocol.packets import Discover, Heartbeat, Info
from broker.protocol.serializers import dumps
from broker.transport.base import KeyStore, TransportError

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.wire import Wire

log = logging.getLogger(__name__)

_INFO_TTL_S: Final = 30 * 60.0
_INFO_KEPT_S: Final = 60 * 60.0
_KEEP_INFO_EVERY_S: Final = 20 * 60.0


class Beat(NamedTuple):
    """What the name of a key says of a node that is alive."""

    node_id: str
    instance: str
    seq: int


class KeyDiscovery(Discovery):
    """Everything by keys."""

    def __init__(self, broker: Broker, wire: Wire, keys: KeyStore, *, serializer: str, full_check: int) -> None:
        """Begin.

        Args:
            broker: Ours.
            wire: The packets that are left: DISCONNECT.
            keys: Where all nodes keep themselves.
            serializer: In which we write; what others wrote is recognised by itself.
            full_check: Values of beats, and with them CPU usage, are read every so many beats; 0 for never.
        """
        super().__init__(broker, wire)
        self._keys = keys
        self._serializer = serializer
        self._full_check = full_check
        self._beats = random.randrange(full_check) if full_check > 1 else 0
        prefix = f"MOL-{broker.namespace}-DSCVR" if broker.namespace else "MOL-DSCVR"
        self._beat_prefix, self._info_prefix = f"{prefix}-BEAT:", f"{prefix}-INFO:"
        self._own_beat = f"{self._beat_prefix}{broker.node_id}|{broker.instance_id[:8]}"
        self._last_beat = ""
        self._is_lost = False
        wire.on("DISCOVER", self.take_discover)
        wire.on("HEARTBEAT", self.take_heartbeat)

    async def begin(self) -> None:
        """See who is there."""
        await self._look()

    def start(self) -> None:
        """Beat, and let our INFO live on."""
        super().start()
        self._every(_KEEP_INFO_EVERY_S, lambda: self._spawn(self._keep_info()))

    def reconnected(self) -> None:
        """Others may be there now."""
        self._spawn(self._tell_all())

    def send_info(self, node_id: str = "") -> None:
        """Write what we are; unless one node asked for it, a beat tells all that it changed."""
        if node_id:
            self._spawn(self._write_info())
        else:
            self.cancel_info()
            self._spawn(self._tell_all())

    def beat(self) -> None:
        """Tell all that we are alive, and see who else is."""
        self._spawn(self._beat_and_look())

    def take_discover(self, packet: Discover) -> None:
        """Somebody asks by packet all the same."""
        if self._broker.is_ready:
            self.send_info(packet.sender)

    def take_heartbeat(self, packet: Heartbeat) -> None:
        """Somebody beats by packet all the same."""
        if not self._broker.registry.take_heartbeat(packet.sender, packet.cpu, self._broker.uptime_s()):
            self._spawn(self._read_infos([packet.sender]))

    async def leave(self) -> None:
        """Say goodbye, and take our keys away."""
        await self._guarded(self._write_info(), "failedSendInfo")
        await super().leave()
        await self._guarded(self._remove_ours(), "clientError")

    async def close(self) -> None:
        """End the connection."""
        await self._keys.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._broker.tasks.spawn(self._guarded(work, "failedKeyScan"), "discoverer")

    async def _guarded(self, work: Coroutine[Any, Any, None], kind: str) -> None:
        try:
            await work
        except TransportError as error:
            self._is_lost = True
            log.warning("the discoverer's keys: %s %s", error.message, error.advice)
            self._broker.notice("$discoverer.error", {"error": error, "module": "discoverer", "type": kind})

    async def _tell_all(self) -> None:
        await self._write_info()
        self.measure()
        await self._beat_and_look()

    async def _write_info(self) -> None:
        broker = self._broker
        packet = Info(**broker.info(), ver=self._wire.spoken[0], sender=broker.node_id)
        await self._keys.put(f"{self._info_prefix}{broker.node_id}", encode(packet, self._serializer), _INFO_TTL_S)

    async def _keep_info(self) -> None:
        await self._keys.keep(f"{self._info_prefix}{self._broker.node_id}", _INFO_KEPT_S)

    async def _beat_and_look(self) -> None:
        local, broker = self._broker.registry.local, self._broker
        if self._is_lost:  # the server may have forgotten us
            await self._write_info()
            self._is_lost = False
        value = {
            "sender": broker.node_id,
            "ver": self._wire.spoken[0],
            "cpu": local.cpu,
            "seq": local.seq,
            "instanceID": broker.instance_id,
        }
        name = f"{self._own_beat}|{local.seq}"
        former, self._last_beat = self._last_beat, name
        await self._keys.put(
            name,
            dumps(value, self._serializer),
            broker.options.heartbeat_timeout_s,
            instead_of=former if former != name else "",
        )
        await self._look()

    async def _look(self) -> None:
        """Take every beat that is there; who has none is gone."""
        registry = self._broker.registry
        before = {node.id for node in registry.nodes.values() if node.available and not node.local}
        names = await self._keys.names(_literal(self._beat_prefix) + "*")
        beats = {name: beat for name in names if (beat := self._beat_of(name)) is not None}
        cpus = await self._read_cpus(list(beats))
        now_s = self._broker.uptime_s()
        unknown = []
        for name, beat in beats.items():
            known = registry.take_heartbeat(
                beat.node_id, cpus.get(name), now_s, seq=beat.seq, instance_id=beat.instance
            )
            if not known and beat.node_id != self._broker.node_id:
                unknown.append(beat.node_id)
        await self._read_infos(unknown)
        if names:
            for node_id in before - {beat.node_id for beat in beats.values()}:
                log.warning("%s has no beat any more", node_id)
                self._broker.node_gone(node_id, unexpected=True)

    async def _read_cpus(self, names: list[str]) -> dict[str, object]:
        self._beats += 1
        if not self._full_check or self._beats % self._full_check or not names:
            return {}
        values = await self._keys.values(names)
        channel = Channel(self._broker.namespace, "HEARTBEAT", "")
        packets = [None if value is None else decode(channel, value) for value in values]
        return {name: packet.cpu for name, packet in zip(names, packets, strict=True) if isinstance(packet, Heartbeat)}

    async def _read_infos(self, node_ids: list[str]) -> None:
        if not node_ids:
            return
        values = await self._keys.values([self._info_prefix + node_id for node_id in node_ids])
        for node_id, value in zip(node_ids, values, strict=True):
            packet = None if value is None else decode(Channel(self._broker.namespace, "INFO", ""), value)
            if isinstance(packet, Info) and packet.sender == node_id:
                self._wire.learn(packet.sender, packet.ver)
                self.take_info(packet)
            else:
                log.warning("%s beats, but says nothing of itself: %s", node_id, packet)

    async def _remove_ours(self) -> None:
        beats = await self._keys.names(_literal(self._own_beat) + "*")
        await self._keys.remove([f"{self._info_prefix}{self._broker.node_id}", *beats])

    def _beat_of(self, name: str) -> Beat | None:
        parts = name.removeprefix(self._beat_prefix).rsplit("|", 2)
        if len(parts) != 3 or not parts[2].isdecimal():
            return None
        return Beat(parts[0], parts[1], int(parts[2]))


def _literal(text: str) -> str:
    """The text as a part of a glob pattern."""
    return re.sub(r"([*?\[\]\\^])", r"\\\1", text)
