"""Publishing, and hearing a node's channels, on a real server."""

from __future__ import annotations

import asyncio
import logging

import pytest
import uvloop

from broker.transport import ConnectionSettings, TransportError, open_publisher, open_subscription
from broker.transport.redis import backoff, wire
from tests.e2e.redis_servers import frozen, order, tapping, until, until_tapped
from tests.e2e.test_redis_tap import calls, limited

parse = ConnectionSettings.parse


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request, caplog):
    """Both loops; what is logged of lost connections is meant."""
    caplog.set_level(logging.CRITICAL, "broker.transport")
    return request.param


def nothing(_channel: bytes, _body: bytes) -> None:
    """Hear, and forget."""


def test_what_is_published_in_one_turn_arrives_in_order(run, redis_server):
    packets = [(b"MOL.REQ.%d" % (i % 7), b"%d" % i * (i % 50)) for i in range(5_000)] + [
        (b"MOL.INFO", b"x" * 2_000_000)
    ]

    async def story():
        async with tapping(redis_server.url) as heard:
            await until_tapped(redis_server)
            publisher = await open_publisher(parse(redis_server.url))
            for channel, body in packets:
                publisher.publish(channel, body)
            await publisher.confirm()
            await until(lambda: len(heard.frames) == len(packets))
            await publisher.close()
            return heard.frames

    assert run(story()) == packets


def test_closing_sends_what_waits(run, redis_server):
    async def story():
        async with tapping(redis_server.url) as heard:
            await until_tapped(redis_server)
            publisher = await open_publisher(parse(redis_server.url))
            publisher.publish(b"MOL.DISCONNECT", b"bye")
            await publisher.close()
            await until(lambda: heard.frames == [(b"MOL.DISCONNECT", b"bye")])

    run(story())


def test_all_publishing_uses_one_connection(redis_server):
    async def story():
        publisher = await open_publisher(parse(redis_server.url))
        before = order(redis_server, "INFO", "stats")["total_connections_received"]

        async def publish(number):
            publisher.publish(b"MOL.INFO", b"%d" % number)
            await publisher.drain()

        await asyncio.gather(*(publish(number) for number in range(300)))
        await publisher.confirm()
        after = order(redis_server, "INFO", "stats")["total_connections_received"]
        await publisher.close()
        return after - before

    assert asyncio.run(story()) == 1  # the one that asks
    assert calls(redis_server, "publish") == 300


def test_a_user_that_may_not_publish_is_told_when_it_asks(run, redis_server):
    url = limited(redis_server, "+publish", "&MOL-ps.*")

    async def story():
        publisher = await open_publisher(parse(url))
        publisher.publish(b"MOL-ps.DISCOVER", b"{}")
        await publisher.confirm()
        publisher.publish(b"MOL-other.DISCOVER", b"{}")
        with pytest.raises(TransportError) as error:
            await publisher.confirm()
        publisher.publish(b"MOL-ps.DISCOVER", b"{}")
        await publisher.confirm()
        await publisher.close()
        return publisher.refused, error.value.message, error.value.advice, error.value.retriable

    message = f"The user 'ghost' of redis://ghost@127.0.0.1:{redis_server.port} may not publish there."
    assert run(story()) == (1, message, "Let its ACL allow +publish and &MOL*.", False)


def test_what_is_published_while_the_server_is_away_is_counted_as_lost(run, redis_server):
    async def story():
        publisher = await open_publisher(parse(redis_server.url))
        redis_server.stop()
        await until(lambda: not publisher.is_connected)
        publisher.publish(b"MOL.INFO", b"1")
        publisher.publish(b"MOL.INFO", b"2")
        with pytest.raises(TransportError, match="the connection is lost"):
            await publisher.confirm()
        lost = publisher.lost
        redis_server.start()

        def is_back():
            publisher.publish(b"MOL.INFO", b"3")
            return calls(redis_server, "publish")

        await until(is_back)
        await publisher.confirm()
        await publisher.close()
        return lost

    assert run(story()) == 2


def test_a_connection_that_cannot_be_had_is_an_error_at_once(run, redis_server):
    redis_server.stop()

    async def story():
        with pytest.raises(TransportError, match="connection refused"):
            await open_publisher(parse(redis_server.url))
        with pytest.raises(TransportError, match="connection refused"):
            await open_subscription(parse(redis_server.url), [b"MOL.INFO"], nothing)
        return asyncio.all_tasks() == {asyncio.current_task()}

    assert run(story())


