"""A loop on leftovers: when it lives on them, and what it starts meanwhile."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from functools import partial

import pytest
import uvloop

from broker import priority
from broker.probe.leftovers import FORGIVEN_S, LATE_S, RESTS_S, LeftoverLoop, Leftovers

loops = pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
MakeLoop = Callable[[], asyncio.AbstractEventLoop]


class Told:
    """Decides as it is told."""

    def __init__(self) -> None:
        self.answer = False

    def look(self, _now_s: float, _late_s: float, _cpu_s: float, _idle_s: float) -> bool:
        return self.answer


class Life:
    """A process whose time goes on a tenth of a second each look."""

    def __init__(self) -> None:
        self.leftovers = Leftovers()
        self.now_s = 100.0
        self._cpu_s = 3.0
        self._idle_s = 7.0

    def looks(self, count: int, share: float, late_s: float = 0.0, idle: float = 0.3) -> list[bool]:
        """What is decided while the process takes a share of a processor, and so much is left."""
        found = []
        for _ in range(count):
            self.now_s += 0.1
            self._cpu_s += 0.1 * share
            self._idle_s += 0.1 * idle
            found.append(self.leftovers.look(self.now_s, late_s, self._cpu_s, self._idle_s))
        return found


async def is_on(wanted: bool) -> None:
    """Wait until the loop is on leftovers, or no longer."""
    while (os.sched_getscheduler(0) == os.SCHED_IDLE) != wanted:  # noqa: ASYNC110  nobody tells
        await asyncio.sleep(0.01)


def policy_of_a_thread(start: Callable[[Callable[[], None]], object]) -> int:
    """The policy of a thread that is started here."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(os.sched_getscheduler(0)))
    start(thread.start)
    thread.join()
    return found[0]


def test_who_takes_some_of_a_processor_lives_on_leftovers_after_a_second() -> None:
    assert Life().looks(12, 0.2) == [False] * 10 + [True] * 2


@pytest.mark.parametrize("share", [0.0, 0.01, 0.6, 1.4])
def test_who_takes_next_to_nothing_or_is_flooded_does_not(share: float) -> None:
    life = Life()
    assert not any(life.looks(40, share))
    life.looks(20, 0.2)
    assert life.looks(20, share)[-1] is False


def test_where_nobody_leaves_anything_it_stays_ordinary() -> None:
    life = Life()
    assert not any(life.looks(40, 0.2, idle=0.02))
    assert any(life.looks(20, 0.2))
    assert life.looks(20, 0.2, idle=0.0)[-1] is False


def test_who_is_late_rests_twice_as_long_each_time_and_is_forgiven_after_a_while() -> None:
    life = Life()
    life.looks(20, 0.2)
    rests = []
    for _ in range(7):
        assert life.looks(1, 0.2, LATE_S + 0.01) == [False]
        begin_s = life.now_s
        while not life.looks(1, 0.2)[0]:
            pass
        rests.append(round(life.now_s - begin_s))
    assert rests == [5, 10, 20, 40, 80, 120, 120]
    assert rests[0] == RESTS_S[0]
    assert rests[-1] == RESTS_S[1]
    life.looks(int(FORGIVEN_S * 10) + 2, 0.2)
    assert life.looks(1, 0.2, LATE_S + 0.01) == [False]
    assert sum(not on for on in life.looks(100, 0.2)) == pytest.approx(RESTS_S[0] * 10, abs=1)


def test_to_be_late_as_an_ordinary_thread_is_nothing_to_rest_for() -> None:
    life = Life()
    assert life.looks(10, 0.2, 3.0) == [False] * 10
    assert life.looks(1, 0.2) == [True]


@loops
def test_the_loop_moves_and_what_is_started_stays_ordinary(make_loop: MakeLoop) -> None:
    told = Told()
    leftovers = LeftoverLoop(told, make_loop)
    home = threading.get_ident()

    async def story() -> list[object]:
        assert threading.get_ident() == home
        leftovers.give_way()
        told.answer = True
        await is_on(True)
        away = threading.get_ident()
        policies = [
            policy_of_a_thread(lambda begin: begin()),
            policy_of_a_thread(priority.start),
            await asyncio.to_thread(os.sched_getscheduler, 0),
        ]
        with pytest.raises(ZeroDivisionError):
            priority.start(lambda: 1 // 0)
        assert not priority.is_passing_on()
        told.answer = False
        await is_on(False)
        assert not priority.is_passing_on()
        return [away != home, threading.get_ident() == home, *policies]

    assert leftovers.run(story()) == [True, True, os.SCHED_IDLE, os.SCHED_OTHER, os.SCHED_OTHER]


@loops
def test_it_may_end_on_leftovers_well_or_not_and_leaves_no_thread(make_loop: MakeLoop) -> None:
    told = Told()
    told.answer = True

    async def story(fails: bool) -> str:
        leftovers.give_way()
        await is_on(True)
        if fails:
            raise LookupError("gone")
        return "done"

    before = threading.active_count()
    leftovers = LeftoverLoop(told, make_loop)
    assert leftovers.run(story(False)) == "done"
    leftovers = LeftoverLoop(told, make_loop)
    with pytest.raises(LookupError, match="gone"):
        leftovers.run(story(True))
    assert threading.active_count() == before


@loops
def test_who_does_not_give_way_stays(make_loop: MakeLoop) -> None:
    told = Told()
    told.answer = True

    async def story() -> int:
        await asyncio.get_running_loop().run_in_executor(None, partial(int, "7"))
        return threading.get_ident()

    assert LeftoverLoop(told, make_loop).run(story()) == threading.get_ident()
