"""A socket read in C and one read in Python give the same, with the stamps of the kernel."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import select
import socket
import struct
import sys
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broker.clock import SECOND, SystemClock
from broker.native import IS_COMPILED, compiled
from broker.transport.redis.patient import LEAST_BYTES, PatientReader
from broker.transport.redis.reading import DRAINED, HUNG_UP, MORE, PIECE_BYTES, SO_TIMESTAMPNS, Reading

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what arrives on a stream")

NOW_NS = 1_700_000_000 * SECOND


@pytest.fixture(autouse=True, scope="module")
def _compiled() -> None:
    if not IS_COMPILED:
        pytest.fail("broker/native is not compiled: install gcc and Python's headers, then run make setup")


@pytest.fixture(params=[True, False], ids=["compiled", "python"])
def make(request):
    """Both."""
    return compiled.Reading if request.param else Reading


@contextlib.contextmanager
def connected():
    """Two ends of a connection over loopback; what arrives at the second is stamped."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as theirs:
        ours = server.accept()[0]
        with ours:
            ours.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            yield theirs, ours


def datagrams(count, size):
    """A socket for which so many of them wait; the kernel never joins them, so that each keeps its stamp."""
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ours.bind(("127.0.0.1", 0))
    ours.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs:
        theirs.connect(ours.getsockname())
        for number in range(count):
            theirs.send(bytes([number]) * size)
    wait_for(ours)
    return ours


def wait_for(ours):
    """Until something has arrived: a busy kernel may take a moment to carry it over."""
    assert select.select([ours], [], [], 10)[0]


def rounds(make, writes, size, small_reads, most_bytes, most_reads, *, is_closed):
    """What all rounds give: one after each write, three after the other side has hung up, if it does."""
    theirs, ours = socket.socketpair()  # whose bytes have no stamps
    with theirs, ours:
        reading = make(ours, small_reads, most_bytes, most_reads)
        told = []
        for number, length in enumerate(writes):
            theirs.sendall(bytes([number]) * length)
            told.append(reading.read(size, NOW_NS + number, 0, number % 3 == 0))
        if is_closed:
            theirs.close()
        return told + [reading.read(size, NOW_NS, 0, False) for _ in range(3)]


@given(
    st.lists(st.integers(0, 12_000), max_size=8),  # which fit into what the kernel holds
    st.integers(1, 4_096),
    st.integers(0, 8),
    st.integers(4_096, PIECE_BYTES),
    st.integers(1, 32),
    st.booleans(),
)
@example([PIECE_BYTES + 100], 4_096, 8, 4_096, 32, False)
def test_both_read_the_same_in_each_round(writes, size, small_reads, most_bytes, most_reads, is_closed):
    both = [
        rounds(make, writes, size, small_reads, most_bytes, most_reads, is_closed=is_closed)
        for make in (compiled.Reading, Reading)
    ]
    assert both[0] == both[1]


def test_each_moment_is_a_piece_with_the_stamp_of_the_kernel(make):
    begin_ns = time.time_ns()
    with datagrams(20, 50) as ours:
        end_ns = time.time_ns()
        arrived, total, ending = make(ours, 99, 50, 99).read(50, end_ns + SECOND, 0, False)
    moments = [at_ns for at_ns, _, _ in arrived]
    assert begin_ns <= moments[0]
    assert moments[-1] <= end_ns
    assert moments == sorted(set(moments))
    assert b"".join(piece for _, piece, _ in arrived) == b"".join(bytes([number]) * 50 for number in range(20))
    assert [has_waited for _, _, has_waited in arrived] == [False] + [True] * (len(arrived) - 1)
    assert (total, ending) == (1000, DRAINED)


def test_no_moment_is_after_now_and_what_has_the_same_moment_is_one_piece(make):
    with datagrams(20, 50) as ours:
        read = make(ours, 99, 50, 10).read
        assert read(50, NOW_NS, 0, True) == (
            [(NOW_NS, b"".join(bytes([number]) * 50 for number in range(10)), True)], 500, MORE,
        )  # fmt: skip


def test_no_moment_is_before_one_that_was_told(make):
    with datagrams(2, 50) as ours:
        read = make(ours, 99, 50, 1).read
        (first_ns, _, _), = read(50, time.time_ns() + SECOND, 0, False)[0]  # fmt: skip
        assert read(50, time.time_ns() + SECOND, -SECOND, False)[0] == [(first_ns, bytes([1]) * 50, False)]


def test_stamps_are_moved_to_our_clock(make):
    with connected() as (theirs, ours):
        begin_ns = time.time_ns()
        theirs.sendall(b"hello")
        wait_for(ours)
        end_ns = time.time_ns()
        arrived, total, ending = make(ours, 6, 1000, 32).read(1000, end_ns + 9 * SECOND, 5 * SECOND, False)
    assert begin_ns + 5 * SECOND <= arrived[0][0] <= end_ns + 5 * SECOND
    assert (arrived[0][1:], total, ending) == ((b"hello", False), 5, DRAINED)


def test_an_error_comes_after_what_arrived_before_it(make):
    with connected() as (theirs, ours):
        read = make(ours, 6, 1000, 32).read
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        assert read(1000, NOW_NS, 0, False) == ([], 0, errno.ECONNRESET)
        assert read(1000, NOW_NS, 0, False) == ([], 0, HUNG_UP)
        ours.close()
        assert read(1000, NOW_NS, 0, False) == ([], 0, errno.EBADF)


@pytest.mark.parametrize("size", [0, LEAST_BYTES - 1, LEAST_BYTES, 3 * LEAST_BYTES, 40 * LEAST_BYTES])
@pytest.mark.parametrize("is_compiled", [True, False], ids=["compiled", "python"])
def test_what_arrived_before_the_other_side_hung_up_is_handed_over(size, is_compiled):
    sent = (b"0123456789abcde\n" * (size // 16 + 1))[:size]

    async def story():
        pieces = []
        with connected() as (theirs, ours):
            ours.setblocking(False)
            transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
            over = asyncio.get_running_loop().create_future()
            theirs.sendall(sent)
            theirs.close()
            PatientReader(transport, SystemClock(), pieces.extend, over.set_result, is_compiled=is_compiled)
            assert await over is None
            transport.close()
        return pieces

    pieces = asyncio.run(story())
    assert b"".join(piece for _, piece, _ in pieces) == sent
