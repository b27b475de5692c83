"""Which buses are on this machine."""

from __future__ import annotations

import socket

import psutil
import pytest

from broker.probe.nearness import is_near

OWN = [
    address.address
    for addresses in psutil.net_if_addrs().values()
    for address in addresses
    if address.family == socket.AF_INET
]


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://LocalHost:6400/2",
        "redis://user:secret@127.0.0.1:6379",
        "redis://127.8.7.6",
        "rediss://[::1]:6379",
        "redis+cluster://10.254.253.252:7000,127.0.0.1:7001",
        f"redis://{socket.gethostname()}",
        *(f"redis://{address}:6379" for address in OWN),
    ],
)
def test_near(url: str) -> None:
    assert is_near(url)


@pytest.mark.parametrize("url", ["redis://redis.example.org", "redis://192.0.2.7:6379", "rediss://[2001:db8::7]", "?"])
def test_far(url: str) -> None:
    assert not is_near(url)
