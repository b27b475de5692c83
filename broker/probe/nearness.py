"""Whether a bus is on this machine: then the mesh may be, too."""

from __future__ import annotations

import ipaddress
import socket

import psutil

from broker.transport import ConnectionSettings


def is_near(url: str) -> bool:
    """Whether one of a URL's hosts is this machine, as far as it can be told without asking anybody.

    Args:
        url: Of the bus; one that is none is not near.
    """
    try:
        hosts = ConnectionSettings.parse(url).hosts
    except ValueError:
        return False
    return any(_is_here(host.lower()) for host, _ in hosts)


def _is_here(host: str) -> bool:
    if host in ("localhost", socket.gethostname().lower()):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or str(address) in _own_addresses()


def _own_addresses() -> set[str]:
    found = (address.address for addresses in psutil.net_if_addrs().values() for address in addresses)
    return {address.partition("%")[0] for address in found}  # without the interface
