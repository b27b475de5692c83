"""While we take in what arrived just now others go first; who is late does not wait for them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from typing import Any

import pytest

from broker.capture.masking import EVERYTHING
from broker.clock import SECOND, ManualClock
from broker.native import compiled
from broker.probe.intake import Intake
from broker.transport.redis.courtesy import LATE_NS
from broker.transport.redis.reading import Arrived
from broker.transport.redis.replies import RUN_BYTES, Replies, pack
from tests.unit.transport.handing import handing

NOW_NS = 1_700_000_000 * SECOND

needs_yield = pytest.mark.skipif(sys.platform == "win32", reason="Windows lets others go first by itself")


@pytest.fixture
def yields(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One for each time that others went first."""
    seen = list[str]()
    monkeypatch.setattr(os, "sched_yield", lambda: seen.append("others"), raising=False)
    return seen


def runs_from(at_ns: int, count: int) -> list[Arrived]:
    """Pieces that are a run each."""
    message = pack(b"message", b"MOL.REQ.a", bytes(RUN_BYTES))
    return [(at_ns, message, True)] * count


def frames_way(clock: ManualClock, pieces: list[Arrived], takes_ns: int = 0) -> int:
    """How many frames are taken of pieces, where each run takes so long."""
    taken = 0

    def take_run(_moments: list[int], frames: list[tuple[bytes, bytes]]) -> None:
        nonlocal taken
        taken += len(frames)
        clock.at_ns += takes_ns

    async def story() -> None:
        async with handing(clock) as (wire, reader):
            wire.deliver_to(lambda _at_ns, _frames: None, take_run)
            reader.hand_over(pieces)

    asyncio.run(story())
    return taken


@needs_yield
@pytest.mark.parametrize(("age_ns", "times"), [(0, 3), (LATE_NS - 1, 3), (LATE_NS, 0), (20 * SECOND, 0)])
def test_others_go_first_after_each_run_that_is_not_late(yields: list[str], age_ns: int, times: int) -> None:
    assert frames_way(ManualClock(NOW_NS), runs_from(NOW_NS - age_ns, 3)) == 3
    assert len(yields) == times


@needs_yield
def test_who_becomes_late_meanwhile_lets_nobody_go_first_any_more(yields: list[str]) -> None:
    assert frames_way(ManualClock(NOW_NS), runs_from(NOW_NS, 5), takes_ns=LATE_NS * 2 // 5) == 5
    assert len(yields) == 2


@needs_yield
def test_a_run_without_a_message_is_no_work_that_others_wait_for(yields: list[str]) -> None:
    assert frames_way(ManualClock(NOW_NS), [(NOW_NS, b":1\r\n", False)]) == 0
    assert yields == []


class Spying:
    """A splitter that writes down what it is told to be late.

    Attributes:
        late_ns: Each time, the moment at which what arrived is late.
    """

    def __init__(self, replies: Replies) -> None:
        assert replies.splitter is not None
        self._splitter = replies.splitter
        self.late_ns: list[int] = []
        replies.splitter = self  # type: ignore[assignment]  # it does what that one does

    def __getattr__(self, name: str) -> Any:
        return getattr(self._splitter, name)

    def go_straight(
        self,
        pieces: deque[Arrived],
        straight: compiled.Straight,
        behind_bytes: int,
        most_bytes: int,
        late_ns: int,
    ) -> tuple[int, int]:
        self.late_ns.append(late_ns)
        return self._splitter.go_straight(pieces, straight, behind_bytes, most_bytes, late_ns)


@pytest.mark.usefixtures("compiled_module")
def test_what_goes_straight_is_late_as_soon_as_what_comes_as_frames(yields: list[str]) -> None:
    intake, clock = Intake(NOW_NS - 10 * SECOND, EVERYTHING), ManualClock(NOW_NS)
    message = pack(b"message", b"MOL.HEARTBEAT", b'{"ver":"5","sender":"a","cpu":1}')

    async def story() -> None:
        async with handing(clock) as (wire, reader):
            wire.deliver_to(intake.feed, intake.feed_run, intake)
            spying = Spying(wire._replies)
            reader.hand_over([(NOW_NS, message, False)])
            clock.at_ns += SECOND
            reader.hand_over([(NOW_NS, message, False)])
            assert spying.late_ns[0] == NOW_NS - LATE_NS
            assert spying.late_ns[-1] == NOW_NS + SECOND - LATE_NS

    asyncio.run(story())
    assert yields == ["others"] * (sys.platform != "win32")  # of the first, as frames; the second was late
