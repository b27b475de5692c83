"""What is measured of the execution of one action, or of one event handler, at every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from broker.clock import MILLISECOND
from broker.node.errors import MoleculerError
from broker.node.metrics.histogram import Observations
from broker.node.metrics.metric import Labels
from broker.node.metrics.registry import MetricRegistry
from broker.node.metrics.values import Value

_K = TypeVar("_K")
_V = TypeVar("_V")

_MAX_KEPT = 1_000
_LONGEST = 250


def as_label(claimed: object) -> str | None:
    """What another node says of itself, as a label: None when it is no text, or longer than any name."""
    return claimed if isinstance(claimed, str) and len(claimed) <= _LONGEST else None


class Resolved(dict[_K, _V], Generic[_K, _V]):
    """Series by what tells them apart, looked up once; names that others choose do not fill it."""

    def __init__(self, find: Callable[[_K], _V]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, key: _K) -> _V:
        """Look it up."""
        if len(self) >= _MAX_KEPT:
            self.clear()
        found = self[key] = self._find(key)
        return found


class Executions:
    """The series of one combination of labels, resolved: what counts adds to them directly."""

    __slots__ = ("_active", "_labels", "_prefix", "_registry", "_time", "_total")

    def __init__(self, registry: MetricRegistry, prefix: str, labels: Labels) -> None:
        """Look the series up.

        Args:
            registry: Where they are.
            prefix: ``moleculer.request`` or ``moleculer.event.received``.
            labels: All but those of errors.
        """
        self._registry = registry
        self._prefix = prefix
        self._labels = labels
        self._total: Value = registry.series(f"{prefix}.total", labels)
        self._active: Value = registry.series(f"{prefix}.active", labels)
        self._time: Observations | None = None  # there is none before the first has ended

    def begin(self, at_ns: int) -> None:
        """One begins."""
        total, active = self._total, self._active
        total.value += 1
        active.value += 1
        total.at_ns = active.at_ns = at_ns

    def end(self, begun_ns: int, at_ns: int) -> None:
        """One ends, however."""
        active = self._active
        active.value -= 1
        active.at_ns = at_ns
        if self._time is None:
            self._time = self._registry.series(f"{self._prefix}.time", self._labels)
        self._time.add((at_ns - begun_ns) / MILLISECOND, at_ns)

    def failed(self, error: BaseException) -> None:
        """One ended with an error."""
        self._registry.increment(f"{self._prefix}.error.total", {**self._labels, **_error_labels(error)})


def _error_labels(error: BaseException) -> dict[str, Any]:
    """An error without code or type has no such label, as in MoleculerJS."""
    if not isinstance(error, MoleculerError):
        return {"errorName": type(error).__name__}
    labels = {"errorName": error.name, "errorCode": error.code, "errorType": error.type}
    return {name: value for name, value in labels.items() if value is not None}
