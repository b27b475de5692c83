"""How a breaker is told on its card: state, where that is from, countdown, reason, limits. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from app.breaker_words import sign_of, source_of
from app.columns import failed_note, samples_note
from app.widgets.circle_card import CircleCard, Text
from app.widgets.controls import Tone
from app.widgets.format import clock_time, count, duration_ms, percent, rate
from broker.clock import SECOND
from broker.mesh.answers import Figures
from broker.mesh.breaker_states import Breaker, BreakerKey, Coverage
from broker.mesh.breakers import BoardRow

SIGNS = {"open": "bar", "half-open": "half", "held-open": "pause", "held-closed": "play", "unknown": "ask"}
WORDS = {"unknown": "not seen yet", "held-open": "held open", "held-closed": "held closed"}
SHORT_SOURCES = {"helper": "helper", "event": "event", "asked": "asked", "guess": "a guess"}


def cards_of(rows: Sequence[BoardRow], coverage: Coverage, me: str) -> list[CircleCard]:
    """The board's rows as cards.

    Args:
        rows: In their order.
        coverage: Which nodes have a helper.
        me: Who looks, as ``user@host``.
    """
    most = max((row.figures.rate for row in rows), default=0.0)
    return [_card(row, most, coverage, me) for row in rows]


def _card(row: BoardRow, most: float, coverage: Coverage, me: str) -> CircleCard:
    breaker, figures = row.breaker, row.figures
    key = breaker.key
    word, tone = state_text(breaker)
    note = partial(note_of, breaker, me, has_helper=(key.namespace, key.owner) in coverage.helpers)
    return CircleCard(
        key=key,
        title=key.action,
        subtitle=way_of(key),
        state=(word, tone),
        state_note=SHORT_SOURCES.get(breaker.source, breaker.source),
        sign=SIGNS.get(breaker.state, ""),
        note=note,
        figures=_figures(figures),
        volume=figures.rate / most if most else 0.0,
        failed=figures.error_share,
        curve=row.curve,
        tip=tip_of(row, me),
        aside=f"since {clock_time(breaker.since_ns)}" if breaker.since_ns else "",
    )


def way_of(key: BreakerKey) -> str:
    """Whose breaker it is, and about which node."""
    return f"{key.node_id} itself, for all its callers" if key.is_own else f"{key.owner} → {key.node_id}"


def state_text(breaker: Breaker) -> Text:
    """Its state in words, and the colour."""
    tone: Tone = sign_of(breaker.state)[1] or "dim"
    word = WORDS.get(breaker.state, breaker.state)
    if breaker.state == "closed" and breaker.is_enabled is False:
        return "closed, off", "dim"
    return word, tone


def _figures(figures: Figures) -> list[Text]:
    share = figures.error_share * 100
    tone: Tone = "failed" if share >= 10 else "slow" if share > 0.1 else ""
    sign = {"failed": "▲ ", "slow": "◷ "}.get(tone, "")
    parts: list[Text] = [(rate(figures.rate), ""), (" · ", "dim"), (f"{sign}{percent(share)} err", tone)]
    return [*parts, (f" · p99 {duration_ms(figures.p99_ms)}", "")]


def left_text(until_ns: int, now_ns: int) -> str:
    """How long it is until a moment: "6 s", "4:12", "3 h 20 min"; "" when it is over."""
    left_s = -(-(until_ns - now_ns) // SECOND)
    if left_s <= 0:
        return ""
    if left_s < 60:
        return f"{left_s} s"
    return f"{left_s // 60}:{left_s % 60:02d}" if left_s < 3600 else f"{left_s // 3600} h {left_s % 3600 // 60:02d} min"


def note_of(breaker: Breaker, me: str, now_ns: int, *, has_helper: bool = True) -> str:
    """What is to be known of its state at a moment."""
    parts = [_coming(breaker, me, now_ns), _why(breaker, has_helper=has_helper)]
    return " · ".join(part for part in parts if part)


def _coming(breaker: Breaker, me: str, now_ns: int) -> str:
    left = left_text(breaker.until_ns, now_ns) if breaker.until_ns else ""
    if breaker.is_held:
        by = f"by {'you' if breaker.by == me else breaker.by or 'somebody'}"
        return f"{by} · {left} left" if left else f"{by} · its time is over"
    if breaker.state == "open":
        return f"tries again in {left}" if left else ""
    return "one call is trying it" if breaker.state == "half-open" else ""


def _why(breaker: Breaker, *, has_helper: bool) -> str:
    if breaker.is_held:
        return f"“{breaker.reason}”" if breaker.reason else "no reason given"
    if breaker.state == "unknown":
        return "nothing told of it yet" if has_helper else f"no helper on {breaker.key.owner}; nothing reported"
    if breaker.source == "guess":
        return "calls failed, then stopped"
    if breaker.is_enabled is False:
        return "it does not open by itself here"
    if breaker.state == "half-open":
        return breaker.reason
    counted, limit = counted_text(breaker), limit_text(breaker).partition(" of ")[0]
    reason = breaker.reason if breaker.state == "open" else ""
    return ", ".join(part for part in (reason or counted, limit) if part)


def counted_text(breaker: Breaker) -> str:
    """What it has counted."""
    if breaker.failures is None or breaker.count is None:
        return ""
    return f"{count(breaker.failures)} of {count(breaker.count)} failed"


def limit_text(breaker: Breaker) -> str:
    """When it opens, in short."""
    if breaker.threshold is None:
        return ""
    least = f" of {breaker.min_count:g} or more" if breaker.min_count else ""
    return f"limit {breaker.threshold * 100:g} %{least}"


def facts_of(breaker: Breaker, me: str, now_ns: int) -> tuple[tuple[str, str], ...]:
    """Everything known of a breaker, as a list of names and values."""
    key = breaker.key
    settings = {"helper": "told by the helper", "schema": "from the action's definition"}.get(breaker.settings_from, "")
    rows = (
        ("state", state_text(breaker)[0]),
        ("known from", source_of(breaker.source) if breaker.source else "nobody told of it"),
        ("since", clock_time(breaker.since_ns) if breaker.since_ns else ""),
        ("now", _coming(breaker, me, now_ns)),
        ("reason", breaker.reason),
        ("held by", breaker.by),
        ("beneath", breaker.under),
        ("counted", counted_text(breaker)),
        ("opens at", limit_text(breaker).removeprefix("limit ")),
        ("counts for", duration_ms(breaker.window_ms, short=True) if breaker.window_ms else ""),
        ("tries after", duration_ms(breaker.half_open_ms, short=True) if breaker.half_open_ms else ""),
        ("settings", settings),
        ("breaker", {True: "on", False: "off: never opens by itself"}.get(breaker.is_enabled, "")),  # type: ignore[arg-type]
        ("caller", key.owner if not key.is_own else f"{key.owner}: the endpoint's own, for everybody"),
        ("endpoint", key.endpoint),
        ("namespace", key.namespace),
    )
    return tuple((name, value) for name, value in rows if value)


def tip_of(row: BoardRow, me: str) -> str:
    """What the pointer is told of a card."""
    breaker, figures = row.breaker, row.figures
    told = source_of(breaker.source) if breaker.source else "nobody told of it"
    since = f" since {clock_time(breaker.since_ns)}" if breaker.since_ns else ""
    by = f" by {'you' if breaker.by == me else breaker.by}" if breaker.by else ""
    lines = [
        f"{breaker.key.owner} → {breaker.key.endpoint}",
        f"{state_text(breaker)[0]}{by}{since} ({told})",
        " · ".join(part for part in (breaker.reason, counted_text(breaker), limit_text(breaker)) if part),
        f"p50 {duration_ms(figures.p50_ms)}, p90 {duration_ms(figures.p90_ms)}, p99 {duration_ms(figures.p99_ms)}",
        failed_note(figures),
        samples_note(figures),
    ]
    return "\n".join(line for line in lines if line)
