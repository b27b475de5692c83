"""The making of metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from broker.node.metrics.histogram import Histogram
from broker.node.metrics.metric import Metric
from broker.node.metrics.options import MetricsOptions
from broker.node.metrics.values import Counter, Gauge, Info

_M = TypeVar("_M", bound=Metric[Any])


class Making:
    """Makes metrics, and keeps them by name while they are on.

    Attributes:
        enabled: Whether anything is measured. Who measures often asks this once.
        options: As given.
        now_ns: Tells the time.
    """

    def __init__(self, options: MetricsOptions, now_ns: Callable[[], int]) -> None:
        self.enabled = options.enabled
        self.options = options
        self.now_ns = now_ns
        self._metrics: dict[str, Metric[Any]] = {}

    def counter(
        self,
        name: str,
        labels: Sequence[str] = (),
        *,
        unit: str | None = None,
        description: str | None = None,
        rate: bool = False,
    ) -> Counter:
        """A number that only grows; the one that is there, if there is one.

        Args:
            name: Such as ``orders.placed.total``.
            labels: Their names.
            unit: Of the number.
            description: For people.
            rate: Whether growth in a minute is kept too.

        Raises:
            ValueError: The name cannot be used, or is another kind of metric's.
        """
        metric = Counter(name, labels, self.now_ns, unit=unit, description=description, has_rate=rate)
        return self._registered(metric)

    def gauge(
        self,
        name: str,
        labels: Sequence[str] = (),
        *,
        unit: str | None = None,
        description: str | None = None,
        rate: bool = False,
    ) -> Gauge:
        """A number that goes up and down; otherwise as `counter`."""
        metric = Gauge(name, labels, self.now_ns, unit=unit, description=description, has_rate=rate)
        return self._registered(metric)

    def info(
        self, name: str, labels: Sequence[str] = (), *, unit: str | None = None, description: str | None = None
    ) -> Info:
        """A text or number that describes something; otherwise as `counter`."""
        return self._registered(Info(name, labels, self.now_ns, unit=unit, description=description))

    def histogram(
        self,
        name: str,
        labels: Sequence[str] = (),
        *,
        unit: str | None = None,
        description: str | None = None,
        rate: bool = False,
        buckets: bool | Sequence[float] = False,
        quantiles: bool | Sequence[float] = False,
        max_age_s: float | None = None,
        age_buckets: int | None = None,
    ) -> Histogram:
        """Many values; otherwise as `counter`.

        Args:
            name: Such as ``orders.price``.
            labels: Their names.
            unit: Of the values.
            description: For people.
            rate: Whether growth of the count in a minute is kept too.
            buckets: Upper bounds (see `linear_buckets`, `exponential_buckets`), or True for the default ones.
            quantiles: 0..1, or True for the default ones.
            max_age_s: Quantiles are of samples not older than this.
            age_buckets: In how many steps samples are forgotten.
        """
        options = self.options
        metric = Histogram(
            name,
            labels,
            self.now_ns,
            unit=unit,
            description=description,
            has_rate=rate,
            buckets=_chosen(buckets, options.default_buckets),
            quantiles=_chosen(quantiles, options.default_quantiles),
            max_age_s=max_age_s or options.default_max_age_s,
            age_buckets=age_buckets or options.default_age_buckets,
        )
        return self._registered(metric)

    def _registered(self, metric: _M) -> _M:
        found = self._metrics.get(metric.name)
        if found is None:
            if self.enabled:
                self._metrics[metric.name] = metric
            return metric
        if type(found) is not type(metric):
            raise ValueError(f"metric {metric.name!r} is a {found.type} already, and cannot be a {metric.type} too")
        return found


def _chosen(asked: bool | Sequence[float], default: Sequence[float]) -> Sequence[float]:
    if isinstance(asked, bool):
        return default if asked else ()
    return asked
