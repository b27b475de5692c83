"""Which discoverer a broker has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker.node.discovery import Discovery
from broker.node.errors import BrokerOptionsError
from broker.node.key_discovery import KeyDiscovery
from broker.node.packet_discovery import PacketDiscovery
from broker.transport import open_keys
from broker.transport.memory import MemoryBus
from broker.transport.url import ConnectionSettings

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.wire import Wire


@dataclass(frozen=True, slots=True)
class RedisDiscoverer:
    """Nodes find each other by keys on a Redis server, which may be another one than the bus.

    Attributes:
        url: Of the server, with its database; or a bus in memory.
        serializer: Of the keys' values, the same in the whole mesh.
        full_check: CPU usages are read every so many beats; 0 for never.
    """

    url: str | ConnectionSettings | MemoryBus
    serializer: str = "JSON"
    full_check: int = 10


MakeDiscovery = Callable[["Broker", "Wire"], Discovery]
"""A discoverer of one's own: its class, for instance."""


def discovery_for(broker: Broker, wire: Wire, wanted: str | RedisDiscoverer | MakeDiscovery) -> Discovery:
    """The discoverer that was wanted: ``Local``, a Redis URL, one that is set up, or what makes one.

    Raises:
        BrokerOptionsError: There is none such.
        ValueError: The URL is none; says what is wrong with it.
    """
    if isinstance(wanted, str):
        if wanted.lower() == "local":
            return PacketDiscovery(broker, wire)
        if "://" not in wanted:
            raise BrokerOptionsError(f"Invalid Discoverer type '{wanted}'.", data={"type": wanted})
        wanted = RedisDiscoverer(wanted)
    if not isinstance(wanted, RedisDiscoverer):
        return wanted(broker, wire)
    where = wanted.url
    settings = ConnectionSettings.parse(where) if isinstance(where, str) else where
    keys = settings.keys() if isinstance(settings, MemoryBus) else open_keys(settings)
    return KeyDiscovery(broker, wire, keys, serializer=wanted.serializer, full_check=wanted.full_check)