# subscriptions


def test_a_subscription_hears_its_channels_and_those_added_and_not_those_removed(run, redis_server):
    async def story():
        heard = []
        subscription = await open_subscription(
            parse(redis_server.url), [b"MOL.INFO", b"MOL.REQ.a"], lambda channel, body: heard.append((channel, body))
        )
        publisher = await open_publisher(parse(redis_server.url))
        await subscription.add([b"MOL.REQB.x", b"MOL.INFO"])
        await subscription.remove([b"MOL.REQ.a", b"MOL.PING"])
        for channel in (b"MOL.INFO", b"MOL.REQ.a", b"MOL.REQB.x"):
            publisher.publish(channel, b"x" * 100_000)
        await publisher.confirm()
        await until(lambda: len(heard) == 2)
        await publisher.close()
        await subscription.close()
        return [channel for channel, _ in heard], asyncio.all_tasks() == {asyncio.current_task()}

    assert run(story()) == ([b"MOL.INFO", b"MOL.REQB.x"], True)


def test_a_subscription_comes_back_with_all_its_channels_and_says_so(run, redis_server):
    async def story():
        heard, back = [], []
        subscription = await open_subscription(
            parse(redis_server.url), [b"MOL.INFO"], lambda _channel, body: heard.append(body), lambda: back.append(1)
        )
        await subscription.add([b"MOL.REQ.a"])
        redis_server.stop()
        await until(lambda: not subscription.is_heard)
        await subscription.add([b"MOL.REQ.b"])
        redis_server.start()
        await until(lambda: back)
        for channel in ("MOL.INFO", "MOL.REQ.a", "MOL.REQ.b"):
            order(redis_server, "PUBLISH", channel, channel)
        await until(lambda: len(heard) == 3)
        await subscription.close()
        return back

    assert run(story()) == [1]


def test_a_server_that_stands_still_is_noticed_by_publisher_and_subscription(run, redis_server, monkeypatch):
    monkeypatch.setattr(backoff, "MOST_S", 0.5)
    monkeypatch.setattr(wire, "QUIET_S", 0.5)
    monkeypatch.setattr(wire, "ANSWER_S", 0.7)

    async def story():
        back = []
        subscription = await open_subscription(parse(redis_server.url), [b"MOL.INFO"], nothing, lambda: back.append(1))
        publisher = await open_publisher(parse(redis_server.url))
        with frozen(redis_server):
            publisher.publish(b"MOL.INFO", b"into the dark")
            with pytest.raises(TransportError):
                await publisher.confirm()
            await until(lambda: not subscription.is_heard)
        await until(lambda: back)
        await publisher.close()
        await subscription.close()

    run(story())


def test_a_bug_of_who_hears_is_logged_and_the_next_packet_is_heard(run, redis_server, caplog):
    caplog.set_level(logging.ERROR, "broker.transport")

    async def story():
        heard = []

        def deliver(_channel, body):
            if body == b"bad":
                raise LookupError("a bug")
            heard.append(body)

        subscription = await open_subscription(parse(redis_server.url), [b"MOL.INFO"], deliver)
        for body in ("bad", "good"):
            order(redis_server, "PUBLISH", "MOL.INFO", body)
        await until(lambda: heard == [b"good"])
        await subscription.close()

    run(story())
    assert "could not be taken in" in caplog.text
    caplog.clear()


def test_a_user_that_may_not_hear_a_nodes_channels_is_told(run, redis_server):
    url = limited(redis_server, "+subscribe", "+unsubscribe", "&MOL-ps.INFO")

    async def story():
        with pytest.raises(TransportError, match="may not hear a node's channels") as error:
            await open_subscription(parse(url), [b"MOL.INFO"], nothing)
        subscription = await open_subscription(parse(url), [b"MOL-ps.INFO"], nothing)
        with pytest.raises(TransportError, match="may not hear a node's channels"):
            await subscription.add([b"MOL-ps.REQ.a"])
        await subscription.close()
        return error.value.retriable

    assert run(story()) is False
