"""While we take in what arrived just now others go first; who is late does not wait for them."""

from __future__ import annotations

import asyncio
import os
import sys
from types import SimpleNamespace
from typing import cast

import pytest
from redis.asyncio import Connection

from broker.clock import SECOND, ManualClock
from broker.transport.redis.courtesy import LATE_NS
from broker.transport.redis.reading import Arrived
from broker.transport.redis.replies import RUN_BYTES, pack
from broker.transport.redis.wire import Wire

NOW_NS = 1_700_000_000 * SECOND

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows lets others go first by itself")


class Line(asyncio.Transport):
    """Nothing arrives by itself, and what is sent is lost."""

    def __init__(self) -> None:
        super().__init__({"sslcontext": True})  # so that nobody else reads it

    def get_protocol(self) -> asyncio.BaseProtocol:
        return asyncio.Protocol()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


@pytest.fixture
def yields(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One for each time that others went first."""
    seen = list[str]()
    monkeypatch.setattr(os, "sched_yield", lambda: seen.append("others"))
    return seen


def taken_of(clock: ManualClock, pieces: list[Arrived], takes_ns: int = 0) -> int:
    """How many frames are taken of pieces, where each run takes so long."""
    taken = 0

    def take_run(_moments: list[int], frames: list[tuple[bytes, bytes]]) -> None:
        nonlocal taken
        taken += len(frames)
        clock.at_ns += takes_ns

    async def story() -> None:
        connection = SimpleNamespace(_reader=None, _writer=SimpleNamespace(transport=Line()))
        wire = Wire(cast("Connection", connection), clock)
        wire.deliver_to(lambda _at_ns, _frames: None, take_run)
        wire._arrived(pieces)
        wire.connection_lost(None)
        await wire.ended()

    asyncio.run(story())
    return taken


def runs_from(at_ns: int, count: int) -> list[Arrived]:
    """Pieces that are a run each."""
    return [(at_ns, pack(b"message", b"MOL.REQ.a", bytes(RUN_BYTES)), True)] * count


@pytest.mark.parametrize(("age_ns", "times"), [(0, 3), (LATE_NS - 1, 3), (LATE_NS, 0), (20 * SECOND, 0)])
def test_others_go_first_after_each_run_that_is_not_late(yields: list[str], age_ns: int, times: int) -> None:
    assert taken_of(ManualClock(NOW_NS), runs_from(NOW_NS - age_ns, 3)) == 3
    assert len(yields) == times


def test_who_becomes_late_meanwhile_lets_nobody_go_first_any_more(yields: list[str]) -> None:
    assert taken_of(ManualClock(NOW_NS), runs_from(NOW_NS, 5), takes_ns=LATE_NS * 2 // 5) == 5
    assert len(yields) == 2


def test_a_run_without_a_message_is_no_work_that_others_wait_for(yields: list[str]) -> None:
    assert taken_of(ManualClock(NOW_NS), [(NOW_NS, b":1\r\n", False)]) == 0
    assert yields == []
