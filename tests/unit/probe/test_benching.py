"""A bench calls as often as it was told, never more than it may, and measures what the tap measures."""

import asyncio
from pathlib import Path

import pytest

from broker.mesh.histograms import quantiles_of
from broker.operate.commands import Bench, Call, Cancel, Lock, Progress, Unlock
from broker.probe import benching
from broker.probe.acting import act
from broker.probe.benching import LONGEST_S, MOST_CALLS, MOST_IN_FLIGHT
from tests.unit.probe.sitting import NS, Sitting
from tests.unit.probe.test_acting import called, mesh, requests


def call(action: str = "desk.echo", **more: object) -> Call:
    return Call(NS, action, '{"id": 1}', **more)  # type: ignore[arg-type]


async def test_a_bench_calls_as_often_as_it_was_told(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="act") as sitting, mesh(sitting):
        report = await act(sitting.session, Bench(call(), count=250, concurrency=7))
        assert report.outcome == "done"
        assert report.bench is not None
        assert (report.bench.calls, report.bench.errors, report.bench.timeouts) == (250, 0, 0)
        assert sum(report.bench.buckets) == 250
        assert len(requests(sitting)) == 250


async def test_it_measures_from_the_request_to_the_arrival_of_the_answer(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="act") as sitting, mesh(sitting):
        report = await act(sitting.session, Bench(Call(NS, "desk.last", '{"ms": 40}'), count=5))
        assert report.bench is not None
        assert report.bench.max_ms == 40.0
        assert quantiles_of(report.bench.buckets, [0.5, 1.0]) == [pytest.approx(0.04, rel=0.02)] * 2
        report = await called(sitting, "desk.last", {"ms": 7})
        assert report.answer is not None
        assert report.answer.duration_ms == 7.0


async def test_never_more_than_wanted_are_in_flight(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="act") as sitting, mesh(sitting) as desk:
        await called(sitting, "desk.nothing")
        running = sitting.session.submit(Bench(call("desk.slow"), count=20, concurrency=3), 5)
        await sitting.until(lambda: desk.asked == 3)
        await asyncio.sleep(0.05)
        assert desk.asked == 3
        desk.goes_on.set()
        assert (await running).outcome == "done"
        assert desk.asked == 20


async def test_errors_and_missing_answers_are_counted_apart(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="act") as sitting, mesh(sitting):
        report = await act(sitting.session, Bench(call("desk.refuse"), count=4))
        assert report.bench is not None
        assert (report.bench.calls, report.bench.errors) == (4, 4)
        assert report.bench.error_words == {"MoleculerClientError: no such order": 4}
        report = await act(sitting.session, Bench(call("desk.slow", timeout_ms=30), count=2))
        assert report.bench is not None
        assert (report.bench.calls, report.bench.timeouts, sum(report.bench.buckets)) == (0, 2, 0)


async def test_it_tells_how_far_it_is_and_can_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benching, "TELL_EVERY_S", 0.02)
    told: list[Progress] = []
    async with Sitting(tmp_path, may="act") as sitting, mesh(sitting):
        await called(sitting, "desk.nothing")
        running = sitting.session.submit(Bench(call(), for_s=60.0), 9, told.append)
        await sitting.until(lambda: len(told) >= 3)
        sitting.session.submit(Cancel(9))
        report = await running
        assert report.outcome == "cancelled"
        assert report.bench is not None
        assert told[0].bench is not None
        assert 0 < told[0].bench.calls < report.bench.calls
        assert 0 < told[0].done < told[-1].done < 1


async def test_a_bench_ends_when_its_time_is_over(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="act") as sitting, mesh(sitting):
        report = await act(sitting.session, Bench(call(), for_s=0.1, concurrency=2))
        assert report.bench is not None
        assert 0.1 <= report.bench.seconds < 2.0
        assert report.bench.calls == len(requests(sitting))


async def test_a_bench_ends_when_the_session_is_locked(tmp_path: Path) -> None:
    async with Sitting(tmp_path) as sitting, mesh(sitting):
        await sitting.until(lambda: sitting.session.status().state == "listening")
        await sitting.session.submit(Unlock("act", 60.0))
        await called(sitting, "desk.nothing")
        running = sitting.session.submit(Bench(call(), for_s=60.0), 9)
        await sitting.until(lambda: len(requests(sitting)) > 3)
        sitting.session.submit(Lock())
        sent = len(requests(sitting))
        report = await running
        assert report.outcome == "partly"
        assert "locked again" in report.message
        assert len(requests(sitting)) == sent


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (Bench(call()), "Neither a count nor a time"),
        (Bench(call(), count=MOST_CALLS + 1), "count is 100,001"),
        (Bench(call(), for_s=LONGEST_S + 1), "for_s is 601"),
        (Bench(call(), count=1, concurrency=MOST_IN_FLIGHT + 1), "concurrency is 101"),
        (Bench(call(), count=1, concurrency=0), "concurrency is 0"),
    ],
    ids=["endless", "too often", "too long", "too many at once", "none at once"],
)
async def test_what_is_over_the_cap_is_refused(tmp_path: Path, command: Bench, why: str) -> None:
    async with Sitting(tmp_path, may="act") as sitting, mesh(sitting):
        report = await act(sitting.session, command)
        assert (report.outcome, why in report.message) == ("failed", True)
        assert requests(sitting) == []


async def test_a_bench_takes_the_permission_to_act(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        assert (await act(sitting.session, Bench(call(), count=1))).outcome == "refused"
