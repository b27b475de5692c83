"""Metrics of many values: how many, how large, and how they are spread."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from broker.node.metrics.metric import Labels, Metric, milliseconds, number_text
from broker.node.metrics.rate import Rate
from broker.node.metrics.window import Window


def linear_buckets(start: float, width: float, count: int) -> list[float]:
    """Upper bounds that are equally far from each other."""
    return [start + index * width for index in range(count)]


def exponential_buckets(start: float, factor: float, count: int) -> list[float]:
    """Upper bounds of which each is so many times the one before."""
    return [start * factor**index for index in range(count)]


class Observations:
    """What was observed under one combination of labels.

    Attributes:
        key: Of its labels.
        labels: Name to value.
        at_ns: When something was last observed, in ns since the epoch.
        rate: Of its count's growth, or None.
        count: How often.
        sum: Of all values.
        last_value: The newest; None when there is none.
        counts: For each bucket those that are in no lower one, and at the end what is above all.
        window: The newest samples, or None when nobody wants quantiles.
    """

    __slots__ = ("_bounds", "at_ns", "count", "counts", "key", "labels", "last_value", "rate", "sum", "window")

    def __init__(
        self,
        key: str,
        labels: dict[str, Any],
        at_ns: int,
        rate: Rate | None,
        bounds: Sequence[float],
        window: Window | None,
    ) -> None:
        self.key = key
        self.labels = labels
        self.at_ns = at_ns
        self.rate = rate
        self.window = window
        self._bounds = bounds
        self.clear()

    def clear(self) -> None:
        """Nothing observed; the window is its owner's."""
        self.count = 0
        self.sum: float = 0
        self.last_value: float | None = None
        self.counts = [0] * (len(self._bounds) + 1)

    def add(self, value: float, at_ns: int) -> None:
        """Take in one more value."""
        self.at_ns = at_ns
        self.sum += value
        self.count += 1
        self.last_value = value
        self.counts[bisect_left(self._bounds, value)] += 1
        if self.window is not None:
            self.window.add(value, at_ns)

    def rated(self) -> float:
        """Its count."""
        return float(self.count)


class Histogram(Metric[Observations]):
    """Counts by size, and quantiles of the newest."""

    type = "histogram"

    def __init__(
        self,
        name: str,
        label_names: Sequence[str],
        now_ns: Callable[[], int],
        *,
        unit: str | None = None,
        description: str | None = None,
        has_rate: bool = False,
        buckets: Sequence[float] = (),
        quantiles: Sequence[float] = (),
        max_age_s: float = 60.0,
        age_buckets: int = 10,
    ) -> None:
        """Begin without values.

        Args:
            name: Such as ``moleculer.request.time``.
            label_names: In the order in which they make a key.
            now_ns: Tells the time.
            unit: Of the values.
            description: For people.
            has_rate: Whether its series keep a rate.
            buckets: Upper bounds, in any order; none when empty.
            quantiles: 0..1, in any order; none when empty.
            max_age_s: Quantiles are of samples not older than this.
            age_buckets: In how many steps samples are forgotten.

        Raises:
            ValueError: A name is none that MoleculerJS would take.
        """
        super().__init__(name, label_names, now_ns, unit=unit, description=description, has_rate=has_rate)
        self.buckets = sorted(buckets)
        self.quantiles = sorted(quantiles)
        self._max_age_s = max_age_s
        self._age_buckets = age_buckets

    def observe(self, value: float, labels: Labels | None = None) -> None:
        """Take in one value."""
        self.at(labels).add(value, self._now_ns())

    def _make(self, key: str, labels: dict[str, Any], now_ns: int) -> Observations:
        return Observations(key, labels, now_ns, self._new_rate(now_ns), self.buckets, self._window(now_ns))

    def _reset(self, series: Observations) -> None:
        series.clear()
        series.window = self._window(series.at_ns)

    def _window(self, now_ns: int) -> Window | None:
        return Window(self._max_age_s, self._age_buckets, now_ns) if self.quantiles else None

    def _series_to_wire(self, series: Observations, now_ns: int) -> dict[str, Any]:
        wire: dict[str, Any] = {
            "key": series.key,
            "labels": series.labels,
            "count": series.count,
            "sum": series.sum,
            "lastValue": series.last_value,
            "timestamp": milliseconds(series.at_ns),
        }
        if self.buckets:
            bounds = [number_text(bound) for bound in self.buckets]
            wire["buckets"] = dict(zip(bounds, accumulate(series.counts[:-1]), strict=True))
        if series.window is not None:
            wire |= series.window.snapshot(self.quantiles, now_ns)
        if series.rate is not None:
            wire["rate"] = series.rate.per_min
        return wire
