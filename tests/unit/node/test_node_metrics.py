"""Metrics by themselves: counted, timed and told to the digit, with a clock set by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.clock import SECOND, ManualClock
from broker.node.metrics import MetricRegistry, MetricsOptions, exponential_buckets, linear_buckets
from broker.node.metrics.built_in import ALWAYS, BREAKER, CACHER, TRANSIT, make

BEGUN_S = 1_700_000_000


class Kept:
    """A registry and its clock."""

    def __init__(self, **options: object) -> None:
        self.clock = ManualClock(BEGUN_S * SECOND)
        self.registry = MetricRegistry(MetricsOptions(**options), self.clock.now_ns)

    def later(self, seconds: float) -> None:
        """Let time go by, a second at a time, as a broker does."""
        for _ in range(int(seconds)):
            self.clock.at_ns += SECOND
            self.registry.advance()
        self.clock.at_ns += round((seconds - int(seconds)) * SECOND)

    def values(self, name: str) -> list[dict[str, object]]:
        (metric,) = self.registry.read(includes=name)
        return metric.to_wire()["values"]


def test_a_counter_is_shown_as_moleculerjs_shows_it():
    kept = Kept()
    kept.registry.counter("orders.total", ["kind", "size", "gift"], unit="order", description="Orders", rate=True)
    kept.registry.increment("orders.total", {"kind": "book", "size": 2, "gift": True, "color": "red"}, by=3)
    kept.later(0.25)
    kept.registry.increment("orders.total", {"kind": "book", "size": 2, "gift": True})
    kept.registry.increment("orders.total", {"kind": None})
    (metric,) = kept.registry.read()
    assert metric.to_wire() == {
        "type": "counter",
        "name": "orders.total",
        "description": "Orders",
        "labelNames": ["kind", "size", "gift"],
        "unit": "order",
        "values": [
            {
                "key": '"book"|2|true',
                "value": 4,
                "labels": {"kind": "book", "size": 2, "gift": True},
                "timestamp": BEGUN_S * 1000 + 250,
                "rate": 0,
            },
            {"key": "||", "value": 1, "labels": {"kind": None}, "timestamp": BEGUN_S * 1000 + 250, "rate": 0},
        ],
    }


def test_what_is_not_said_of_a_metric_is_not_shown():
    kept = Kept()
    kept.registry.gauge("depth")
    (metric,) = kept.registry.read()
    assert metric.to_wire() == {"type": "gauge", "name": "depth", "labelNames": [], "values": []}


def test_a_gauge_goes_up_and_down_and_keeps_the_time_of_its_last_change():
    kept = Kept()
    kept.registry.gauge("depth")
    kept.registry.set("depth", 5)
    kept.later(1)
    kept.registry.decrement("depth", by=2)
    kept.later(1)
    kept.registry.set("depth", 3)
    assert kept.values("depth") == [{"key": "", "value": 3, "labels": {}, "timestamp": (BEGUN_S + 1) * 1000}]


def test_a_counter_cannot_go_down():
    kept = Kept()
    kept.registry.counter("orders.total")
    with pytest.raises(TypeError, match="cannot go down"):
        kept.registry.decrement("orders.total")


def test_a_rate_is_looked_at_every_five_seconds_and_is_half_of_what_was_and_half_of_what_is():
    kept = Kept()
    kept.registry.counter("orders.total", rate=True)
    kept.registry.increment("orders.total", by=10)
    rates = []
    for _ in range(4):
        kept.later(5)
        rates.append(kept.values("orders.total")[0]["rate"])
    assert rates == [60.0, 30.0, 15.0, 7.5]
    kept.later(60)
    assert kept.values("orders.total")[0]["rate"] == 0  # below 0.05 it is none


def test_a_histogram_counts_in_buckets_and_tells_quantiles_of_its_samples():
    kept = Kept()
    kept.registry.histogram("price", ["kind"], buckets=[10, 1, 5], quantiles=[0.9, 0.5], rate=True)
    for value in (5, 0.5, 7, 20):
        kept.registry.observe("price", value, {"kind": "book"})
    assert kept.values("price") == [
        {
            "key": '"book"',
            "labels": {"kind": "book"},
            "count": 4,
            "sum": 32.5,
            "lastValue": 20,
            "timestamp": BEGUN_S * 1000,
            "buckets": {"1": 1, "5": 2, "10": 3},
            "min": 0.5,
            "mean": 8.125,
            "variance": pytest.approx(70.0625),
            "stdDev": pytest.approx(math.sqrt(70.0625)),
            "max": 20,
            "quantiles": {"0.5": 5, "0.9": 20},
            "rate": 0,
        }
    ]


def test_samples_are_forgotten_in_steps_and_counts_are_not():
    kept = Kept()
    kept.registry.histogram("price", quantiles=True, max_age_s=60, age_buckets=10)
    kept.registry.observe("price", 1)
    kept.later(5.5)
    kept.registry.observe("price", 2)
    kept.later(0.5)
    kept.registry.observe("price", 3)  # six seconds on: the next age bucket
    kept.later(53)
    assert [kept.values("price")[0][name] for name in ("min", "max")] == [1, 3]
    kept.later(1)  # a minute on: the first bucket is begun anew
    assert [kept.values("price")[0][name] for name in ("min", "max")] == [3, 3]
    kept.later(6)
    (value,) = kept.values("price")
    assert (value["count"], value["sum"], value["lastValue"]) == (3, 6, 3)
    assert (value["min"], value["mean"], value["variance"], value["quantiles"]) == (None, None, None, {})


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 1000)), max_size=40), st.floats(0, 90))
def test_the_window_holds_what_moleculerjs_would_hold(steps: list[tuple[float, float]], last_s: float):
    kept = Kept()
    kept.registry.histogram("price", quantiles=[0.5], max_age_s=60, age_buckets=10)
    seen: list[tuple[int, float]] = []
    for wait_s, value in steps:
        kept.clock.at_ns += round(wait_s * SECOND)
        kept.registry.observe("price", value)
        seen.append((kept.clock.at_ns, value))
    kept.clock.at_ns += round(last_s * SECOND)
    if not seen:
        return
    begun_ns = seen[0][0]
    turn = (kept.clock.at_ns - begun_ns) // (6 * SECOND)
    held = sorted(value for at_ns, value in seen if (at_ns - begun_ns) // (6 * SECOND) > turn - 10)
    (told,) = kept.values("price")
    assert told["min"] == (held[0] if held else None)
    assert told["max"] == (held[-1] if held else None)
    assert told["quantiles"] == ({"0.5": held[math.ceil(0.5 * len(held)) - 1]} if held else {})


def test_a_busy_histogram_keeps_a_part_of_its_samples_and_its_extremes():
    kept = Kept()
    kept.registry.histogram("price", quantiles=[0.5])
    for value in range(30_000):
        kept.registry.observe("price", (value * 7919) % 30_000)
    (told,) = kept.values("price")
    assert (told["count"], told["min"], told["max"]) == (30_000, 0, 29_999)
    assert told["quantiles"]["0.5"] == pytest.approx(15_000, rel=0.1)


def test_a_timer_tells_milliseconds_with_their_parts():
    kept = Kept()
    kept.registry.histogram("price.time", buckets=True)
    end = kept.registry.timer("price.time")
    kept.clock.at_ns += 1_250_500
    assert end() == 1.2505
    assert kept.values("price.time")[0]["buckets"]["5"] == 1


def test_metrics_are_chosen_by_type_and_by_patterns_of_names():
    kept = Kept()
    make(kept.registry, ALWAYS)
    names = [metric.name for metric in kept.registry.read(types="histogram")]
    assert names == ["moleculer.request.time", "moleculer.event.received.time"]
    found = kept.registry.read(["counter", "gauge"], includes="moleculer.request.**", excludes=["**.total", "**.size"])
    assert [metric.name for metric in found] == [
        "moleculer.request.active",
        "moleculer.request.levels",
        "moleculer.request.bulkhead.inflight",
    ]


def test_when_metrics_are_off_everything_may_be_called_and_nothing_is_there():
    kept = Kept(enabled=False)
    make(kept.registry, (*ALWAYS, *TRANSIT, *BREAKER, *CACHER))
    kept.registry.increment("nowhere")
    kept.registry.set("nowhere", 1)
    kept.registry.observe("nowhere", 1)
    kept.registry.timer("nowhere")()
    assert kept.registry.read() == []


def test_a_metric_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"there is no metric 'orders\.totla'"):
        Kept().registry.increment("orders.totla")


def test_a_name_is_one_kind_of_metric_only():
    kept = Kept()
    first = kept.registry.counter("orders.total")
    assert kept.registry.counter("orders.total") is first
    with pytest.raises(ValueError, match="is a counter already, and cannot be a gauge too"):
        kept.registry.gauge("orders.total")


@pytest.mark.parametrize(("name", "labels"), [("1st", []), ("a b", []), ("", []), ("ok", ["b c"]), ("ok\n", [])])
def test_names_that_moleculerjs_refuses_are_refused(name: str, labels: list[str]):
    with pytest.raises(ValueError, match="expected letters"):
        Kept().registry.counter(name, labels)


def test_labels_that_others_choose_do_not_fill_the_memory(caplog: pytest.LogCaptureFixture):
    kept = Kept()
    kept.registry.counter("calls", ["caller"])
    for number in range(10_100):
        kept.registry.increment("calls", {"caller": f"c{number}"})
    assert len(kept.values("calls")) == 10_000
    assert [record.message for record in caplog.records] == [
        "metric calls has 10000 combinations of labels and takes no more"
    ]


def test_reset_begins_anew():
    kept = Kept()
    kept.registry.counter("calls", ["caller"]).increment({"caller": "a"})
    prices = kept.registry.histogram("price", quantiles=True, buckets=[1])
    prices.observe(3)
    kept.registry.get("calls").reset_all()
    prices.reset()
    assert kept.values("calls")[0]["value"] == 0
    (told,) = kept.values("price")
    assert (told["count"], told["sum"], told["lastValue"], told["min"]) == (0, 0, None, None)


def test_bucket_series_can_be_generated():
    assert linear_buckets(10, 5, 3) == [10, 15, 20]
    assert exponential_buckets(1, 2, 4) == [1, 2, 4, 8]


def test_whatever_comes_in_a_busy_time_is_kept_with_the_same_chance():
    kept = Kept()
    kept.registry.histogram("price", quantiles=[0.1, 0.5, 0.9])
    for value in range(40_000):  # rising: what came late must not be favoured
        kept.registry.observe("price", value)
    quantiles = kept.values("price")[0]["quantiles"]
    assert [quantiles[each] / 40_000 for each in ("0.1", "0.5", "0.9")] == pytest.approx([0.1, 0.5, 0.9], abs=0.05)
