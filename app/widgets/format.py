"""Numbers, durations and moments as people read them. No Qt."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

NOTHING: Final = "–"
"""What stands where there is no number."""

FEW_SAMPLES: Final = 100
"""A p99 that rests on fewer is not to be trusted, and every screen says so."""

TOGETHER_MS: Final = 0.01
"""A duration below this was not measured: request and answer came in one read of the bus, and share a time."""

_SECOND: Final = 1_000_000_000


class _Zone:
    """Whether moments are shown in UTC; one choice for the whole window."""

    is_utc = False


def show_utc(is_utc: bool) -> None:
    """Choose what moments are shown in from now on: UTC, or this machine's own time."""
    _Zone.is_utc = is_utc


def zone_name() -> str:
    """What moments are shown in: "UTC" or "local"."""
    return "UTC" if _Zone.is_utc else "local"


def _three_digits(value: float) -> str:
    """Three significant digits, never in scientific notation: 4.12, 41.2, 412."""
    size = abs(value)
    return f"{value:.2f}" if size < 9.995 else f"{value:.1f}" if size < 99.95 else f"{value:.0f}"


def duration_ms(value_ms: float, *, short: bool = False) -> str:
    """A duration given in ms, with its unit: "412 µs", "41.7 ms", "2.14 s", "2 min 05 s".

    Args:
        value_ms: May be NaN (no samples) or negative (a change).
        short: Without digits that say nothing: "10 ms", "1 s"; for axes.
    """
    if math.isnan(value_ms):
        return NOTHING
    if math.isinf(value_ms):
        return "∞"
    size = abs(value_ms)
    if size == 0:
        return "0 ms"
    number = (lambda x: f"{x:.3g}") if short else _three_digits
    if size < 0.9995:
        return f"{number(value_ms * 1000)} µs" if short else f"{value_ms * 1000:.0f} µs"
    if size < 999.5:
        return f"{number(value_ms)} ms"
    if size < 59_950:
        return f"{number(value_ms / 1000)} s"
    sign = "−" if value_ms < 0 else ""
    seconds = round(size / 1000)
    if seconds < 3600:
        return f"{sign}{seconds // 60} min" + ("" if short and seconds % 60 == 0 else f" {seconds % 60:02d} s")
    return f"{sign}{seconds // 3600} h" + (f" {seconds % 3600 // 60:02d} min" if not short or seconds % 3600 else "")


def call_ms(value_ms: float) -> str:
    """How long a call took, or calls did: as `duration_ms`, but "<2 ms" where request and answer have the same time.

    The bus is read every 1 or 2 ms, and what the kernel has joined meanwhile has one stamp.
    """
    return "<2 ms" if 0 <= value_ms < TOGETHER_MS else duration_ms(value_ms)


def change_ms(value_ms: float) -> str:
    """A change of a duration, with its sign: "+1.80 s", "−1.00 ms"."""
    if math.isnan(value_ms):
        return NOTHING
    if value_ms == 0:
        return "0 ms"
    return ("+" if value_ms > 0 else "−") + duration_ms(abs(value_ms))


def rate(per_s: float) -> str:
    """So many a second: "58/s", "4.3/s", "0.02/s", "12.4k/s"."""
    if math.isnan(per_s):
        return NOTHING
    if per_s >= 99_950:
        return f"{per_s / 1000:,.0f}k/s"
    if per_s >= 9_999.5:
        return f"{per_s / 1000:.1f}k/s"
    if per_s >= 9.95:
        return f"{per_s:,.0f}/s"
    if per_s == 0:
        return "0/s"
    return f"{per_s:.1f}/s" if per_s >= 0.0995 else f"{per_s:.2f}/s" if per_s >= 0.00995 else "<0.01/s"


def count(number: float) -> str:
    """How many: "1,240"."""
    return f"{int(number):,}"


def byte_size(number: float) -> str:
    """A size: "412 B", "4.2 kB", "412 MB", "2.0 GB"."""
    size = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 999.5:
            return f"{size:.0f} {unit}" if unit == "B" or abs(size) >= 99.95 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


bytes = byte_size  # noqa: A001  the name that callers of this module expect beside rate and count


def percent(percentage: float) -> str:
    """Percents, given as percents (7.4, not 0.074): "7.4 %", "0 %", "<0.1 %"."""
    if math.isnan(percentage):
        return NOTHING
    if percentage == 0:
        return "0 %"
    if abs(percentage) < 0.05:
        return "<0.1 %"
    return f"{percentage:.1f} %" if abs(percentage) < 99.95 else f"{percentage:.0f} %"


def age(seconds: float) -> str:
    """How long ago or for how long, roughly: "12 s", "4 min", "3 h", "2 days"."""
    if math.isnan(seconds):
        return NOTHING
    whole = max(0, int(seconds))
    if whole < 100:
        return f"{whole} s"
    if whole < 100 * 60:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        return f"{whole // 3600} h"
    return f"{whole // 86_400} days"


def length(seconds: float) -> str:
    """How long a window is: "48 s", "5 min", "1 min 48 s"."""
    return duration_ms(round(seconds) * 1000, short=True) if seconds >= 1 else duration_ms(seconds * 1000, short=True)


def moment(at_ns: int, utc: bool | None = None) -> datetime:
    """A moment in the zone that is shown."""
    at = datetime.fromtimestamp(at_ns / _SECOND, UTC)
    return at if (_Zone.is_utc if utc is None else utc) else at.astimezone()


def clock_time(at_ns: int, utc: bool | None = None, *, with_ms: bool = False) -> str:
    """The time of day: "10:42:08", or "10:42:08.318".

    Args:
        at_ns: In ns since the epoch; 0 gives a dash.
        utc: In UTC or in local time; what the window shows if left out.
        with_ms: With thousandths.
    """
    if at_ns <= 0:
        return NOTHING
    at = moment(at_ns, utc)
    return f"{at:%H:%M:%S}.{at_ns // 1_000_000 % 1000:03d}" if with_ms else f"{at:%H:%M:%S}"


def date_time(at_ns: int, utc: bool | None = None) -> str:
    """Day and time of day, with the zone: "2026-03-04 10:42:08 UTC"."""
    if at_ns <= 0:
        return NOTHING
    is_utc = _Zone.is_utc if utc is None else utc
    return f"{moment(at_ns, utc):%Y-%m-%d %H:%M:%S} {'UTC' if is_utc else 'local'}"
