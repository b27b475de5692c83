"""Looking around a real server without publishing."""

from __future__ import annotations

import asyncio

import pytest

from broker.transport import ConnectionSettings, TransportError, check, open_looker, open_subscription
from tests.e2e.redis_servers import hand, order, until
from tests.e2e.test_redis_tap import limited


def looking(url, story):
    """Run a story with a looker, then close it."""

    async def run():
        looker = open_looker(ConnectionSettings.parse(url))
        try:
            return await story(looker)
        finally:
            await looker.close()

    return asyncio.run(run())


def test_a_looker_can_do_exactly_five_things(redis_server):
    looker = open_looker(ConnectionSettings.parse(redis_server.url))
    assert {name for name in dir(looker) if not name.startswith("_")} == {
        "channels", "clients", "close", "keys", "server_info"
    }  # fmt: skip


def test_channels_are_those_that_somebody_listens_on(redis_server):
    async def story(looker):
        settings = ConnectionSettings.parse(redis_server.url)
        names = [b"MOL.REQ.a.b", "MOL-größe.INFO".encode(), b"MOL.REQ.\xff", b"other"]
        subscription = await open_subscription(settings, names, lambda _channel, _body: None)
        heard = await looker.channels()
        await subscription.close()
        await until(lambda: not order(redis_server, "PUBSUB", "CHANNELS"))
        return heard, await looker.channels()

    assert looking(redis_server.url, story) == (["MOL-größe.INFO", "MOL.REQ.a.b", "MOL.REQ.\udcff"], [])


def test_keys_of_the_discoverer_come_with_their_values_of_the_database_in_the_url(redis_server):
    wanted = {f"MOL-ns-DSCVR-BEAT:node-{i}|x|1": f"beat {i}".encode() for i in range(1_200)}
    with hand(redis_server) as client:
        client.select(3)
        client.mset(wanted | {"MOL-ns-cache": b"no"})
        client.lpush("MOL-DSCVR-odd", "a list has no such value")
        client.select(0)
        client.set("MOL-DSCVR-INFO:elsewhere", "in another database")

    async def story(looker):
        return await looker.keys("MOL*-DSCVR-*")

    assert looking(f"{redis_server.url}/3", story) == wanted


def test_clients_and_the_server_describe_themselves(redis_server):
    async def story(looker):
        settings = ConnectionSettings.parse(redis_server.url)
        subscription = await open_subscription(settings, [b"MOL.INFO"], lambda _channel, _body: None)
        clients, info = await looker.clients(), await looker.server_info()
        await subscription.close()
        return clients, info

    clients, info = looking(redis_server.url, story)
    assert [(client["name"], client["sub"], client["resp"]) for client in clients] == [("meshscope", "1", "2")]
    assert info["tcp_port"] == str(redis_server.port)
    assert info["pubsub_output_buffer_limit"] == "33554432 8388608 60"


def test_a_looker_connects_again_after_the_server_was_restarted(redis_server):
    async def story(looker):
        await looker.channels()
        redis_server.stop()
        with pytest.raises(TransportError, match="connection"):
            await looker.channels()
        with pytest.raises(TransportError, match="connection refused"):
            await looker.channels()
        redis_server.start()
        return await looker.channels()

    assert looking(redis_server.url, story) == []


@pytest.mark.parametrize(
    ("question", "right", "said"),
    [
        ("channels", "+pubsub", "does not let us ask which channels there are"),
        ("clients", "+client|list", "does not let us ask who is connected"),
        ("server_info", "+info", "does not let us ask about it"),
        ("keys", "+scan +mget ~MOL*-DSCVR-*", "does not let us read its keys"),
    ],
)
def test_a_right_that_is_missing_is_named(redis_server, question, right, said):
    url = limited(redis_server, "+psubscribe", "&MOL*")

    async def story(looker):
        with pytest.raises(TransportError) as error:
            await getattr(looker, question)(*(["MOL*"] if question == "keys" else []))
        return error.value.message, error.value.advice, error.value.retriable

    where = f"redis://ghost@127.0.0.1:{redis_server.port}"
    assert looking(url, story) == (f"{where} {said}.", f"Let the user's ACL allow {right}.", False)


