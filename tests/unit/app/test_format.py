"""Numbers as people read them."""

from __future__ import annotations

import pytest

from app.widgets import format as f

NAN = float("nan")
MOMENT_NS = 1_772_620_928_318_000_000  # 2026-03-04 10:42:08.318 UTC


@pytest.mark.parametrize(
    ("value_ms", "text"),
    [
        (0, "0 ms"), (0.0004, "0 µs"), (0.412, "412 µs"), (1.2, "1.20 ms"), (9.996, "10.0 ms"), (41.66, "41.7 ms"),
        (417.2, "417 ms"), (999.6, "1.00 s"), (2140, "2.14 s"), (59_940, "59.9 s"), (125_000, "2 min 05 s"),
        (3_720_000, "1 h 02 min"), (NAN, "–"), (-1.2, "-1.20 ms"), (float("inf"), "∞"),
    ],
)  # fmt: skip
def test_a_duration_keeps_three_digits_and_names_its_unit(value_ms: float, text: str) -> None:
    assert f.duration_ms(value_ms) == text


@pytest.mark.parametrize(("value_ms", "text"), [(10, "10 ms"), (1000, "1 s"), (0.1, "100 µs"), (300_000, "5 min")])
def test_a_short_duration_has_no_idle_digits(value_ms: float, text: str) -> None:
    assert f.duration_ms(value_ms, short=True) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "400 ms"), (48.4, "48 s"), (60, "1 min"), (108, "1 min 48 s"), (3600, "1 h")]
)
def test_a_window_says_how_long_it_is(seconds: float, text: str) -> None:
    assert f.length(seconds) == text


@pytest.mark.parametrize(
    ("per_s", "text"),
    [(0, "0/s"), (0.004, "<0.01/s"), (0.02, "0.02/s"), (4.3, "4.3/s"), (58.4, "58/s"), (1240, "1,240/s"),
     (12_400, "12.4k/s"), (124_000, "124k/s"), (NAN, "–")],
)  # fmt: skip
def test_a_rate_says_a_second(per_s: float, text: str) -> None:
    assert f.rate(per_s) == text


@pytest.mark.parametrize(("share", "text"), [(0, "0 %"), (0.04, "<0.1 %"), (7.41, "7.4 %"), (100, "100 %"), (NAN, "–")])
def test_percents_are_given_as_percents(share: float, text: str) -> None:
    assert f.percent(share) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (412, "412 B"), (4200, "4.2 kB"), (412e6, "412 MB"), (2e9, "2.0 GB"), (3e12, "3.0 TB")],
)
def test_a_size_counts_in_thousands(size: float, text: str) -> None:
    assert f.byte_size(size) == text


@pytest.mark.parametrize(("value_ms", "text"), [(1800, "+1.80 s"), (-1, "−1.00 ms"), (0, "0 ms"), (NAN, "–")])
def test_a_change_shows_its_sign(value_ms: float, text: str) -> None:
    assert f.change_ms(value_ms) == text


@pytest.mark.parametrize(("seconds", "text"), [(12.9, "12 s"), (240, "4 min"), (10_000, "2 h"), (200_000, "2 days")])
def test_an_age_is_rough(seconds: float, text: str) -> None:
    assert f.age(seconds) == text


def test_a_moment_says_its_zone_where_it_could_be_mistaken() -> None:
    assert f.clock_time(MOMENT_NS, utc=True) == "10:42:08"
    assert f.clock_time(MOMENT_NS, utc=True, with_ms=True) == "10:42:08.318"
    assert f.date_time(MOMENT_NS, utc=True) == "2026-03-04 10:42:08 UTC"
    assert f.date_time(MOMENT_NS, utc=False).endswith(" local")
    assert f.clock_time(0) == "–"


def test_one_choice_of_zone_holds_everywhere() -> None:
    f.show_utc(True)
    try:
        assert (f.clock_time(MOMENT_NS), f.zone_name()) == ("10:42:08", "UTC")
    finally:
        f.show_utc(False)
    assert f.zone_name() == "local"


@pytest.mark.parametrize(
    ("value_ms", "text"), [(0, "<2 ms"), (0.00101, "<2 ms"), (0.412, "412 µs"), (41.66, "41.7 ms"), (NAN, "–")]
)
def test_a_call_whose_packets_came_together_is_not_said_to_have_taken_no_time(value_ms: float, text: str) -> None:
    assert f.call_ms(value_ms) == text
