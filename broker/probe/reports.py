"""Reports and progress as plain data and back, for the pipe."""

from __future__ import annotations

from asyncio import Future
from dataclasses import asdict
from typing import Any, Final

from broker.operate.commands import Answer, BenchResult, Progress, Report, TargetReport

GIVEN_UP: Final = Report("cancelled", "Given up before anything was sent.")


def report_of(ended: Future[Report]) -> Report:
    """What became of something; a task that is given up before its first step has no report of its own."""
    return GIVEN_UP if ended.cancelled() else ended.result()


def report_to_plain(report: Report) -> dict[str, Any]:
    """A report as plain data."""
    return asdict(report)


def report_from_plain(plain: dict[str, Any]) -> Report:
    """And back."""
    answer, bench = plain.get("answer"), plain.get("bench")
    return Report(
        outcome=plain["outcome"],
        message=plain.get("message", ""),
        advice=plain.get("advice", ""),
        targets=tuple(TargetReport(**target) for target in plain.get("targets") or ()),
        answer=Answer(**answer) if answer is not None else None,
        bench=_bench(bench),
    )


def progress_to_plain(progress: Progress) -> dict[str, Any]:
    """Progress as plain data."""
    return asdict(progress)


def progress_from_plain(plain: dict[str, Any]) -> Progress:
    """And back."""
    return Progress(**plain | {"bench": _bench(plain.get("bench"))})


def _bench(plain: dict[str, Any] | None) -> BenchResult | None:
    return BenchResult(**plain | {"buckets": tuple(plain["buckets"])}) if plain is not None else None