def test_the_rights_that_are_named_are_enough(redis_server):
    order(redis_server, "SET", "MOL-DSCVR-INFO:a", "{}")
    url = limited(redis_server, "+pubsub", "+client|list", "+info", "+scan", "+mget", "~MOL*-DSCVR-*")

    async def story(looker):
        await looker.channels()
        await looker.clients()
        assert "pubsub_output_buffer_limit" not in await looker.server_info()
        return await looker.keys("MOL*-DSCVR-*")

    assert looking(url, story) == {"MOL-DSCVR-INFO:a": b"{}"}


def test_a_server_that_loads_its_data_says_so(start_redis):
    server = start_redis()
    with hand(server) as client:
        client.mset({f"key-{i}": "x" * 100 for i in range(3_000)})
        client.save()
    server.stop()
    server.options = (("key-load-delay", "2000"), ("loading-process-events-interval-bytes", "1024"))
    server.start()

    async def story(looker):
        with pytest.raises(TransportError) as error:
            await looker.keys("MOL*")
        return error.value, await looker.server_info()

    error, info = looking(server.url, story)
    assert error.message == f"{server.url} is loading its data set and does not answer yet."
    assert (error.advice, error.retriable, info["loading"]) == ("It answers when it is done.", True, "1")


# checking a connection


def checked(url, **arguments):
    results = asyncio.run(check(ConnectionSettings.parse(url, **arguments)))
    return {result.name: result for result in results}


def test_a_good_connection_is_good_in_all_points(redis_server):
    async def story():
        settings = ConnectionSettings.parse(redis_server.url)
        names = [b"MOL.REQ.a", b"MOL.INFO", b"MOL-prod.REQ.b", b"MOL-prod.REQ.c"]
        subscription = await open_subscription(settings, names, lambda _channel, _body: None)
        results = await check(settings)
        await subscription.close()
        return results

    results = asyncio.run(story())
    assert [(result.name, result.ok, result.message) for result in results] == [
        ("connection", True, f"connected to {redis_server.url}"),
        ("listening", True, "may listen to MOL*"),
        ("server", True, f"Redis {order(redis_server, 'INFO', 'server')['redis_version']}"),
        ("nodes", True, "3 nodes on 4 channels, 2 namespaces: 1 in the empty one, 2 in 'prod'"),
        ("output buffer", True,
         "a listener is cut off beyond 33554432 8388608 60 (bytes at once, bytes lasting, seconds)"),
    ]  # fmt: skip


def test_a_server_that_is_not_there_is_the_only_finding(redis_server):
    redis_server.stop()
    results = checked(redis_server.url)
    assert list(results) == ["connection"]
    assert results["connection"].message == f"Cannot reach {redis_server.url}: connection refused."
    assert results["connection"].advice == "Is the server running, on this port?"


def test_an_empty_server_and_a_small_buffer_are_told_with_advice(start_redis):
    results = checked(start_redis(options=(("client-output-buffer-limit", "pubsub 1mb 1mb 1"),)).url)
    assert results["nodes"].advice == "Is this the server of the transporter, and are services running?"
    assert not results["output buffer"].ok
    assert results["output buffer"].advice.startswith("Raise client-output-buffer-limit pubsub")


def test_missing_rights_are_told_one_by_one(redis_server):
    results = checked(limited(redis_server, "+psubscribe", "&MOL-a.*"))
    assert {name: result.ok for name, result in results.items()} == {
        "connection": True, "listening": False, "server": True, "nodes": False
    }  # fmt: skip
    assert "--namespace" in results["listening"].advice
    assert results["nodes"].advice.startswith("Let the user's ACL allow +pubsub.")
