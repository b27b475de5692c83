"""What a patient reader promises, whether a thread reads or the loop: on both loops."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import random
import resource
import select
import socket
import struct
import subprocess
import sys
import weakref
from pathlib import Path

import psutil
import pytest
import uvloop

from broker.clock import SystemClock
from broker.transport.redis.pace import Pace
from broker.transport.redis.polled import PolledReader
from broker.transport.redis.threaded import ThreadedReader
from tests.unit.transport.connections import transported

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what arrives on a stream"),
    pytest.mark.usefixtures("compiled_module"),
]

NEVER = Pace(think_every_s=1e6, think_bytes=1 << 40)
"""But for the first bytes, nothing is handed over because time has passed."""
PATIENCE_S = 30.0


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request):
    """Both loops; nothing of a reader is left behind."""
    yield request.param
    assert threads() == 0


@pytest.fixture(params=[ThreadedReader, PolledReader])
def make(request):
    """Both readers."""
    return request.param


def threads() -> int:
    """How many of ours read."""
    names = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # it ended meanwhile
            names.append((task / "comm").read_text())
    return names.count("bus reader\n")


async def until(is_true) -> None:
    """Wait until it is."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_true():  # noqa: ASYNC110 nobody tells us when
            await asyncio.sleep(0.001)


async def caught_up(heard, is_true) -> None:
    """Catch up until it is true: a busy kernel may take a moment to carry something over."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_true():
            heard.reader.catch_up()
            await asyncio.sleep(0)


class Heard:
    """What one reader handed over.

    Attributes:
        bytes: All of it.
        feeds: How often it was given some.
        over: How it ended.
    """

    def __init__(self, make, transport, pace=Pace()) -> None:  # noqa: B008 it cannot be changed
        self.bytes = b""
        self.feeds = 0
        self.moments = []
        self.over = asyncio.get_running_loop().create_future()
        self._came = asyncio.Event()
        self.reader = make(transport, SystemClock(), self._take, self.over.set_result, pace)

    def _take(self, pieces) -> None:
        self.feeds += 1
        for at_ns, piece, _ in pieces:
            self.moments.append(at_ns)
            self.bytes += piece
        self._came.set()

    async def until(self, whole: bytes) -> None:
        """Wait until exactly this has come."""
        async with asyncio.timeout(PATIENCE_S):
            while self.bytes != whole:
                self._came.clear()
                await self._came.wait()


@contextlib.asynccontextmanager
async def reading(make, pace=NEVER):
    """The other side's end, and what is heard of it; the first bytes have come."""
    async with asyncio.timeout(PATIENCE_S), transported() as (theirs, transport):
        heard = Heard(make, transport, pace)
        theirs.sendall(b"first")
        await heard.until(b"first")
        try:
            yield theirs, heard
        finally:
            heard.reader.close()


@pytest.mark.parametrize("size", [0, 2047, 2048, 3 * 2048, 40 * 2048])
def test_what_arrived_before_the_other_side_hung_up_is_handed_over(run, make, size):
    sent = random.Random(size).randbytes(size)

    async def story():
        async with transported() as (theirs, transport):
            theirs.sendall(sent)
            theirs.close()
            heard = Heard(make, transport)
            async with asyncio.timeout(PATIENCE_S):
                assert await heard.over is None
            assert not heard.reader.is_open
            assert heard.bytes == sent

    run(story())


def test_an_end_is_told_at_once_after_what_came_before_it(run, make):
    async def story():
        async with reading(make) as (theirs, heard):
            theirs.sendall(b"second")
            theirs.close()
            async with asyncio.timeout(PATIENCE_S):
                assert await heard.over is None
            assert heard.bytes == b"firstsecond"

    run(story())


def test_a_connection_that_is_reset_ends_with_its_error(run, make):
    async def story():
        async with reading(make) as (theirs, heard):
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            theirs.close()
            async with asyncio.timeout(PATIENCE_S):
                assert (await heard.over).errno == errno.ECONNRESET

    run(story())


def test_catching_up_hands_over_what_has_arrived_until_now_and_how_it_ended(run, make):
    async def story():
        async with reading(make) as (theirs, heard):
            theirs.sendall(b"second")
            await caught_up(heard, lambda: heard.bytes == b"firstsecond")
            theirs.close()
            await caught_up(heard, heard.over.done)
            assert heard.over.result() is None
            heard.reader.catch_up()
            heard.reader.hurry(True)
            heard.reader.close()

    run(story())


