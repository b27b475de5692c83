"""The probe that benches let sleep and wake up: a real child process on a real Redis."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
import redis

from bench.bare import SLEEP, WAKE
from bench.listeners import PROBE_IN_TURN, Roll, bare_in_turn
from bench.servers import Count
from bench.turns import Turn
from broker.mesh.timeline import Timeline
from broker.probe.client import ProbeCallbacks, ProbeClient, SessionOptions
from broker.probe.status import ProbeStatus
from tests.e2e.redis_server import RedisServer
from tests.waiting import until


@pytest.fixture
def bus(redis_server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_server.url) as bus:
        yield bus


@pytest.fixture
def roll(redis_server: RedisServer) -> Iterator[Roll]:
    roll = Roll(redis_server.port)
    yield roll
    roll.close()


def call(bus: redis.Redis, number: int) -> None:
    request = {"ver": "5", "sender": "a", "id": f"id-{number}", "action": "users.get", "timeout": 0}
    bus.publish("MOL.REQ.b", json.dumps(request | {"params": {}, "meta": {}}))
    answer = {"ver": "5", "sender": "b", "id": f"id-{number}", "success": True, "data": 1}
    bus.publish("MOL.RES.a", json.dumps(answer))


def test_a_probe_hears_all_while_it_is_awake_and_nothing_while_it_sleeps(
    redis_server: RedisServer, bus: redis.Redis, roll: Roll
) -> None:
    timeline, statuses = Timeline(), list[ProbeStatus]()
    client = ProbeClient(ProbeCallbacks(timeline.take, statuses.append), PROBE_IN_TURN)
    client.open(SessionOptions(url=redis_server.url, keeps_catalogue=False))
    try:
        until(lambda: statuses and statuses[-1].state == "listening")
        heard = 0
        for turn in range(3):
            roll.wait_until(1)
            for number in range(5):
                call(bus, 100 * turn + number)
            heard += 5
            until(lambda: timeline.snapshot().call_count == heard)  # noqa: B023  it is over before the next
            os.kill(client.process_id, SLEEP)
            roll.wait_until(0)
            call(bus, 100 * turn + 99)
            os.kill(client.process_id, WAKE)
        roll.wait_until(1)
        call(bus, 1000)
        until(lambda: timeline.snapshot().call_count > heard)
        assert timeline.snapshot().call_count == heard + 1
        assert statuses[-1].state == "listening"
    finally:
        client.close()


def test_a_bare_subscriber_tells_how_much_it_read_in_its_turn(
    redis_server: RedisServer, bus: redis.Redis, roll: Roll
) -> None:
    with bare_in_turn(redis_server.port) as bare:
        roll.wait_until(0)
        bus.publish("MOL.REQ.b", b"x" * 100_000)
        bare.wake()
        roll.wait_until(1)
        bus.publish("MOL.REQ.b", b"x" * 10_000)

        def read_bytes() -> int:
            return bare.heard(Turn(1, 1.0), Count(0, 0.0), Count(1, 1.0)).heard_bytes

        until(lambda: read_bytes() >= 10_000)
        assert read_bytes() < 20_000
        bare.sleep()
        roll.wait_until(0)
