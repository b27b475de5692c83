"""Sentinel and Cluster."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil

import pytest
from redis.exceptions import MovedError

from broker.transport import ConnectionSettings, check, open_looker, open_publisher, open_subscription
from broker.transport.redis import backoff
from tests.e2e.redis_servers import Sentinels, hand, make_cluster, order, tapping, until, until_tapped


@pytest.fixture
def sentinels(tmp_path, start_redis):
    watching = Sentinels(tmp_path, start_redis)
    yield watching
    watching.stop()


@pytest.fixture
def cluster(tmp_path, start_redis):
    if shutil.which("redis-cli") is None:
        pytest.fail("redis-cli is not on PATH (Debian: apt-get install redis-tools)")
    return make_cluster(start_redis, tmp_path)


def test_the_tap_follows_the_master_through_a_failover(sentinels, monkeypatch):
    monkeypatch.setattr(backoff, "MOST_S", 1.0)

    async def story():
        await sentinels.until_it_knows_the_replica()
        async with tapping(sentinels.url) as heard:
            await until_tapped(sentinels.master)
            order(sentinels.master, "PUBLISH", "MOL.INFO", "before")
            await until(lambda: heard.frames == [(b"MOL.INFO", b"before")])
            sentinels.master.stop()
            await until(lambda: heard.is_open, 20.0)
            order(sentinels.replica, "PUBLISH", "MOL.INFO", "after")
            await until(lambda: heard.frames[1:] == [(b"MOL.INFO", b"after")])
            return heard

    heard = asyncio.run(story())
    assert heard.reasons[0] == f"The connection was closed by the server ({sentinels.url})."
    assert set(heard.reasons[1:]) <= {
        f"Cannot reach {sentinels.url} (master at 127.0.0.1:{sentinels.master.port}): connection refused.",
        f"The Sentinels of {sentinels.url} know no master 'shop' that is up.",
    }


def test_what_a_sentinel_does_not_know_is_told(sentinels):
    async def story():
        await sentinels.until_it_knows_the_replica()
        alone = f"redis+sentinel://127.0.0.1:{sentinels.port}"
        unknown = await check(ConnectionSettings.parse(f"{alone}/other"))
        absent = await check(ConnectionSettings.parse("redis+sentinel://127.0.0.1:1,127.0.0.1:2/shop"))
        found = await check(ConnectionSettings.parse(f"{alone}/shop"))
        mistaken = await check(ConnectionSettings.parse(f"redis://127.0.0.1:{sentinels.port}"))
        return alone, unknown[0], absent[0], found, mistaken

    alone, unknown, absent, found, mistaken = asyncio.run(story())
    assert unknown.message == f"The Sentinels of {alone}/other know no master 'other' that is up."
    assert absent.message == "None of the Sentinels of redis+sentinel://127.0.0.1:1,127.0.0.1:2/shop answered."
    assert all(result.ok for result in found)
    assert "a Sentinel: use redis+sentinel://" in next(each.message for each in mistaken if each.name == "server")


def test_the_tap_hears_what_is_published_on_any_node_of_a_cluster(cluster):
    url = f"redis+cluster://127.0.0.1:1,127.0.0.1:{cluster[0].port}"

    async def story():
        async with tapping(url) as heard:
            await until_tapped(cluster[0])
            for number, node in enumerate(cluster):
                order(node, "PUBLISH", "MOL.INFO", str(number))
            await until(lambda: len(heard.frames) == 3)
            return sorted(heard.frames)

    assert asyncio.run(story()) == [(b"MOL.INFO", b"0"), (b"MOL.INFO", b"1"), (b"MOL.INFO", b"2")]


def test_the_tap_goes_on_to_another_node_when_its_own_ends(cluster):
    url = f"redis+cluster://127.0.0.1:{cluster[0].port},127.0.0.1:{cluster[1].port}"

    async def story():
        async with tapping(url) as heard:
            await until_tapped(cluster[0])
            cluster[0].stop()
            await until(lambda: heard.is_open)
            order(cluster[2], "PUBLISH", "MOL.INFO", "still here")
            await until(lambda: heard.frames == [(b"MOL.INFO", b"still here")])

    asyncio.run(story())


def test_every_node_of_a_cluster_is_asked_for_channels_and_keys(cluster):
    urls = [f"redis+cluster://127.0.0.1:{node.port}" for node in cluster]
    values = {f"MOL-DSCVR-INFO:node-{i}": b"%d" % i for i in range(60)}

    for node, (key, value) in itertools.product(cluster, values.items()):
        with hand(node) as client, contextlib.suppress(MovedError):
            client.set(key, value)

    async def story():
        subscriptions = [
            await open_subscription(ConnectionSettings.parse(url), [b"MOL.REQ.%d" % i], lambda _channel, _body: None)
            for i, url in enumerate(urls)
        ]
        looker = open_looker(ConnectionSettings.parse(urls[0]))
        try:
            return (
                await looker.channels(),
                await looker.keys("MOL*-DSCVR-*"),
                len(await looker.clients()),
                (await looker.server_info())["redis_mode"],
            )
        finally:
            await looker.close()
            for subscription in subscriptions:
                await subscription.close()

    channels, keys, clients, mode = asyncio.run(story())
    assert channels == ["MOL.REQ.0", "MOL.REQ.1", "MOL.REQ.2"]
    assert keys == values
    assert (clients, mode) == (3, "cluster")


def test_publishing_on_one_node_of_a_cluster_reaches_a_tap_on_another(cluster):
    async def story():
        async with tapping(f"redis+cluster://127.0.0.1:{cluster[0].port}") as heard:
            await until_tapped(cluster[0])
            publisher = await open_publisher(ConnectionSettings.parse(f"redis+cluster://127.0.0.1:{cluster[1].port}"))
            publisher.publish(b"MOL.INFO", b"x")
            await publisher.confirm()
            await publisher.close()
            await until(lambda: heard.frames == [(b"MOL.INFO", b"x")])

    asyncio.run(story())


def test_a_cluster_that_is_not_there_is_told(cluster):
    for node in cluster:
        node.stop()
    result = asyncio.run(check(ConnectionSettings.parse(f"redis+cluster://127.0.0.1:{cluster[0].port}")))[0]
    assert result.message == f"Cannot reach redis+cluster://127.0.0.1:{cluster[0].port}: connection refused."
