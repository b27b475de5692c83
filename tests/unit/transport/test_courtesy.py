"""While we take in what arrived just now others go first; who is late does not wait for them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from typing import Any

import pytest

from broker.capture.masking import EVERYTHING
from broker.clock import MILLISECOND, SECOND, ManualClock
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
    """A splitter that writes down how long others may go first."""

    def __init__(self, replies: Replies) -> None:
        assert replies.splitter is not None
        self._splitter = replies.splitter
        self.yielding_ns: list[int] = []
        replies.splitter = self  # type: ignore[assignment]  # it does what that one does

    def __getattr__(self, name: str) -> Any:
        return getattr(self._splitter, name)

    def go_straight(
        self,
        pieces: deque[Arrived],
        straight: compiled.Straight,
        behind_bytes: int,
        most_bytes: int,
        yielding_ns: int,
    ) -> tuple[int, int]:
        self.yielding_ns.append(yielding_ns)
        return self._splitter.go_straight(pieces, straight, behind_bytes, most_bytes, yielding_ns)


def straight_way(clock: ManualClock, pieces: list[Arrived]) -> list[int]:
    """How long others may go first while pieces go straight, in ns, each time that they may."""
    intake = Intake(clock.at_ns - 10 * SECOND, EVERYTHING)
    yielding_ns = list[int]()

    async def story() -> None:
        nonlocal yielding_ns
        async with handing(clock) as (wire, reader):
            wire.deliver_to(intake.feed, intake.feed_run, intake)
            yielding_ns = Spying(wire._replies).yielding_ns
            reader.hand_over(pieces)

    asyncio.run(story())
    return yielding_ns


@pytest.mark.usefixtures("compiled_module")
@pytest.mark.parametrize(
    ("ages_ns", "yielding_ns"),
    [
        ([0], LATE_NS),
        ([MILLISECOND], LATE_NS - MILLISECOND),
        ([LATE_NS], 0),
        ([SECOND], LATE_NS - SECOND),
        ([SECOND, 0], LATE_NS),  # the last of them is not late
    ],
)
def test_straight_others_go_first_until_the_last_piece_is_late(ages_ns: list[int], yielding_ns: int) -> None:
    message = pack(b"message", b"MOL.HEARTBEAT", b'{"ver":"5","sender":"a","cpu":1}')
    pieces = [(NOW_NS - age_ns, message, False) for age_ns in ages_ns]
    assert straight_way(ManualClock(NOW_NS), pieces)[0] == yielding_ns
