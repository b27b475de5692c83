"""A connection tested step by step, against real servers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import redis

from broker.clock import SystemClock
from broker.transport.base import CheckResult
from broker.transport.reach import Begun
from broker.transport.steps import check_steps
from broker.transport.url import ConnectionSettings
from tests.e2e.conftest import StartRedis
from tests.e2e.redis_server import Certificates, RedisServer, free_port


def told(url: str, *, listen_s: float = 0.6, **more: str) -> list[Begun | CheckResult]:
    async def ask() -> list[Begun | CheckResult]:
        settings = ConnectionSettings.parse(url, **more)  # type: ignore[arg-type]
        return [step async for step in check_steps(settings, SystemClock(), listen_s=listen_s)]

    return asyncio.run(ask())


def findings(steps: list[Begun | CheckResult]) -> list[tuple[str, bool]]:
    return [(step.name, step.ok) for step in steps if isinstance(step, CheckResult)]


@pytest.fixture
def talking(redis_server: RedisServer) -> Iterator[RedisServer]:
    """A server on which two namespaces talk."""
    stop = threading.Event()

    def talk() -> None:
        client = redis.Redis(port=redis_server.port)
        while not stop.wait(0.02):
            client.publish("MOL-prod.HEARTBEAT", b'{"ver":"4","sender":"a","cpu":1}')
            client.publish("MOL-dev.HEARTBEAT", b'{"ver":"4","sender":"b","cpu":1}')
        client.close()

    thread = threading.Thread(target=talk)
    thread.start()
    yield redis_server
    stop.set()
    thread.join()


def test_every_step_is_told_up_to_the_namespaces_that_are_heard(talking: RedisServer) -> None:
    steps = told(f"redis://localhost:{talking.port}")
    assert [step.name for step in steps if isinstance(step, Begun)] == ["name", "reached", "login", "heard"]
    found = findings(steps)
    assert [name for name, _ in found[:4]] == ["name", "reached", "login", "listening"]
    assert all(ok for _, ok in found)
    last = steps[-1]
    assert isinstance(last, CheckResult)
    assert "2 namespaces: " in last.message
    assert "'prod'" in last.message
    assert "'dev'" in last.message


def test_a_silent_server_is_no_failure_and_says_what_to_expect(redis_server: RedisServer) -> None:
    last = told(redis_server.url)[-1]
    assert isinstance(last, CheckResult)
    assert (last.name, last.ok) == ("heard", True)
    assert last.message.startswith("no packet in 0.6 s")


def test_a_test_ends_at_the_first_step_that_fails_and_says_what_to_do() -> None:
    steps = told("redis://no-such-host.invalid:6379")
    assert findings(steps) == [("name", False)]
    steps = told(f"redis://127.0.0.1:{free_port()}")
    assert findings(steps) == [("reached", False)]
    refused = steps[-1]
    assert isinstance(refused, CheckResult)
    assert "refuses connections" in refused.message
    assert refused.advice.startswith("Is the server running")


def test_of_several_hosts_one_that_answers_is_enough(redis_server: RedisServer) -> None:
    steps = told(f"redis+cluster://127.0.0.1:{free_port()},127.0.0.1:{redis_server.port}")
    assert findings(steps)[:2] == [("reached", False), ("reached", True)]
    assert len(findings(steps)) > 2


def test_a_wrong_password_is_told_after_the_server_was_reached(start_redis: StartRedis) -> None:
    server = start_redis(password="right")
    steps = told(f"redis://127.0.0.1:{server.port}", password="wrong")
    assert findings(steps) == [("reached", True), ("login", False)]
    last = steps[-1]
    assert isinstance(last, CheckResult)
    assert "wrong" not in last.message.replace("wrong password", "")


def test_tls_is_a_step_of_its_own_and_an_unknown_authority_is_told(
    start_redis: StartRedis, certificates: Certificates
) -> None:
    server = start_redis(certificates=certificates)
    steps = told(f"rediss://localhost:{server.port}", tls_ca=str(certificates.authority))
    assert ("TLS", True) in findings(steps)
    greeting = next(step for step in steps if isinstance(step, CheckResult) and step.name == "TLS")
    assert greeting.message.startswith("TLSv1.")
    refused = told(f"rediss://localhost:{server.port}")[-1]
    assert isinstance(refused, CheckResult)
    assert (refused.name, refused.ok) == ("TLS", False)
    assert "authority" in refused.advice


def test_a_server_without_tls_is_told_apart(redis_server: RedisServer) -> None:
    last = told(f"rediss://localhost:{redis_server.port}")[-1]
    assert isinstance(last, CheckResult)
    assert (last.name, last.ok, last.advice) == ("TLS", False, "Does this port speak TLS at all?")
