"""Compressed and encrypted packets cross between our node and MoleculerJS, in every serializer, both ways."""

from __future__ import annotations

import pytest

from tests.e2e.redis_server import RedisServer
from tests.interop.columns import SERIALIZERS, Chain
from tests.interop.mesh import mesh, run
from tests.interop.services import digest, sha256_of

pytestmark = pytest.mark.usefixtures("moleculerjs")

KEY, IV = "01234567890123456789012345678901", "0123456789012345"
TEXT = "é😀 and so on, " * 1000

DEFLATE: Chain = [["Compression", {"method": "deflate", "threshold": "1kb"}]]
LOCK: Chain = [["Encryption", KEY, "aes-256-cbc", IV]]


async def cross(redis: RedisServer, version: str, serializer: str, chain: Chain) -> None:
    """Call, be called, emit and stream, in small and in big."""
    async with mesh(redis, version, serializer=serializer, transmit=chain) as m:
        for value in ({"a": 1}, {"text": TEXT}, [TEXT] * 40, None):
            assert await m.broker.call("v3.js.echo", value) == value
            assert (await m.js.ask("call", action="v1.py.echo", params=value))["ok"] == value
        await m.broker.broadcast("to.js.big", {"text": TEXT})
        (heard,) = await m.js.heard(1)
        assert heard["data"] == {"text": TEXT}
        await m.js.ask("broadcast", event="to.py.big", data={"text": TEXT})
        assert (await m.py.heard(1))[0]["data"] == {"text": TEXT}
        size = 1 << 20
        expected, params = {"size": size, "sha256": sha256_of(size)}, {"bytes": size, "chunk": size}
        assert await digest(await m.broker.call("v3.js.give", params)) == expected
        assert (await m.js.ask("get", action="v1.py.give", params=params))["ok"] == expected


@pytest.mark.parametrize(
    ("version", "serializer"), [(version, each) for version, known in SERIALIZERS.items() for each in known]
)
def test_calls_events_and_streams_cross_both_ways(shared_redis: RedisServer, version: str, serializer: str) -> None:
    run(cross(shared_redis, version, serializer, LOCK + DEFLATE))


@pytest.mark.parametrize("version", ["014", "015"])
@pytest.mark.parametrize(
    "chain",
    [
        DEFLATE,
        LOCK,
        [["Compression", {"method": "deflateRaw", "threshold": 0}]],
        [["Compression", {"method": "gzip", "threshold": None}]],
        [["Encryption", KEY[:16], "aes-128-ctr", IV]],
        [["Encryption", KEY[:24], "aes-192-cbc", IV]],
        DEFLATE + LOCK,  # encrypted first, then compressed
        [["Compression", {"method": "gzip", "threshold": 10}], *LOCK, *DEFLATE],
    ],
    ids=["compressed", "encrypted", "deflateRaw", "gzip", "ctr", "192 bits", "the other order", "three"],
)
def test_other_methods_algorithms_and_orders_cross_too(shared_redis: RedisServer, version: str, chain: Chain) -> None:
    run(cross(shared_redis, version, "JSON", chain))


def test_a_password_without_an_iv_is_what_0_14_makes_of_it(shared_redis: RedisServer) -> None:
    run(cross(shared_redis, "014", "JSON", [["Encryption", "moleculer"]]))


def test_a_key_without_an_iv_is_what_0_15_takes(shared_redis: RedisServer) -> None:
    run(cross(shared_redis, "015", "JSON", [["Encryption", KEY, "aes-256-ecb"]]))
