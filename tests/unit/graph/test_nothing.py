"""An empty graph says why, and what to do."""

from __future__ import annotations

from app.graph.nothing import why_nothing


def test_before_the_first_packet_nothing_was_heard() -> None:
    assert why_nothing(0, 0, 0.0, hides=True, filters=False).why == "Nothing heard yet"


def test_without_traffic_it_says_how_long_and_what_is_known() -> None:
    said = why_nothing(12, 0, 30.0, hides=True, filters=False)
    assert said.why == "No traffic seen in 30 s"
    assert said.advice.startswith("12 services known. Calls inside one node are not on the bus.")


def test_a_filter_that_leaves_nothing_is_not_blamed_on_the_hide_box() -> None:
    assert why_nothing(12, 0, 30.0, hides=True, filters=True).why == "Nothing passes the filter"
    hidden = why_nothing(12, 3, 30.0, hides=True, filters=True)
    assert (hidden.why, hidden.can_show_all) == ("All 3 cards are hidden", True)
