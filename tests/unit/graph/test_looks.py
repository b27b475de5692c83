"""What cards and connections say and look like."""

from __future__ import annotations

import pytest

from app.graph.looks import card_of, key_of, label_of, short_ms, thickness_of, wire_of, words_for
from broker.mesh.answers import Figures, Topology, TopologyEdge, TopologyNode
from broker.mesh.span import Span
from broker.mesh.subject import Subject

FIGURES = Figures(
    calls=1740, completed=1600, errors=100, timeouts=28, rate=58.0, p50_ms=39.0, p90_ms=400.0, p99_ms=1900.0
)
PAYMENTS = TopologyNode(
    "service:prod/payments", "service", "payments", "prod", Subject("service", "prod", "payments"), FIGURES, Figures(),
    "failed", instances=("pay-1", "pay-2"), offline_instances=1,
)  # fmt: skip
EDGE = TopologyEdge(
    "service:prod/orders", PAYMENTS.key, "call", Subject("edge", "prod", "orders", "payments"), FIGURES, 200.0, "failed"
)
TOPOLOGY = Topology(Span(0, 1), (PAYMENTS,), (EDGE,))


def test_a_card_says_rate_and_p99_and_shows_each_instance() -> None:
    card = card_of(PAYMENTS)
    assert (card.title, card.detail, card.tone, card.sign) == ("payments", "58/s · p99 1.9 s", "failed", "failed")
    assert (card.marks, card.lost) == (2, 1)


def test_a_gateway_tells_what_it_sends() -> None:
    api = PAYMENTS._replace(received=Figures(), sent=FIGURES, is_gateway=True, health="ok")
    assert card_of(api).detail == "58/s out · p99 1.9 s"


def test_silent_supposed_and_offline_boxes_say_so() -> None:
    nothing = PAYMENTS._replace(received=Figures(), health="none")
    assert card_of(nothing._replace(silent=True)).detail == "declared, silent"
    assert card_of(nothing._replace(silent=True)).is_dashed
    assert card_of(nothing._replace(offline=True)).is_hatched
    assert card_of(PAYMENTS._replace(supposed=True)).is_doubtful


def test_amber_shows_a_clock_when_slow_and_a_triangle_when_a_few_calls_fail() -> None:
    slow = FIGURES._replace(errors=0, timeouts=0)
    assert card_of(PAYMENTS._replace(health="slow", received=slow)).sign == "slow"
    assert card_of(PAYMENTS._replace(health="slow")).sign == "warned"


@pytest.mark.parametrize(
    ("label", "text"),
    [("rate", "58/s"), ("errors", "7.4 %"), ("p50", "7.4 % err"), ("p99", "7.4 % err"), ("none", "")],
)
def test_a_failing_connection_says_how_much_fails(label: str, text: str) -> None:
    assert label_of(EDGE, label) == text  # type: ignore[arg-type]


def test_a_sound_connection_says_how_long_it_takes() -> None:
    sound = EDGE._replace(health="ok")
    assert [label_of(sound, label) for label in ("p50", "p90", "p99")] == ["39 ms", "400 ms", "1.9 s"]


def test_width_is_the_logarithm_of_the_rate() -> None:
    assert [thickness_of(rate) for rate in (0, 1, 10, 100, 1000, 1e9)] == [1.5, 1.75, 2.75, 3.75, 5.0, 6.5]


def test_events_have_no_latency_to_show() -> None:
    event = EDGE._replace(kind="event", health="none", figures=Figures(calls=10, rate=2.0), events=("order.created",))
    wire = wire_of(event, "p99")
    assert (wire.is_event, wire.label, wire.seconds) == (True, "", 0.0)


def test_short_durations_have_two_digits() -> None:
    shown = [short_ms(value) for value in (0.412, 1.234, 8.36, 84.3, 236.4, 1940.0, float("nan"))]
    assert shown == ["410 µs", "1.2 ms", "8.4 ms", "84 ms", "236 ms", "1.9 s", "–"]


def test_words_tell_everything_that_is_drawn() -> None:
    assert words_for(TOPOLOGY, PAYMENTS.key) == (
        "payments (service): failing\n"
        "gets 1,740 calls, 58/s, p50 39.0 ms, p99 1.90 s, 7.4 % failed\n"
        "on pay-1, pay-2, 1 offline"
    )
    assert words_for(TOPOLOGY, f"{EDGE.source}→{EDGE.target}:call").startswith("service:prod/orders → payments (calls)")
    assert words_for(TOPOLOGY, "nobody") == ""


def test_an_action_is_shown_by_its_service() -> None:
    assert key_of(TOPOLOGY, Subject("action", "prod", "payments.charge")) == PAYMENTS.key
    assert key_of(TOPOLOGY, Subject("service", "prod", "payments")) == PAYMENTS.key
    assert key_of(TOPOLOGY, Subject("service", "test", "payments")) == ""
    assert key_of(TOPOLOGY, None) == ""