def test_what_comes_after_somebody_caught_up_comes_in_time_though_nobody_catches_up_again(run, make):
    async def story():
        async with reading(make, Pace(think_every_s=0.02, think_bytes=1 << 40)) as (theirs, heard):
            for number in range(20):
                theirs.sendall(b"caught")
                await caught_up(heard, lambda: heard.bytes.endswith(b"caught"))
                before = heard.bytes
                theirs.sendall(bytes([number]))
                await heard.until(before + bytes([number]))
                if number % 2:
                    heard.reader.catch_up()  # there is nothing

    run(story())


def test_in_a_hurry_all_is_handed_over_at_once_and_patiently_again_afterwards(run, make):
    async def story():
        async with reading(make) as (theirs, heard):
            theirs.sendall(b"+")
            heard.reader.hurry(True)
            sent = b"first+"
            await heard.until(sent)
            for number in range(50):
                theirs.sendall(bytes([number]))
                sent += bytes([number])
                await heard.until(sent)
            heard.reader.hurry(False)
            feeds = heard.feeds
            theirs.sendall(b"later")
            for _ in range(20):
                await asyncio.sleep(0)  # it may wake, but not hand over
            assert heard.feeds == feeds
            await caught_up(heard, lambda: heard.bytes == sent + b"later")

    run(story())


def test_more_than_may_wait_is_handed_over_at_once(run, make):
    async def story():
        async with reading(make, Pace(think_every_s=1e6, think_bytes=100_000)) as (theirs, heard):
            theirs.setblocking(False)
            await asyncio.get_running_loop().sock_sendall(theirs, bytes(3_000_000))
            await until(lambda: len(heard.bytes) >= 2_900_000)

    run(story())


def test_all_comes_once_in_order_with_moments_that_never_run_back(run, make):
    sent = random.Random(1).randbytes(8_000_000)

    async def story():
        async with reading(make, Pace(most_waiting_bytes=1 << 17)) as (theirs, heard):
            theirs.setblocking(False)
            loop = asyncio.get_running_loop()
            begin, number = 0, 1
            while begin < len(sent):
                await loop.sock_sendall(theirs, sent[begin : begin + number])
                begin, number = begin + number, number * 7 % 65_537
            await heard.until(b"first" + sent)
            assert heard.moments == sorted(heard.moments)

    run(story())


def test_a_loop_that_is_busy_fills_the_room_of_the_kernel_and_not_ours(run):
    most, a_round = 1 << 17, 32 << 14

    async def story():
        async with reading(ThreadedReader, Pace(most_waiting_bytes=most)) as (theirs, heard):
            theirs.setblocking(False)
            sent, all_of_it = 0, 64 << 20
            # how long we look is no matter: what does not go by then is not needed to go
            while sent < all_of_it and select.select([], [theirs], [], 0.2)[1]:
                with contextlib.suppress(BlockingIOError):
                    sent += theirs.send(bytes(1 << 16))
            assert sent < all_of_it
            before = len(heard.bytes)
            heard.reader.catch_up()
            assert most <= len(heard.bytes) - before <= most + 2 * a_round
            await until(lambda: len(heard.bytes) == sent + len(b"first"))

    run(story())


@pytest.mark.parametrize("way", ["catches up", "is in a hurry", "waits"])
def test_who_closes_it_while_taking_takes_no_more(run, make, way):
    pace = Pace(least_bytes=10, most_bytes=10, stamps_a_round=1)

    async def story():
        async with transported() as (theirs, transport):
            taken = []
            closed = asyncio.Event()

            def take(pieces) -> None:
                for _, piece, _ in pieces:
                    taken.append(piece[:1])
                    reader.close()
                    closed.set()

            reader = make(transport, SystemClock(), take, taken.append, pace)
            for letter in (b"a", b"b", b"c"):  # each with its own stamp, if the kernel does not join them
                theirs.sendall(letter * 10)
            theirs.close()
            if way == "catches up":
                reader.catch_up()
            elif way == "is in a hurry":
                reader.hurry(True)
            async with asyncio.timeout(PATIENCE_S):
                await closed.wait()
            assert not reader.is_open
            assert taken == [b"a"]

    run(story())


