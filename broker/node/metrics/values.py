"""Metrics that are one value: counters, gauges and infos."""

from __future__ import annotations

from typing import Any

from broker.node.metrics.metric import Labels, Metric, milliseconds
from broker.node.metrics.rate import Rate


class Value:
    """One value.

    Attributes:
        key: Of its labels.
        labels: Name to value.
        value: Added to directly by those who count often; they set ``at_ns`` too.
        at_ns: When it last changed, in ns since the epoch.
        rate: Of its growth, or None.
    """

    __slots__ = ("at_ns", "key", "labels", "rate", "value")

    def __init__(self, key: str, labels: dict[str, Any], value: Any, at_ns: int, rate: Rate | None) -> None:
        self.key = key
        self.labels = labels
        self.value = value
        self.at_ns = at_ns
        self.rate = rate

    def add(self, by: float, at_ns: int) -> None:
        """More, or less."""
        self.value += by
        self.at_ns = at_ns

    def rated(self) -> float:
        """The value itself."""
        return float(self.value)


class _OneValue(Metric[Value]):
    """What infos and gauges share."""

    initial: Any = None

    def set(self, value: Any, labels: Labels | None = None) -> None:
        """From now on it is this."""
        series = self.at(labels)
        if series.value != value:
            series.value, series.at_ns = value, self._now_ns()

    def _make(self, key: str, labels: dict[str, Any], now_ns: int) -> Value:
        return Value(key, labels, self.initial, now_ns, self._new_rate(now_ns))

    def _reset(self, series: Value) -> None:
        series.value = self.initial

    def _series_to_wire(self, series: Value, now_ns: int) -> dict[str, Any]:  # noqa: ARG002 - others need it
        wire = {
            "key": series.key,
            "value": series.value,
            "labels": series.labels,
            "timestamp": milliseconds(series.at_ns),
        }
        if series.rate is not None:
            wire["rate"] = series.rate.per_min
        return wire


class Info(_OneValue):
    """A text or a number that describes something."""

    type = "info"


class Gauge(_OneValue):
    """A number that goes up and down."""

    type = "gauge"
    initial = 0

    def increment(self, labels: Labels | None = None, by: float = 1) -> None:
        """More."""
        series = self.at(labels)
        self.set(series.value + by, labels)

    def decrement(self, labels: Labels | None = None, by: float = 1) -> None:
        """Less."""
        self.increment(labels, -by)


class Counter(Gauge):
    """A number that only grows."""

    type = "counter"

    def decrement(self, labels: Labels | None = None, by: float = 1) -> None:  # noqa: ARG002 - as the gauge has it
        """Never.

        Raises:
            TypeError: Always.
        """
        raise TypeError(f"{self.name} is a counter: it cannot go down")
