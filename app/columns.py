"""Columns about how calls went, which several tables share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from app.items.records import Column
from app.widgets.format import FEW_SAMPLES, call_ms, count, percent, rate
from broker.mesh.answers import Figures


def least(value: float) -> float:
    """NaN sorts below everything."""
    return -math.inf if math.isnan(value) else value


def failed_note(figures: Figures) -> str:
    """The sum behind a share of failed calls."""
    return (
        f"{count(figures.failed)} of {count(figures.calls)} calls failed: {count(figures.errors)} error answers, "
        f"{count(figures.timeouts)} timed out, {count(figures.no_answer)} without answer"
    )


def samples_note(figures: Figures) -> str:
    """What a percentile rests on."""
    few = " – few for a p99" if 0 < figures.completed < FEW_SAMPLES else ""
    return f"of {count(figures.completed)} completed calls{few}"


def figure_columns(of: Callable[[Any], Figures]) -> tuple[Column[Any], ...]:
    """Rate, failed share, p50 and p99 of the figures that a record holds."""
    return (
        Column(
            "calls",
            lambda r: rate(of(r).rate),
            lambda r: of(r).rate,
            True,
            76,
            tip=lambda r: f"{count(of(r).calls)} calls between nodes",
            note="Calls between nodes, a second",
        ),
        Column(
            "failed",
            lambda r: percent(of(r).error_share * 100),
            lambda r: of(r).error_share,
            True,
            70,
            tone=lambda r: "failed" if of(r).failed else "dim",
            tip=lambda r: failed_note(of(r)),
            note="Error answers, timeouts and calls without answer, of all calls",
        ),
        Column(
            "p50",
            lambda r: call_ms(of(r).p50_ms),
            lambda r: least(of(r).p50_ms),
            True,
            78,
            tip=lambda r: samples_note(of(r)),
            note="Half of the completed calls were faster",
        ),
        Column(
            "p99",
            lambda r: call_ms(of(r).p99_ms),
            lambda r: least(of(r).p99_ms),
            True,
            78,
            tip=lambda r: samples_note(of(r)),
            note="One of a hundred completed calls was slower",
        ),
    )


def name_of_health(record: Any) -> str:
    """The tone of a record's health."""
    return record.health if record.health in ("slow", "failed") else ""
