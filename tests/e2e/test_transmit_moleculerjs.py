"""Compressed and encrypted packets cross between our node and MoleculerJS, in every serializer, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from broker.node.middleware import Middleware, TransmitCompression, TransmitEncryption
from tests.e2e.test_node_moleculerjs import mesh, pytestmark, redis_url, run
from tests.e2e.test_values_cross_in_every_serializer import each_serializer

__all__ = ["pytestmark", "redis_url"]

KEY, IV = "01234567890123456789012345678901", "0123456789012345"
TEXT = "é😀 and so on, " * 1000

Chain = list[list[Any]]
DEFLATE: Chain = [["Compression", {"method": "deflate", "threshold": "1kb"}]]
LOCK: Chain = [["Encryption", KEY, "aes-256-cbc", IV]]


def ours(chain: Chain) -> list[Middleware]:
    """The same for our node as MoleculerJS is told."""
    made: list[Middleware] = []
    for name, *rest in chain:
        if name == "Compression":
            made.append(TransmitCompression(rest[0]["method"], rest[0]["threshold"]))
        else:
            made.append(TransmitEncryption(*rest))
    return made


async def cross(url: str, version: str, serializer: str, chain: Chain) -> None:
    """Call, be called, emit and stream, in small and in big."""
    async with mesh(url, version, serializer=serializer, transmit=chain, middlewares=ours(chain)) as m:
        for value in ({"a": 1}, {"text": TEXT}, [TEXT] * 40, None):
            assert await m.broker.call("v3.js.echo", value) == value
            assert (await m.js.ask("call", action="v1.py.echo", params=value))["ok"] == value
        await m.broker.broadcast("py.big", {"text": TEXT})
        (heard,) = await m.js.heard(1)
        assert heard["data"] == {"text": TEXT}
        await m.js.ask("broadcast", event="js.big", data={"text": TEXT})
        assert (await m.py_heard(1))[0]["data"] == {"text": TEXT}
        size = 1 << 20
        got = [len(chunk) async for chunk in await m.broker.call("v3.js.bytes", {"n": size})]
        assert sum(got) == size
        assert (await m.js.ask("drain", action="v1.py.bytes", params={"n": size}))["ok"]["size"] == size


@pytest.mark.parametrize("chain", [DEFLATE, LOCK, LOCK + DEFLATE], ids=["compressed", "encrypted", "both"])
@each_serializer
def test_calls_events_and_streams_cross_both_ways(redis_url: str, version: str, serializer: str, chain: Chain) -> None:
    run(cross(redis_url, version, serializer, chain))


@pytest.mark.parametrize("version", ["014", "015"])
@pytest.mark.parametrize(
    "chain",
    [
        [["Compression", {"method": "deflateRaw", "threshold": 0}]],
        [["Compression", {"method": "gzip", "threshold": None}]],
        [["Encryption", KEY[:16], "aes-128-ctr", IV]],
        [["Encryption", KEY[:24], "aes-192-cbc", IV]],
        DEFLATE + LOCK,  # encrypted first, then compressed
        [["Compression", {"method": "gzip", "threshold": 10}], *LOCK, *DEFLATE],
    ],
    ids=["deflateRaw", "gzip", "ctr", "192 bits", "the other order", "three"],
)
def test_other_methods_algorithms_and_orders_cross_too(redis_url: str, version: str, chain: Chain) -> None:
    run(cross(redis_url, version, "JSON", chain))


def test_a_password_without_an_iv_is_what_0_14_makes_of_it(redis_url: str) -> None:
    run(cross(redis_url, "014", "JSON", [["Encryption", "moleculer"]]))


def test_a_key_without_an_iv_is_what_0_15_takes(redis_url: str) -> None:
    run(cross(redis_url, "015", "JSON", [["Encryption", KEY, "aes-256-ecb"]]))