def test_who_catches_up_while_taking_is_given_the_rest_first(run, make):
    async def story():
        async with reading(make, Pace(least_bytes=10, most_bytes=10, think_every_s=1e6)) as (theirs, heard):
            told = []

            def take(pieces) -> None:
                for _, piece, _ in pieces:
                    told.append(piece)
                    if len(told) == 1:
                        theirs.sendall(b"c" * 10)
                        while sum(map(len, told)) - told.count(b"|") < 30:
                            heard.reader.catch_up()
                    told.append(b"|")

            heard.reader._taken = take
            theirs.sendall(b"a" * 10)
            theirs.sendall(b"b" * 10)
            await caught_up(heard, lambda: told)
            whole = b"".join(told).replace(b"|", b"")
            assert whole == b"a" * 10 + b"b" * 10 + b"c" * 10
            assert told[-1] == told[-2] == b"|"

    run(story())


def test_many_that_come_and_go_leave_no_thread_and_no_file(run, make):
    async def story():
        async with transported() as (theirs, transport):
            process = psutil.Process()
            before = (process.num_fds(), process.num_threads())
            for number in range(300):
                reader = make(transport, SystemClock(), list, print, Pace())
                theirs.sendall(b"x")
                if number % 3 == 0:
                    reader.hurry(True)
                if number % 2 == 0:
                    await asyncio.sleep(0)
                reader.close()
                reader.close()
            assert (process.num_fds(), process.num_threads()) == before

    run(story())


def test_one_that_was_let_go_leaves_no_thread_and_no_file(run):
    async def story():
        async with transported() as (theirs, transport):
            process = psutil.Process()
            before = process.num_fds()
            reader = ThreadedReader(transport, SystemClock(), list, print, Pace())
            theirs.sendall(b"x")
            reader.catch_up()
            assert threads() == 1
            gone = weakref.ref(reader)
            del reader
            gc.collect()
            assert gone() is None
            assert threads() == 0
            await until(lambda: process.num_fds() == before)

    run(story())


def test_one_whose_loop_ended_leaves_no_thread_and_no_file(run):
    process = psutil.Process()

    async def story():
        async with transported() as (theirs, transport):
            theirs.sendall(b"x")
            ThreadedReader(transport, SystemClock(), list, print, Pace()).catch_up()

    async def nothing():
        async with transported():
            pass

    run(nothing())
    gc.collect()
    before = process.num_fds()
    run(story())
    gc.collect()
    assert process.num_fds() == before


def test_one_that_cannot_begin_leaves_no_thread_and_no_file(run):
    async def story():
        async with transported() as (_, transport):
            process = psutil.Process()
            before = process.num_fds()
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            lowest = os.dup(0)
            os.close(lowest)
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 2, limits[1]))  # too few for what wakes the thread
            try:
                with pytest.raises(OSError, match="Too many open files"):
                    ThreadedReader(transport, SystemClock(), list, print, Pace())
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            gc.collect()
            assert (process.num_fds(), threads()) == (before, 0)

    run(story())


ENDING = """
import asyncio, os, sys
from broker.clock import SystemClock
from broker.transport.redis.pace import Pace
from broker.transport.redis.threaded import ThreadedReader

async def story():
    _, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    came = asyncio.Event()
    reader = ThreadedReader(writer.transport, SystemClock(), lambda pieces: came.set(), print, Pace())
    kept.append((reader, writer))
    await came.wait()

kept = []
loop = asyncio.new_event_loop()
loop.run_until_complete(story())
if sys.argv[2] == "as a copy":
    child = os.fork()
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    kept[0][0].close()
sys.exit(7)
"""


@pytest.mark.parametrize("way", ["as it is", "as a copy"])
def test_a_program_that_ends_does_not_wait_for_it(way):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        with subprocess.Popen([sys.executable, "-c", ENDING, port, way]) as process, server.accept()[0] as theirs:
            theirs.sendall(bytes(100_000))
            try:
                assert process.wait(PATIENCE_S) == 7
            finally:
                for it in [*psutil.Process(process.pid).children(), process] if process.poll() is None else []:
                    it.kill()
