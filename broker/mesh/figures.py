"""How many sets of calls went, all at once: counts by outcome, percentiles from log buckets.

A percentile is the value of the bucket in which the call of that rank lies
(the smallest rank at or above the share); sets are merged by adding their
histograms, and percentiles are never averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broker.mesh.answers import Figures
from broker.mesh.counting import OUTCOMES, count_calls, count_outcomes, look_up
from broker.mesh.cuts import Cut
from broker.mesh.durations import milliseconds
from broker.mesh.histograms import Histograms
from broker.mesh.names import Names, error_code
from broker.observe.journal import COUNTED_OUTCOMES, NameKind, Outcome

QUANTILES: Final = (0.5, 0.9, 0.99)

NO_FIGURES: Final = Figures()
"""Shared by all groups without calls: ten thousand silent actions cost nothing."""

Groups = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FigureTable:
    """Figures of many groups of calls, one element a group.

    Attributes:
        outcomes: Shape (groups, OUTCOMES).
        quantiles_ms: Shape (groups, 3): p50, p90, p99; NaN without completed calls.
        max_ms: Shape (groups,); NaN without completed calls.
        client_errors: Errors with a code from 400 to 499. Shape (groups,).
        seconds: Length of the span that they are of.
    """

    outcomes: NDArray[np.int64]
    quantiles_ms: Floats
    max_ms: Floats
    client_errors: NDArray[np.int64]
    seconds: float

    @property
    def calls(self) -> NDArray[np.int64]:
        """Calls of each group. Shape (groups,)."""
        return np.asarray(self.outcomes[:, :COUNTED_OUTCOMES].sum(1))

    def figures(self) -> list[Figures]:
        """All groups as records, in order."""
        filled = np.flatnonzero(self.outcomes.any(1))
        ok, failed, timed_out, no_answer, late = self.outcomes[filled, : Outcome.LATE + 1].T
        calls = self.calls[filled]
        columns: list[NDArray[Any]] = [calls, ok + failed, failed, timed_out, no_answer, late]
        columns.append(calls / self.seconds if self.seconds > 0 else np.zeros(len(calls)))
        columns += [*self.quantiles_ms[filled].T, self.max_ms[filled]]
        records = map(Figures._make, zip(*(column.tolist() for column in columns), strict=True))
        found = [NO_FIGURES] * len(self.outcomes)
        for group, record in zip(filled.tolist(), records, strict=True):
            found[group] = record
        return found


class FigureCounter:
    """Counts calls of many groups.

    Args:
        groups: How many there are.
        names: Where errors are named.
    """

    def __init__(self, groups: int, names: Names) -> None:
        self.groups = groups
        self._is_client = client_error_table(names)
        self._client_errors = np.zeros(groups, np.int64)
        self._outcomes = np.zeros(groups * OUTCOMES, np.int64)
        self._histograms = Histograms(groups)
        self._max_s = np.zeros(groups, np.float32)

    def add(self, cut: Cut, groups: Groups) -> None:
        """Count these calls.

        Args:
            cut: Rows of calls.
            groups: The group of each, 0 up to ``groups`` - 1. Shape (count,).
        """
        rows = cut.column("outcome"), cut.column("bucket"), cut.column("duration_s")
        failed = np.flatnonzero(rows[0] == Outcome.FAILED)
        if len(failed):
            is_client = look_up(self._is_client, cut.column("error")[failed])
            np.add.at(self._client_errors, groups[failed[is_client]], 1)
        cells = self._histograms.table_for(len(groups))
        if cells is not None:
            count_calls(groups, rows, self._outcomes, cells, self._max_s)
        else:
            self._histograms.add(*count_outcomes(groups, rows, self._outcomes, self._max_s))

    def table(self, seconds: float) -> FigureTable:
        """What was counted, as of a span of this length."""
        outcomes = self._outcomes.reshape(-1, OUTCOMES)
        return _table(outcomes, self._histograms, self._max_s, self._client_errors, seconds)

    def merged(self, into: Groups, groups: int, seconds: float) -> FigureTable:
        """What was counted, of larger groups.

        Args:
            into: The larger group of each group, -1 for none. Shape (groups of this counter,).
            groups: How many larger groups there are.
            seconds: Length of the span.
        """
        kept = into >= 0
        outcomes = np.zeros((groups, OUTCOMES), np.int64)
        np.add.at(outcomes, into[kept], self._outcomes.reshape(-1, OUTCOMES)[kept])
        max_s = np.zeros(groups, np.float32)
        np.maximum.at(max_s, into[kept], self._max_s[kept])
        client_errors = np.zeros(groups, np.int64)
        np.add.at(client_errors, into[kept], self._client_errors[kept])
        return _table(outcomes, self._histograms.merged(into, groups), max_s, client_errors, seconds)


def _table(
    outcomes: NDArray[np.int64],
    histograms: Histograms,
    max_s: NDArray[np.float32],
    client_errors: NDArray[np.int64],
    seconds: float,
) -> FigureTable:
    quantiles_s, counts = histograms.quantiles(QUANTILES)
    max_ms = np.where(counts > 0, milliseconds(max_s), np.nan)
    # a bucket's value may lie above the longest call in it
    quantiles_ms = np.minimum(quantiles_s * 1000, max_ms[:, None])
    return FigureTable(outcomes, quantiles_ms, max_ms, client_errors, seconds)


def total_figures(cuts: Sequence[Cut], names: Names, seconds: float) -> Figures:
    """Figures of all these calls as one."""
    counter = FigureCounter(1, names)
    for cut in cuts:
        counter.add(cut, np.zeros(cut.count, np.intp))
    return counter.table(seconds).figures()[0]


def client_error_table(names: Names) -> NDArray[np.bool_]:
    """Whether an error has a code from 400 to 499, by ERROR number."""
    codes = [error_code(text) for text in names.texts(NameKind.ERROR)]
    return np.array([code is not None and 400 <= code < 500 for code in codes])
