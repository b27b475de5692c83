"""A socket read in C and one read in Python give the same, with the stamps of the kernel."""

from __future__ import annotations

import errno
import select
import socket
import struct
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broker.clock import SECOND
from broker.transport.redis.pace import Pace
from broker.transport.redis.reading import DRAINED, MORE, PIECE_BYTES, SO_TIMESTAMPNS
from broker.transport.redis.rounds import Rounds
from broker.transport.redis.threaded import make_thread
from tests.unit.transport.connections import connected

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what arrives on a stream"),
    pytest.mark.usefixtures("compiled_module"),
]

NOW_NS = 1_700_000_000 * SECOND
SMALL = Pace(least_bytes=50, most_bytes=50, most_reads=99)


@pytest.fixture(autouse=True, scope="module")
def _stamping():
    """The kernel begins to stamp a while after the first who wants it, as long as there is one."""
    ours = datagrams(0, 1)
    with ours, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs:
        stamp_ns, sent_ns = 1, 0
        while stamp_ns > sent_ns:
            theirs.sendto(b"x", ours.getsockname())
            sent_ns = time.time_ns()
            ((_, _, stamp),) = ours.recvmsg(1, 64)[1]
            seconds, ns = struct.unpack("@qq", stamp)
            stamp_ns = seconds * SECOND + ns
        yield


class InC:
    """The compiled thread, before it is started: it reads a round when it is asked to."""

    def __init__(self, connection, pace):
        self._thread = make_thread(connection, pace)

    def read(self, now_ns, ahead_ns):
        """What arrived, and how it ended; whether there may be more is its own business."""
        has_read = self._thread.read()
        arrived, ending = self._thread.take(now_ns, ahead_ns, False)
        assert has_read == (arrived != [])
        return arrived, ending


class InPython:
    """The twin."""

    def __init__(self, connection, pace):
        self._rounds = Rounds(connection, pace)

    def read(self, now_ns, ahead_ns):
        """The same."""
        arrived, total, ending = self._rounds.read(now_ns, ahead_ns, 0.0)
        assert total == sum(len(piece) for _, piece, _ in arrived)
        return arrived, DRAINED if ending == MORE else ending


@pytest.fixture(params=[InC, InPython])
def make(request):
    """Both."""
    return request.param


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


def rounds(make, writes, pace, *, is_closed):
    """What all rounds give: one after each write, three after the other side has hung up, if it does."""
    theirs, ours = socket.socketpair()  # whose bytes have no stamps
    with theirs, ours:
        reading = make(ours, pace)
        told = []
        for number, length in enumerate(writes):
            theirs.sendall(bytes([number]) * length)
            told.append(reading.read(NOW_NS + number, 0))
        if is_closed:
            theirs.close()
        return told + [reading.read(NOW_NS, 0) for _ in range(3)]


paces = st.builds(
    Pace,
    pile_s=st.sampled_from([0.0, 1e6]),
    stamps_a_round=st.integers(1, 8),
    least_bytes=st.integers(1, 4_096),
    most_bytes=st.integers(4_096, PIECE_BYTES),
    most_reads=st.integers(1, 32),
    pile_bytes=st.integers(1, 20_000),
)


@given(
    st.lists(st.integers(0, 12_000), max_size=8),  # which fit into what the kernel holds
    paces,
    st.booleans(),
)
@example([PIECE_BYTES + 100], Pace(), False)
@example([10_000, 1, 1, 1], Pace(pile_bytes=10_000, pile_s=1e6), False)
def test_both_read_the_same_in_each_round(writes, pace, is_closed):
    both = [rounds(make, writes, pace, is_closed=is_closed) for make in (InC, InPython)]
    assert both[0] == both[1]


def test_each_moment_is_a_piece_with_the_stamp_of_the_kernel(make):
    begin_ns = time.time_ns()
    with datagrams(20, 50) as ours:
        end_ns = time.time_ns()
        arrived, ending = make(ours, SMALL).read(end_ns + SECOND, 0)
    moments = [at_ns for at_ns, _, _ in arrived]
    assert begin_ns <= moments[0]
    assert moments[-1] <= end_ns
    assert moments == sorted(set(moments))
    assert b"".join(piece for _, piece, _ in arrived) == b"".join(bytes([number]) * 50 for number in range(20))
    assert [has_waited for _, _, has_waited in arrived] == [False] + [True] * (len(arrived) - 1)
    assert ending == DRAINED


def test_no_moment_is_after_now_and_what_has_the_same_moment_is_one_piece(make):
    with datagrams(20, 50) as ours:
        read = make(ours, replace(SMALL, most_reads=10)).read
        assert read(NOW_NS, 0) == ([(NOW_NS, b"".join(bytes([number]) * 50 for number in range(10)), False)], DRAINED)


def test_no_moment_is_before_one_that_was_told(make):
    with datagrams(2, 50) as ours:
        read = make(ours, replace(SMALL, most_reads=1, pile_bytes=51)).read
        (first_ns, _, _), = read(time.time_ns() + SECOND, 0)[0]  # fmt: skip
        assert read(time.time_ns() + SECOND, -SECOND)[0] == [(first_ns, bytes([1]) * 50, True)]


def test_stamps_are_moved_to_our_clock(make):
    with connected() as (theirs, ours):
        begin_ns = time.time_ns()
        theirs.sendall(b"hello")
        wait_for(ours)
        end_ns = time.time_ns()
        arrived, ending = make(ours, Pace()).read(end_ns + 9 * SECOND, 5 * SECOND)
    assert begin_ns + 5 * SECOND <= arrived[0][0] <= end_ns + 5 * SECOND
    assert (arrived[0][1:], ending) == ((b"hello", False), DRAINED)


def test_an_error_is_told_by_its_number(make):
    with connected() as (theirs, ours):
        reading = make(ours, Pace())
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        wait_for(ours)
        assert reading.read(NOW_NS, 0) == ([], errno.ECONNRESET)


@pytest.mark.parametrize(
    "odd",
    [
        Pace(least_bytes=0),
        Pace(least_bytes=10, most_bytes=9),
        Pace(most_bytes=PIECE_BYTES + 1),
        Pace(stamps_a_round=0),
        Pace(most_reads=0),
    ],
    ids=repr,
)
def test_a_pace_that_cannot_be_is_refused(odd):
    with connected() as (_, ours), pytest.raises(ValueError, match="the pace needs"):
        make_thread(ours, odd)


def test_what_is_closed_can_be_closed_again_and_reads_nothing():
    with connected() as (theirs, ours):
        thread = make_thread(ours, Pace())
        theirs.sendall(b"hello")
        thread.start()
        thread.close()
        thread.close()
        thread.stop()
        assert thread.fileno() == -1
        assert not thread.read()
        assert thread.noticed() == (0, DRAINED)
        assert thread.take(NOW_NS, 0, True) == ([], DRAINED)
        with pytest.raises(RuntimeError, match="closed before"):
            thread.start()
