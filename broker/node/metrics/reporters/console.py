"""Tells whoever reads the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from broker.node.metrics.reporters.base import Reporter

log = logging.getLogger(__name__)


class ConsoleReporter(Reporter):
    """A few lines every few seconds, as MoleculerJS's ``Console`` reporter writes them."""

    def __init__(
        self,
        *,
        write: Callable[[str], None] = log.info,
        only_changes: bool = True,
        interval_s: float = 5.0,
        includes: str | Sequence[str] | None = None,
        excludes: str | Sequence[str] | None = None,
        metric_name_prefix: str = "",
        metric_name_suffix: str = "",
        metric_name_formatter: Callable[[str], str] | None = None,
        label_name_formatter: Callable[[str], str] | None = None,
    ) -> None:
        """Begin.

        Args:
            write: Takes one line.
            only_changes: Whether only metrics are told that changed since the last time.
            interval_s: Between two reports.
            includes: Patterns of the names of metrics that are told; all when None.
            excludes: Patterns of the names of those that are not.
            metric_name_prefix: Put before every name.
            metric_name_suffix: Put after every name.
            metric_name_formatter: Makes of that the name that is told.
            label_name_formatter: Makes of a label's name the one that is told.
        """
        super().__init__(
            interval_s=interval_s,
            includes=includes,
            excludes=excludes,
            only_changes=only_changes,
            metric_name_prefix=metric_name_prefix,
            metric_name_suffix=metric_name_suffix,
            metric_name_formatter=metric_name_formatter,
            label_name_formatter=label_name_formatter,
        )
        self._write = write

    def report(self) -> None:
        """Write a block, unless nothing is to be told."""
        metrics = [metric.to_wire() for metric in self.take()]
        if not metrics:
            return
        self._write(f"------------------- [ METRICS START ({len(metrics)} metrics) ] -------------------")
        for metric in metrics:
            self._write(f"{self.metric_name(metric['name'])} ({metric['type']})")
            for value in metric["values"]:
                self._write(f"  {self._labels(value['labels'])}: {_shown(metric, value)}")
            if not metric["values"]:
                self._write("  <no values>")
        self._write("-------------------- [ METRICS END ] --------------------")

    def _labels(self, labels: dict[str, Any]) -> str:
        return "{" + ", ".join(f"{self.label_name(name)}: {value}" for name, value in labels.items()) + "}"


def _shown(metric: dict[str, Any], value: dict[str, Any]) -> str:
    unit = f" {metric['unit']}" if "unit" in metric else ""
    rate = f" | Rate: {value['rate']:.2f}" if "rate" in value else ""
    if metric["type"] != "histogram":
        return f"{value['value']}{unit}{rate}"
    quantiles = " ".join(f"{quantile}: {number:.2f}" for quantile, number in value.get("quantiles", {}).items())
    spread = f" | Min: {value['min']:.2f} Mean: {value['mean']:.2f} Max: {value['max']:.2f}" if quantiles else ""
    return f"Count: {value['count']}{spread}{f' | {quantiles}' if quantiles else ''}{rate}"
