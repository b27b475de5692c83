"""Figures of calls by one name, for the records of the inventory."""

# ruff: noqa: A002 - `filter` is the word of the views
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from broker.mesh.answers import Figures, Health
from broker.mesh.counting import look_up
from broker.mesh.cuts import call_cuts
from broker.mesh.figures import NO_FIGURES, FigureCounter
from broker.mesh.filter import Filter
from broker.mesh.health import health
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NameKind

Column = Literal["action", "source", "target", "service"]


@dataclass(frozen=True, slots=True)
class Figured:
    """Figures and health by number."""

    figures: list[Figures]
    healths: list[Health]

    def of(self, number: int | None) -> Figures:
        """Figures of a number; of none for None."""
        return NO_FIGURES if number is None else self.figures[number]

    def health(self, number: int | None) -> Health:
        """Health of a number; none for None."""
        return "none" if number is None else self.healths[number]


def figured(
    snapshot: Snapshot, span: Span, column: Column, filter: Filter, *, with_health: bool = True, show_ours: bool = False
) -> Figured:
    """Figures of the calls of a span by action, node or service.

    Args:
        snapshot: Where to look.
        span: When the calls ended.
        column: By which number: ACTION, NODE at one end, or the directory's index of the called service.
        filter: What the calls have to pass.
        with_health: Whether to look at the window before.
        show_ours: Whether calls made by this program count.
    """
    count = _size(snapshot, column)
    counter = _counted(snapshot, span, column, filter, count, show_ours)
    table = counter.table(span.seconds)
    figures = table.figures()
    if not with_health:
        return Figured(figures, ["none"] * count)
    before = _counted(snapshot, span.before(), column, filter, count, show_ours).table(span.seconds).figures()
    healths = [
        health(now, then, client_errors=client)
        for now, then, client in zip(figures, before, table.client_errors.tolist(), strict=True)
    ]
    return Figured(figures, healths)


def _size(snapshot: Snapshot, column: Column) -> int:
    if column == "service":
        return len(snapshot.directory.services)
    return snapshot.names.count(NameKind.ACTION if column == "action" else NameKind.NODE) + 1


def _counted(
    snapshot: Snapshot, span: Span, column: Column, filter: Filter, count: int, show_ours: bool
) -> FigureCounter:
    counter = FigureCounter(count, snapshot.names)
    of_action = snapshot.directory.of_action
    for cut in call_cuts(snapshot, span, filter, show_ours=show_ours):
        numbers: NDArray[Any]
        if column == "service":
            numbers = look_up(of_action, cut.column("action")).astype(np.intp)
        else:
            numbers = np.minimum(cut.column(column), count - 1).astype(np.intp)
        counter.add(cut, numbers)
    return counter


def first_of(*moments_ns: int) -> int:
    """The first of these moments, in ns since the epoch; those that never were do not count. 0 for none."""
    return min((moment for moment in moments_ns if moment > 0), default=0)
