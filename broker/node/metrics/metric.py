"""What all metrics have: a name, labels, and one series of values for each combination of labels."""

from __future__ import annotations

import logging
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from broker.clock import MILLISECOND
from broker.node.metrics.rate import Rate

log = logging.getLogger(__name__)

Labels = Mapping[str, Any]
"""Label name to value: texts, numbers, booleans or None. What a metric does not name is left aside."""

_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9\-_:.]*\Z")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9\-_.]*\Z")
_MAX_SERIES: Final = 10_000


class Series(Protocol):
    """One metric under one combination of labels."""

    key: str
    labels: dict[str, Any]
    at_ns: int
    rate: Rate | None

    def rated(self) -> float:
        """The number whose growth is the rate."""
        ...


_S = TypeVar("_S", bound=Series)


class Metric(Generic[_S]):
    """One metric.

    Attributes:
        name: Such as ``moleculer.request.total``.
        label_names: In the order in which they make a key.
        unit: Such as ``millisecond``; None where there is none.
        description: For people; None where there is none.
        has_rate: Whether its series keep a rate for each minute.
        series: By key.
    """

    type: ClassVar[str]

    def __init__(
        self,
        name: str,
        label_names: Sequence[str],
        now_ns: Callable[[], int],
        *,
        unit: str | None = None,
        description: str | None = None,
        has_rate: bool = False,
    ) -> None:
        """Begin without values.

        Args:
            name: See attributes.
            label_names: See attributes.
            now_ns: Tells the time.
            unit: See attributes.
            description: See attributes.
            has_rate: See attributes.

        Raises:
            ValueError: The name, or that of a label, is none that MoleculerJS would take.
        """
        if not _NAME.match(name):
            raise ValueError(f"metric name is {name!r}, expected letters, digits and any of - _ : . after a letter")
        for label in label_names:
            if not _LABEL.match(label):
                raise ValueError(f"a label of {name} is {label!r}, expected letters, digits and any of - _ .")
        self.name = name
        self.label_names = tuple(label_names)
        self.unit = unit
        self.description = description
        self.has_rate = has_rate
        self.series: dict[str, _S] = {}
        self._now_ns = now_ns
        self._rate_changed_ns = -1
        self._is_full = False

    def at(self, labels: Labels | None = None) -> _S:
        """The series of these labels; made when it is asked for first.

        Whoever counts often keeps what this gives. Beyond 10,000 series a
        metric takes no more (names that others choose must not fill the
        memory): then what is given counts, but is never shown.
        """
        key = self._key(labels)
        found = self.series.get(key)
        if found is not None:
            return found
        kept = {name: labels[name] for name in self.label_names if name in labels} if labels else {}
        made = self._make(key, kept, self._now_ns())
        if len(self.series) < _MAX_SERIES:
            self.series[key] = made
        elif not self._is_full:
            self._is_full = True
            log.warning("metric %s has %d combinations of labels and takes no more", self.name, _MAX_SERIES)
        return made

    def reset(self, labels: Labels | None = None) -> None:
        """As if nothing had been counted under these labels."""
        series = self.at(labels)
        series.at_ns = self._now_ns()
        self._reset(series)

    def reset_all(self) -> None:
        """As if nothing had been counted under any labels."""
        for series in self.series.values():
            series.at_ns = self._now_ns()
            self._reset(series)

    def advance(self, now_ns: int) -> None:
        """Bring those rates up to date that are due."""
        if not self.has_rate:
            return
        for series in self.series.values():
            if series.rate is not None and series.rate.is_due(now_ns) and series.rate.tick(series.rated(), now_ns):
                self._rate_changed_ns = now_ns

    def changed_ns(self) -> int:
        """When anything of it last changed, in ns since the epoch; -1 when nothing ever did."""
        last_ns = max((series.at_ns for series in self.series.values()), default=-1)
        return max(last_ns, self._rate_changed_ns)

    def to_wire(self) -> dict[str, Any]:
        """As ``$node.metrics`` and ``$metrics.snapshot`` show it."""
        wire: dict[str, Any] = {"type": self.type, "name": self.name}
        if self.description is not None:
            wire["description"] = self.description
        wire["labelNames"] = list(self.label_names)
        if self.unit is not None:
            wire["unit"] = self.unit
        now_ns = self._now_ns()
        wire["values"] = [self._series_to_wire(series, now_ns) for series in list(self.series.values())]
        return wire

    def _new_rate(self, now_ns: int) -> Rate | None:
        return Rate(now_ns) if self.has_rate else None

    def _key(self, labels: Labels | None) -> str:
        if not self.label_names or labels is None:
            return ""
        return "|".join([_part(labels.get(name)) for name in self.label_names])

    @abstractmethod
    def _make(self, key: str, labels: dict[str, Any], now_ns: int) -> _S: ...

    @abstractmethod
    def _reset(self, series: _S) -> None: ...

    @abstractmethod
    def _series_to_wire(self, series: _S, now_ns: int) -> dict[str, Any]: ...


def milliseconds(at_ns: int) -> int:
    """A moment as the wire has it."""
    return at_ns // MILLISECOND


def number_text(number: float) -> str:
    """A number as JavaScript writes it in a key."""
    return str(int(number)) if number == int(number) else repr(number)


def _part(value: object) -> str:
    """One label within a key, as MoleculerJS writes it."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, int | float) else ""
