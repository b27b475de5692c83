"""All metrics of one node: measured, and read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from broker.clock import MILLISECOND
from broker.node.matching import matches
from broker.node.metrics.histogram import Histogram
from broker.node.metrics.making import Making
from broker.node.metrics.metric import Labels, Metric
from broker.node.metrics.options import MetricsOptions
from broker.node.metrics.values import Gauge, Info

_M = TypeVar("_M", bound=Metric[Any])


class MetricRegistry(Making):
    """Metrics by name. When they are off everything may be called still, and does nothing."""

    def __init__(self, options: MetricsOptions, now_ns: Callable[[], int]) -> None:
        """Begin without metrics.

        Args:
            options: How to measure.
            now_ns: Tells the time.
        """
        super().__init__(options, now_ns)
        self._before_reading: list[Callable[[], None]] = []

    # measuring by name

    def has(self, name: str) -> bool:
        """Whether there is such a metric."""
        return name in self._metrics

    def get(self, name: str) -> Metric[Any] | None:
        """The metric, if there is one."""
        return self._metrics.get(name)

    def series(self, name: str, labels: Labels | None = None) -> Any:
        """The series of these labels, for those who count so often that they keep it.

        Raises:
            ValueError: There is no such metric.
        """
        return self._there(name).at(labels)

    def increment(self, name: str, labels: Labels | None = None, by: float = 1) -> None:
        """A counter or gauge grows.

        Raises:
            ValueError: There is no such metric, or it cannot grow; not while metrics are off.
        """
        if self.enabled:
            self._found(name, Gauge).increment(labels, by)

    def decrement(self, name: str, labels: Labels | None = None, by: float = 1) -> None:
        """A gauge shrinks; otherwise as `increment`."""
        if self.enabled:
            self._found(name, Gauge).decrement(labels, by)

    def set(self, name: str, value: Any, labels: Labels | None = None) -> None:
        """A gauge, counter or info is this from now on; otherwise as `increment`."""
        if not self.enabled:
            return
        metric = self._metrics.get(name)
        if isinstance(metric, Info):
            metric.set(value, labels)
        else:
            self._found(name, Gauge).set(value, labels)

    def observe(self, name: str, value: float, labels: Labels | None = None) -> None:
        """A histogram takes in a value; otherwise as `increment`."""
        if self.enabled:
            self._found(name, Histogram).observe(value, labels)

    def timer(self, name: str, labels: Labels | None = None) -> Callable[[], float]:
        """Begin to take the time.

        Returns:
            To be called at the end: puts the ms into the histogram or gauge, and gives them.

        Raises:
            ValueError: There is no such metric, or it holds no times; not while metrics are off.
        """
        begun_ns = self.now_ns()
        metric = self._metrics.get(name) if self.enabled else None
        if self.enabled and not isinstance(metric, Histogram):
            metric = self._found(name, Gauge)

        def end() -> float:
            taken_ms = (self.now_ns() - begun_ns) / MILLISECOND
            if isinstance(metric, Histogram):
                metric.observe(taken_ms, labels)
            elif isinstance(metric, Gauge):
                metric.set(taken_ms, labels)
            return taken_ms

        return end

    # reading

    def before_reading(self, update: Callable[[], None]) -> None:
        """Have something called before anybody reads: what is cheaper to look up than to keep."""
        self._before_reading.append(update)

    def advance(self) -> None:
        """Bring rates up to date; to be called every second or so."""
        now_ns = self.now_ns()
        for metric in self._metrics.values():
            metric.advance(now_ns)

    def read(
        self,
        types: str | Iterable[str] | None = None,
        includes: str | Iterable[str] | None = None,
        excludes: str | Iterable[str] | None = None,
    ) -> list[Metric[Any]]:
        """Those metrics that are asked for, as they are now.

        Args:
            types: ``counter``, ``gauge``, ``histogram``, ``info``; all when None.
            includes: Patterns of names as events have them; all when None.
            excludes: The same; none when None.
        """
        for update in self._before_reading:
            update()
        wanted, included, excluded = _texts(types), _texts(includes), _texts(excludes)
        return [
            metric
            for metric in self._metrics.values()
            if (wanted is None or metric.type in wanted)
            and (included is None or any(matches(metric.name, pattern) for pattern in included))
            and not any(matches(metric.name, pattern) for pattern in excluded or ())
        ]

    def _there(self, name: str) -> Metric[Any]:
        metric = self._metrics.get(name)
        if metric is None:
            raise ValueError(f"there is no metric {name!r}: make it with counter(), gauge(), histogram() or info()")
        return metric

    def _found(self, name: str, kind: type[_M]) -> _M:
        metric = self._there(name)
        if not isinstance(metric, kind):
            raise ValueError(f"metric {name!r} is a {metric.type}, expected a {kind.type}")  # noqa: TRY004 - of a name
        return metric


def _texts(asked: str | Iterable[str] | None) -> list[str] | None:
    if asked is None:
        return None
    return [asked] if isinstance(asked, str) else list(asked)
