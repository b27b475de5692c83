"""What a reporter is: somebody who is told every few seconds what the metrics are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.metrics.metric import Metric
    from broker.node.metrics.registry import MetricRegistry


class Reporter:
    """Tells nobody: override `report`, and `begin` and `stop` where something must be opened and closed.

    Attributes:
        interval_s: Between two reports; 0 for none by themselves.
    """

    def __init__(
        self,
        *,
        interval_s: float = 5.0,
        includes: str | Sequence[str] | None = None,
        excludes: str | Sequence[str] | None = None,
        only_changes: bool = False,
        metric_name_prefix: str = "",
        metric_name_suffix: str = "",
        metric_name_formatter: Callable[[str], str] | None = None,
        label_name_formatter: Callable[[str], str] | None = None,
    ) -> None:
        """Begin; nothing is told before `begin`.

        Args:
            interval_s: See attributes.
            includes: Patterns of the names of metrics that are told; all when None.
            excludes: Patterns of the names of those that are not.
            only_changes: Whether only metrics are told that changed since the last report.
            metric_name_prefix: Put before every name.
            metric_name_suffix: Put after every name.
            metric_name_formatter: Makes of that the name that is told.
            label_name_formatter: Makes of a label's name the one that is told.
        """
        self.interval_s = interval_s
        self._includes = includes
        self._excludes = excludes
        self._only_changes = only_changes
        self._prefix = metric_name_prefix
        self._suffix = metric_name_suffix
        self._format_name = metric_name_formatter
        self._format_label = label_name_formatter
        self._reported_ns = -1
        self._broker: Broker | None = None

    def begin(self, broker: Broker, registry: MetricRegistry) -> None:
        """The broker is about to connect.

        Args:
            broker: Whose metrics they are.
            registry: Where they are.

        Raises:
            ValueError: It tells of another broker already.
        """
        if self._broker is not None:
            name = type(self).__name__
            raise ValueError(f"this {name} tells of node {self._broker.node_id!r} already: give each node its own")
        self._broker = broker
        self.registry = registry

    @property
    def broker(self) -> Broker:
        """Whose metrics they are; only after `begin`."""
        assert self._broker is not None  # noqa: S101 - nobody tells before
        return self._broker

    def report(self) -> None:
        """Tell now."""

    async def stop(self) -> None:
        """Nothing more will be told."""

    def take(self) -> list[Metric[Any]]:
        """What is to be told now."""
        metrics = self.registry.read(includes=self._includes, excludes=self._excludes)
        if self._only_changes:
            metrics = [metric for metric in metrics if metric.changed_ns() > self._reported_ns]
            self._reported_ns = max([self._reported_ns, *[metric.changed_ns() for metric in metrics]])
        return metrics

    def metric_name(self, name: str) -> str:
        """A metric's name as it is told."""
        told = f"{self._prefix}{name}{self._suffix}"
        return self._format_name(told) if self._format_name is not None else told

    def label_name(self, name: str) -> str:
        """A label's name as it is told."""
        return self._format_label(name) if self._format_label is not None else name
