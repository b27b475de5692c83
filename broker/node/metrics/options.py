"""How a node measures itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broker.node.metrics.reporters.base import Reporter


@dataclass(frozen=True, slots=True)
class MetricsOptions:
    """MoleculerJS's options of metrics, with its defaults.

    Attributes:
        enabled: Whether anything is measured.
        reporters: To whom it is told.
        collect_process_metrics: Whether process and machine are measured too.
        collect_interval_s: What is told of process and machine is not older than this.
        default_buckets: Of histograms that only say that they have some, in their own unit.
        default_quantiles: The same for quantiles, 0..1.
        default_max_age_s: Quantiles are of samples not older than this.
        default_age_buckets: In how many steps samples are forgotten.
    """

    enabled: bool = True
    reporters: Sequence[Reporter] = ()
    collect_process_metrics: bool = True
    collect_interval_s: float = 5.0
    default_buckets: Sequence[float] = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
    default_quantiles: Sequence[float] = (0.5, 0.9, 0.95, 0.99, 0.999)
    default_max_age_s: float = 60.0
    default_age_buckets: int = 10
