"""Columns of the latency table (actions, edges, endpoints), and of a list of calls."""

from __future__ import annotations

from app.columns import failed_note, figure_columns, least, name_of_health, samples_note
from app.items.records import Column
from app.widgets.controls import SIGNS
from app.widgets.format import NOTHING, byte_size, call_ms, change_ms, clock_time, count
from broker.mesh.answers import ActionRow, CallRecord
from broker.mesh.subject import Subject


def title_of(subject: Subject) -> str:
    """What a subject is called: an edge with its arrow, an endpoint with its node."""
    if subject.kind == "edge":
        return f"{subject.name.removeprefix('node:')} → {subject.other}"
    if subject.kind == "endpoint":
        return f"{subject.name} on {subject.other}"
    return subject.name


def _titled(row: ActionRow) -> str:
    sign = SIGNS[row.health]
    return f"{sign} {title_of(row.subject)}" if sign else title_of(row.subject)


_RATE, _FAILED, _P50, _P99 = figure_columns(lambda row: row.figures)

ROW_COLUMNS: tuple[Column[ActionRow], ...] = (
    Column(
        "name",
        _titled,
        lambda row: title_of(row.subject),
        width=0,
        tone=name_of_health,
        tip=lambda row: f"{title_of(row.subject)}, namespace {row.subject.namespace or NOTHING}",
    ),
    _RATE,
    _FAILED,
    _P50,
    Column(
        "p90",
        lambda row: call_ms(row.figures.p90_ms),
        lambda row: least(row.figures.p90_ms),
        True,
        78,
        tip=lambda row: samples_note(row.figures),
        note="One of ten completed calls was slower",
        shown=False,
    ),
    _P99,
    Column(
        "p99 over time",
        lambda _row: "",
        lambda row: least(row.figures.p99_ms),
        width=112,
        tip=lambda row: failed_note(row.figures),
    ),
    Column(
        "Δ p99",
        lambda row: change_ms(row.p99_change_ms),
        lambda row: least(row.p99_change_ms),
        True,
        80,
        tone=lambda row: "slow" if row.health == "slow" else "dim",
        tip=lambda row: f"p99 was {call_ms(row.before.p99_ms)} in the window before, {samples_note(row.before)}",
        note="Change of p99 against the window before",
    ),
    Column(
        "samples",
        lambda row: count(row.figures.completed),
        lambda row: row.figures.completed,
        True,
        76,
        tone=lambda _row: "dim",
        note="Completed calls: what the percentiles rest on",
    ),
)
CURVE_COLUMN, WORST_COLUMN = 6, 5

GIVEN_UP = (8, 3, 7, 1, 6)
"""Columns that a narrow table goes without, the first of them first, so that names can be read."""
NAME_PX = 150


def outcome_text(call: CallRecord) -> str:
    """How a call ended, in words, with its error and a sign."""
    if call.outcome == "ok":
        return "ok"
    return f"{SIGNS['failed']} {call.error or call.outcome.replace('_', ' ')}"


CALL_COLUMNS: tuple[Column[CallRecord], ...] = (
    Column(
        "ended",
        lambda call: clock_time(call.end_ns, with_ms=True),
        lambda call: call.end_ns,
        width=112,
        tone=lambda _call: "dim",
    ),
    Column("action", lambda call: call.action, width=0),
    Column("caller", lambda call: call.caller or "outside services", width=110, tone=lambda _call: "dim"),
    Column("from", lambda call: call.source, width=110, tone=lambda _call: "dim"),
    Column("to", lambda call: call.target, width=110, tone=lambda _call: "dim"),
    Column("duration", lambda call: call_ms(call.duration_ms), lambda call: call.duration_ms, True, 84),
    Column("outcome", outcome_text, width=170, tone=lambda call: "ok" if call.outcome == "ok" else "failed"),
    Column("request", lambda call: byte_size(call.request_size), lambda call: call.request_size, True, 76),
    Column("answer", lambda call: byte_size(call.response_size), lambda call: call.response_size, True, 76),
)
