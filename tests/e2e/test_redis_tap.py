"""The tap on a real server: what it hears, what it says when it does not, and how it comes back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
import time

import pytest
import uvloop
from redis.asyncio import Connection

from broker.clock import MILLISECOND, SystemClock
from broker.transport import ConnectionSettings, TransportError, check, open_looker, open_tap
from broker.transport.redis import backoff, wire
from broker.transport.redis.connect import open_connection
from tests.e2e.redis_server import make_certificates
from tests.e2e.redis_servers import Heard, frozen, hand, order, tapping, until, until_tapped

LOOPS = {"asyncio": asyncio.run, "uvloop": uvloop.run}


@pytest.fixture(params=LOOPS.values(), ids=LOOPS.keys())
def run(request):
    """Both loops that the probe may run on."""
    return request.param


@pytest.fixture
def impatient(monkeypatch):
    """Tries again, and notices silence, within a second."""
    monkeypatch.setattr(backoff, "MOST_S", 0.5)
    monkeypatch.setattr(wire, "QUIET_S", 0.5)
    monkeypatch.setattr(wire, "ANSWER_S", 0.7)


async def refusal(url, namespaces=None, tls_ca=None) -> TransportError:
    """What a tap that cannot begin says."""
    settings = ConnectionSettings.parse(url, tls_ca=str(tls_ca) if tls_ca else None)
    with pytest.raises(TransportError) as error:
        await asyncio.wait_for(open_tap(settings, SystemClock(), namespaces).run(Heard()), 20.0)
    assert not error.value.retriable
    assert error.value.advice
    return error.value


async def hears(server, heard: Heard, body: bytes = b"heard") -> None:
    """Prove that what is published now arrives."""
    await until_tapped(server)
    order(server, "PUBLISH", "MOL.INFO", body)
    await until(lambda: heard.frames and heard.frames[-1] == (b"MOL.INFO", body))


class HeardInRuns(Heard):
    """Takes runs, too, with a moment for each frame."""

    runs = 0

    def feed_run(self, moments, frames):
        assert len(moments) == len(frames) > 0
        self.runs += 1
        self.moments += moments
        self.frames += frames


@pytest.mark.parametrize("kind", [Heard, HeardInRuns])
def test_frames_arrive_whole_and_in_order_with_moments_that_never_run_back(run, redis_server, kind):
    published = [(f"MOL-ns.REQ.node-{i % 3}".encode(), bytes([i % 256]) * (i * i % 70_000)) for i in range(500)]

    async def story():
        async with tapping(redis_server.url, heard=kind()) as heard:
            await hears(redis_server, heard)  # what comes before somebody listens is handed on all at once
            with hand(redis_server) as client:
                client.publish("other", "not ours")
                for channel, body in published:
                    client.publish(channel, body)
            await until(lambda: len(heard.frames) == 1 + len(published))
            return heard

    heard = run(story())
    assert heard.frames[1:] == published
    assert heard.moments == sorted(heard.moments)
    assert heard.gaps == []
    if isinstance(heard, HeardInRuns):
        assert heard.runs
        assert len(heard.moments) == 1 + len(published)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux stamps what it holds for us")
def test_a_moment_is_that_of_arrival_even_when_we_stand_still(run, redis_server):
    async def story():
        async with tapping(redis_server.url) as heard:
            await hears(redis_server, heard)
            clock = SystemClock()
            begin_ns = clock.now_ns()
            order(redis_server, "PUBLISH", "MOL.INFO", "again")
            published_ns = clock.now_ns()
            time.sleep(0.3)  # noqa: ASYNC251 the loop is to stand still
            await until(lambda: len(heard.frames) == 2)
            return begin_ns, heard.moments[-1], published_ns

    begin_ns, at_ns, published_ns = run(story())
    assert begin_ns - MILLISECOND <= at_ns <= published_ns + MILLISECOND  # two clocks, set one after the other


def test_what_had_arrived_when_we_leave_is_heard(run, redis_server):
    async def story():
        async with tapping(redis_server.url) as heard:
            await hears(redis_server, heard)
            with hand(redis_server) as client:
                for number in range(5):
                    client.publish("MOL.INFO", str(number))
                client.ping()  # the server may answer who publishes before it writes to who listens
        return heard.frames[1:]

    assert run(story()) == [(b"MOL.INFO", str(number).encode()) for number in range(5)]


def test_tls_with_an_authority_of_our_own(run, start_redis, certificates):
    server = start_redis(certificates=certificates, password="s3cret")
    body = b"x" * 3_000_000

    async def story():
        async with tapping(server.url, tls_ca=certificates.authority) as heard:
            await hears(server, heard)
            await hears(server, heard, body)
            await hears(server, heard)
            order(server, "CLIENT", "KILL", "TYPE", "pubsub")
            await until(lambda: heard.is_open)
            await hears(server, heard)
            return heard.reasons

    assert run(story()) == [f"The connection was closed by the server (rediss://127.0.0.1:{server.port})."]


def test_nothing_is_lost_at_a_hundred_thousand_packets_a_second(run, redis_server):
    count, rate = 200_000, 100_000

    class Counting:
        seen = gaps = 0

        def feed(self, _at_ns, frames):
            if frames[0][0] == b"@gap":
                self.gaps += 1
            else:
                self.seen += len(frames)

    async def story():
        counting = Counting()
        settings = ConnectionSettings.parse(redis_server.url)
        running = asyncio.create_task(open_tap(settings, SystemClock()).run(counting))
        await until_tapped(redis_server)
        await asyncio.to_thread(flood, redis_server.port, count, rate)
        with contextlib.suppress(AssertionError):
            await until(lambda: counting.seen >= count)
        running.cancel()
        await asyncio.wait([running])
        return counting

    # a machine that is too busy may let the server cut us off: that is said, and tried again
    tries = (run(story()) for _ in range(3))
    assert next((counting.seen for counting in tries if not counting.gaps), None) == count


def calls(server, command: str) -> int:
    """How often a server was told something."""
    return int(order(server, "INFO", "commandstats").get(f"cmdstat_{command}", {}).get("calls", 0))


def flood(port: int, count: int, rate: float = float("inf"), size: int = 500) -> None:
    """Publish so many packets, pipelined by the hundred, at most `rate` a second."""
    packet = b"*3\r\n$7\r\nPUBLISH\r\n$10\r\nMOL.REQ.ab\r\n$%d\r\n%b\r\n" % (size, b"x" * size)
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for sent in range(0, count, 100):
            connection.sendall(packet * 100)
            answered = 0
            while answered < 100:
                answered += connection.recv(65_536).count(b"\n")
            time.sleep(max(0.0, begin + (sent + 100) / rate - time.monotonic()))


# connections that are lost


def test_a_restarted_server_is_a_gap_that_ends(run, redis_server):
    async def story():
        async with tapping(redis_server.url) as heard:
            await hears(redis_server, heard)
            redis_server.stop()
            await until(lambda: heard.saying("connection refused"))
            redis_server.start()
            await until(lambda: heard.is_open)
            await hears(redis_server, heard, b"again")
            return heard

    heard = run(story())
    assert heard.reasons == [
        f"The connection was closed by the server ({redis_server.url}).",
        f"Cannot reach {redis_server.url}: connection refused.",
    ]
    first = heard.gaps[0]
    assert 0.4 <= first["retry_in_s"] <= 0.5
    assert first["advice"].startswith("Was it restarted, or this connection killed?")
    assert heard.gaps[1]["advice"] == "Is the server running, on this port?"


def test_a_killed_connection_is_a_gap_that_ends(run, redis_server):
    async def story():
        async with tapping(redis_server.url) as heard:
            await hears(redis_server, heard)
            order(redis_server, "CLIENT", "KILL", "TYPE", "pubsub")
            await until(lambda: heard.is_open)
            await hears(redis_server, heard, b"again")
            return heard

    heard = run(story())
    assert heard.reasons == [f"The connection was closed by the server ({redis_server.url})."]


def test_a_connection_cut_for_a_full_output_buffer_is_told_as_such(run, start_redis):
    server = start_redis(options=(("client-output-buffer-limit", "pubsub 2mb 1mb 1"),))

    class Slow(Heard):
        """Stands still once, as a machine does that has too much to do."""

        def feed(self, at_ns, frames):
            is_first = not self.frames
            super().feed(at_ns, frames)
            if is_first and self.frames:
                flooding.join()

    flooding = threading.Thread(target=flood, args=(server.port, 40_000), kwargs={"size": 2_000})

    async def story():
        async with tapping(server.url, heard=Slow()) as heard:
            await until_tapped(server)
            flooding.start()
            await until(lambda: heard.is_open)
            await hears(server, heard)
            return heard

    heard = run(story())
    said = "The server closed the connection: its output buffer for us was full (client-output-buffer-limit pubsub)"
    assert heard.reasons == [f"{said} ({server.url})."]
    assert heard.gaps[0]["advice"].startswith("We were too slow for this traffic.")
    assert len(heard.frames) < 40_000


@pytest.mark.usefixtures("impatient")
def test_a_server_that_stands_still_is_noticed_and_heard_again(run, redis_server):
    async def story():
        async with tapping(redis_server.url) as heard:
            await hears(redis_server, heard)
            with frozen(redis_server):
                await until(lambda: heard.saying("no sign of life"))
            await until(lambda: heard.is_open)
            await hears(redis_server, heard, b"again")
            return heard

    heard = run(story())
    assert heard.gaps[0]["advice"] == "Is the server frozen, or the network between us down?"


@pytest.mark.usefixtures("impatient")
def test_silence_alone_is_no_gap(redis_server):
    async def story():
        async with tapping(redis_server.url) as heard:
            await until_tapped(redis_server)
            # the end is asked for, not slept for: each PING is a command that the server counts
            await until(
                lambda: order(redis_server, "INFO", "commandstats").get("cmdstat_ping", {}).get("calls", 0) >= 3
            )
            await hears(redis_server, heard)
            return heard.gaps

    assert asyncio.run(story()) == []


@pytest.mark.usefixtures("impatient")
def test_a_password_changed_meanwhile_is_a_gap_until_it_is_right_again(start_redis):
    server = start_redis(password="first")

    async def story():
        async with tapping(server.url) as heard:
            await hears(server, heard)
            order(server, "CONFIG", "SET", "requirepass", "second")
            server.password = "second"
            order(server, "CLIENT", "KILL", "TYPE", "pubsub")
            await until(lambda: heard.saying("did not accept the password"))
            order(server, "CONFIG", "SET", "requirepass", "first")
            server.password = "first"
            await until(lambda: heard.is_open)
            await hears(server, heard, b"again")

    asyncio.run(story())


def test_a_bug_of_the_sink_is_raised_and_closes_the_connection(run, redis_server):
    class Broken:
        def feed(self, _at_ns, _frames):
            raise LookupError("a bug")

    async def story():
        running = asyncio.create_task(open_tap(ConnectionSettings.parse(redis_server.url), SystemClock()).run(Broken()))
        await until_tapped(redis_server)
        order(redis_server, "PUBLISH", "MOL.INFO", "x")
        with pytest.raises(LookupError, match="a bug"):
            await asyncio.wait_for(running, 5.0)
        await until_tapped(redis_server, 0)

    run(story())


# connections that cannot be had


def test_a_wrong_password_is_told_at_once_and_not_shown(start_redis):
    server = start_redis(password="right")
    error = asyncio.run(refusal(f"redis://:wr0ng@127.0.0.1:{server.port}"))
    assert error.message == f"redis://127.0.0.1:{server.port} did not accept the password."
    assert "wr0ng" not in error.message + error.advice + repr(error)


def test_a_wrong_user_is_named(start_redis):
    server = start_redis(password="right")
    error = asyncio.run(refusal(f"redis://ghost:wr0ng@127.0.0.1:{server.port}"))
    assert error.message.endswith("did not accept the password for the user 'ghost'.")


def test_a_missing_password_is_asked_for(start_redis):
    server = start_redis(password="right")
    error = asyncio.run(refusal(f"redis://127.0.0.1:{server.port}"))
    assert error.message == f"redis://127.0.0.1:{server.port} asks for a password, and none was given."
    assert "MESHSCOPE_PASSWORD" in error.advice


def test_a_password_where_none_is_wanted_is_told(redis_server):
    error = asyncio.run(refusal(redis_server.url.replace("redis://", "redis://:pass@")))
    assert error.message == f"{redis_server.url} has no password, and one was given."


def test_an_unknown_host_is_a_gap_from_the_start(run):
    async def story():
        async with tapping("redis://nobody.invalid:6379") as heard:
            await until(lambda: heard.gaps, 15.0)
            return heard.gaps[0]

    gap = run(story())
    assert gap["reason"] == "Cannot reach redis://nobody.invalid:6379: the host is unknown."
    assert gap["advice"] == "Check its spelling, and whether its name can be resolved on this machine."


def test_a_server_that_is_not_there_yet_is_waited_for(run, redis_server):
    redis_server.stop()

    async def story():
        async with tapping(redis_server.url.replace("127.0.0.1", "localhost")) as heard:
            await until(lambda: heard.saying(": connection refused."))
            redis_server.start()
            await until(lambda: heard.is_open)
            await hears(redis_server, heard)

    run(story())


def test_an_authority_that_did_not_sign_is_told(run, start_redis, certificates, tmp_path):
    server = start_redis(certificates=certificates)
    error = run(refusal(server.url, tls_ca=make_certificates(tmp_path).authority))
    assert error.message.startswith(f"{server.url} showed a certificate that is not trusted: ")
    assert "--tls-ca" in error.advice


def test_a_certificate_for_another_host_is_told(start_redis, certificates):
    server = start_redis(certificates=certificates, options=(("bind", "127.0.0.1 127.0.0.2"),))
    error = asyncio.run(refusal(f"rediss://127.0.0.2:{server.port}", tls_ca=certificates.authority))
    assert "127.0.0.2" in error.message.partition("not trusted: ")[2]


def test_a_file_for_tls_that_is_not_there_is_named(start_redis, certificates):
    server = start_redis(certificates=certificates)
    error = asyncio.run(refusal(server.url, tls_ca="/nowhere/ca.pem"))
    assert error.message == "A file for TLS cannot be read: /nowhere/ca.pem."


def test_a_plain_server_on_rediss_is_told(run, redis_server):
    error = run(refusal(redis_server.url.replace("redis:", "rediss:")))
    assert error.message == f"rediss://127.0.0.1:{redis_server.port} does not speak TLS on this port."
    assert error.advice.startswith("Use redis:// instead of rediss://")


def test_a_tls_server_on_redis_is_told(run, start_redis, certificates):
    server = start_redis(certificates=certificates)
    error = run(refusal(f"redis://127.0.0.1:{server.port}"))
    assert error.message == f"redis://127.0.0.1:{server.port} speaks TLS on this port, and we did not."
    assert error.advice.startswith("Use rediss:// instead of redis://")


def test_a_server_that_wants_a_certificate_of_ours_is_told_and_given_one(run, start_redis, certificates):
    server = start_redis(certificates=certificates, options=(("tls-auth-clients", "yes"),))
    error = run(refusal(server.url, tls_ca=certificates.authority))
    assert error.message == f"{server.url} asks for a certificate of ours and was not given one that it trusts."

    async def story():
        files = f"?tls_cert={certificates.certificate}&tls_key={certificates.key}"
        async with tapping(server.url + files, tls_ca=certificates.authority) as heard:
            await until(lambda: not heard.gaps)
            settings = ConnectionSettings.parse(server.url + files, tls_ca=str(certificates.authority))
            return await check(settings)

    assert run(story())[0].ok


def test_what_is_no_redis_server_is_told(run):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    connection.recv(1000)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    connection.close()

        threading.Thread(target=answer, daemon=True).start()

        error = run(refusal(f"redis://127.0.0.1:{port}"))
        listening.shutdown(socket.SHUT_RDWR)
    assert error.message == f"redis://127.0.0.1:{port} does not speak Redis's protocol."


# users with few rights


def limited(server, *rights: str) -> str:
    """The URL of a user with no rights but these."""
    order(server, "ACL", "SETUSER", "ghost", "reset", "resetchannels", "on", ">pass", *rights)
    return f"redis://ghost:pass@127.0.0.1:{server.port}"


def test_a_user_of_one_namespace_hears_it_and_is_told_to_name_it(run, redis_server):
    url = limited(redis_server, "+psubscribe", "&MOL-ps.*")

    async def story():
        async with tapping(url, ["ps"]) as heard:
            await until_tapped(redis_server)
            order(redis_server, "PUBLISH", "MOL-other.INFO", "theirs")
            order(redis_server, "PUBLISH", "MOL-ps.INFO", "ours")
            await until(lambda: heard.frames == [(b"MOL-ps.INFO", b"ours")])
        everything, other = await refusal(url), await refusal(url, ["other"])
        return everything.message, everything.advice, other.advice

    where = f"redis://ghost@127.0.0.1:{redis_server.port}"
    assert run(story()) == (
        f"The user 'ghost' of {where} may not listen to MOL*.",
        "Name the namespaces that it may hear (--namespace, - for the empty one), or allow it &MOL*.",
        "Let its ACL allow exactly these patterns: &MOL-other.*",
    )


def test_a_user_that_may_only_listen_is_enough_for_a_long_silence(redis_server, monkeypatch):
    monkeypatch.setattr(wire, "QUIET_S", 0.3)
    url = limited(redis_server, "+psubscribe", "&MOL*")

    async def story():
        async with tapping(url) as heard:
            # its PING is refused, which is a sign of life as well
            await until(lambda: order(redis_server, "INFO", "errorstats").get("errorstat_NOPERM"))
            await hears(redis_server, heard)
            return heard.gaps

    assert asyncio.run(story()) == []


def test_a_user_that_may_not_listen_at_all_is_told_which_right_is_missing(redis_server):
    error = asyncio.run(refusal(limited(redis_server, "+ping", "&MOL*")))
    assert error.advice == "Let its ACL allow +psubscribe."


# a ghost


def test_the_server_refuses_what_a_subscribed_connection_tries_to_publish(run, redis_server):
    async def story():
        refused = []
        connection = wire.Wire(await open_connection(ConnectionSettings.parse(redis_server.url)))
        connection.on_refusal = refused.append
        await connection.subscribe(b"PSUBSCRIBE", [b"MOL*"])
        connection.write(b"*3\r\n$7\r\nPUBLISH\r\n$8\r\nMOL.INFO\r\n$1\r\nx\r\n")
        await until(lambda: refused)
        await connection.close()
        return refused

    assert "Can't execute 'publish'" in run(story())[0]


def test_tapping_looking_and_checking_publish_nothing(redis_server):
    async def story():
        settings = ConnectionSettings.parse(redis_server.url)
        async with tapping(redis_server.url) as heard:
            await until_tapped(redis_server)
            looker = open_looker(settings)
            await looker.channels()
            await looker.keys("MOL*-DSCVR-*")
            await looker.clients()
            await looker.server_info()
            await looker.close()
            await check(settings)
            return heard.frames

    assert asyncio.run(story()) == []
    with hand(redis_server) as client:
        used = {name.removeprefix("cmdstat_") for name in client.info("commandstats")}
    assert used <= {"client|setname", "client|list", "psubscribe", "pubsub|channels", "pubsub|numpat", "scan", "mget",
                    "info", "config|get", "client|setinfo", "hello", "ping"}  # fmt: skip


def test_redis_py_keeps_its_transport_where_we_reach_for_it(redis_server):
    async def story():
        connection = Connection(host="127.0.0.1", port=redis_server.port, protocol=2)
        await connection.connect()
        reader, writer = connection._reader, connection._writer
        await connection.disconnect()
        return reader, writer

    reader, writer = asyncio.run(story())
    assert isinstance(reader, asyncio.StreamReader)
    assert isinstance(writer, asyncio.StreamWriter)
