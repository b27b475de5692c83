"""The board of breakers: one row for each caller node and endpoint with calls, or with something to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np

from broker.mesh.answers import Figures
from broker.mesh.breaker_matrix import Matrix, matrix
from broker.mesh.breaker_states import (
    Breaker,
    BreakerChange,
    BreakerKey,
    Coverage,
    breakers_at,
    changes_in,
    coverage,
    with_settings,
)
from broker.mesh.breaker_ways import FLAT, Curve, Ways, received, ways
from broker.mesh.figures import NO_FIGURES
from broker.mesh.filter import EMPTY, Filter
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot
from broker.mesh.way_codes import Codes
from broker.observe.journal import NameKind, Outcome

MAX_ROWS: Final = 1_000

Sort = Literal["error", "volume", "slow", "name", "changed"]
Show = Literal["all", "not closed", "open", "half-open", "held", "closed", "not seen"]

SORTS: Final[tuple[Sort, ...]] = get_args(Sort)
SHOWS: Final[tuple[Show, ...]] = get_args(Show)

STATE_ORDER: Final = ("open", "held-open", "half-open", "held-closed", "unknown", "closed")
_UNKNOWN: Final = STATE_ORDER.index("unknown")
_SHOWN: Final[dict[Show, frozenset[str]]] = {
    "all": frozenset(STATE_ORDER),
    "not closed": frozenset({"open", "held-open", "half-open", "held-closed"}),
    "open": frozenset({"open"}),
    "half-open": frozenset({"half-open"}),
    "held": frozenset({"held-open", "held-closed"}),
    "closed": frozenset({"closed"}),
    "not seen": frozenset({"unknown"}),
}


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One breaker with the calls that it lets through.

    Attributes:
        breaker: As of the end of the span; its own figures count inside the node.
        figures: Calls seen on the bus in the span: of the caller to the endpoint; of the endpoint's
            own breaker, of all callers.
        curve: Calls/s in the last two minutes. Shape (CURVE_BUCKETS,).
        callers: How many nodes called this endpoint in the span.
    """

    breaker: Breaker
    figures: Figures
    curve: Curve
    callers: int


@dataclass(frozen=True, slots=True)
class BreakerAnswer:
    """Everything that the view of breakers shows.

    Attributes:
        rows: The board, sorted.
        total: How many rows there are; more than ``rows`` where they are too many.
        matrix: Every caller by every endpoint.
        changes: What moved in the span, newest first.
        holds: Breakers held by hand at its end.
        coverage: Which nodes have a helper.
        known: Breakers that somebody told of.
        told: Sources of their states.
    """

    span: Span
    rows: tuple[BoardRow, ...]
    total: int
    matrix: Matrix
    changes: tuple[BreakerChange, ...]
    holds: tuple[Breaker, ...]
    coverage: Coverage
    known: int
    told: frozenset[str]


def breakers(
    snapshot: Snapshot,
    span: Span,
    *,
    filter: Filter = EMPTY,  # noqa: A002 - the word of the views
    sort: Sort = "error",
    show: Show = "all",
    by_node: bool = False,
    namespace: str | None = None,
    limit: int = MAX_ROWS,
) -> BreakerAnswer:
    """How breakers stand at the end of a span, and how the calls went that they guard.

    Args:
        snapshot: Where to look.
        span: When calls ended; changes are told of it, states are as of its end.
        filter: What calls have to pass; a breaker without calls has to fit itself.
        sort: How the board is sorted: what stops traffic comes first, but for ``name`` and ``changed``.
        show: Which states the board shows; the matrix shows all.
        by_node: Whether the matrix has a column for each node instead of each endpoint.
        namespace: Only this one; None for all.
        limit: How many rows at most.
    """
    found = [one for one in breakers_at(snapshot, span.to_ns, namespace=namespace) if _fits(filter, one.key)]
    called = ways(snapshot, span, filter)
    board = _Board(snapshot, called, found)
    rows, total = board.rows(sort, show, limit)
    moved = [change for change in changes_in(snapshot, span, namespace=namespace) if _fits(filter, change.key)]
    return BreakerAnswer(
        span,
        rows,
        total,
        matrix(called, found, by_node=by_node),
        tuple(moved),
        holds(found, span.to_ns),
        coverage(snapshot, span.to_ns, namespace=namespace),
        len(found),
        frozenset(one.source for one in found),
    )


def holds(found: Iterable[Breaker], at_ns: int) -> tuple[Breaker, ...]:
    """Those that are held by hand at a moment, the ones that end first first."""
    held = [one for one in found if one.is_held and not 0 < one.until_ns <= at_ns]
    return tuple(sorted(held, key=lambda one: (one.until_ns, one.key)))


def _fits(wanted: Filter, key: BreakerKey) -> bool:
    service = key.action.rpartition(".")[0]
    nodes = (key.owner, key.node_id)
    fields = {"action": key.action, "service": service, "node": nodes, "source": key.owner, "target": key.node_id}
    return wanted.is_empty or wanted.matches({**fields, "namespace": key.namespace})


class _Board:
    """Joins calls and states; makes records only of the rows that are shown.

    Its rows are the ways, then the breakers without calls that are worth a row.
    """

    def __init__(self, snapshot: Snapshot, called: Ways, found: list[Breaker]) -> None:
        self._snapshot = snapshot
        self._ways = called
        self._of_way: dict[int, Breaker] = {}
        self._silent: list[Breaker] = []
        for breaker in found:
            way = None if breaker.key.is_own else called.find(breaker.key)
            if way is not None:
                self._of_way[way] = breaker
            elif breaker.state != "closed":
                self._silent.append(breaker)  # what an open one holds back is not seen

    def rows(self, sort: Sort, show: Show, limit: int) -> tuple[tuple[BoardRow, ...], int]:
        """The rows that are shown, and how many there would be."""
        count, silent = self._ways.count, len(self._silent)
        states = np.full(count + silent, _UNKNOWN)
        since_ns = np.zeros(count + silent, np.int64)
        for row, breaker in [*self._of_way.items(), *enumerate(self._silent, count)]:
            states[row] = STATE_ORDER.index(breaker.state) if breaker.state in STATE_ORDER else _UNKNOWN
            since_ns[row] = breaker.since_ns
        # closed ones and those of which nobody told are alike: what counts is how their calls go
        ranks = np.minimum(states, _UNKNOWN)
        shown = np.flatnonzero(np.isin(states, [STATE_ORDER.index(state) for state in _SHOWN[show]]))
        order = shown[np.lexsort([key[shown] for key in self._keys(sort, ranks, since_ns)])]
        return self._made(order[:limit].tolist()), len(order)

    def _keys(self, sort: Sort, ranks: Codes, since_ns: Codes) -> tuple[Any, ...]:
        """What rows are sorted by, the last one first. Shape (rows,) each."""
        table, nothing = self._ways.table, np.zeros(len(self._silent))
        calls = np.concatenate([table.calls, nothing])
        failed = np.concatenate([table.calls - table.outcomes[:, Outcome.OK], nothing])
        share = failed / np.maximum(calls, 1)
        if sort == "error":
            return (-calls, -share, ranks)
        if sort == "volume":
            return (ranks, -calls)
        if sort == "slow":
            p99_ms = np.concatenate([np.nan_to_num(table.quantiles_ms[:, 2], nan=-1.0), nothing - 1.0])
            return (-calls, ranks, -p99_ms)
        if sort == "changed":
            return (-calls, ranks, -since_ns)
        return self._names()

    def _names(self) -> tuple[Any, ...]:
        """Places of caller, node and action in the order of their names."""
        action, source, target = self._ways.parts()
        names = self._snapshot.names
        found = []
        for kind, numbers, part in (
            (NameKind.NODE, source, "owner"),
            (NameKind.NODE, target, "node_id"),
            (NameKind.ACTION, action, "action"),
        ):
            texts = [names.text(kind, number) for number in np.unique(numbers).tolist()]
            silent = [str(getattr(one.key, part)) for one in self._silent]
            place = {text: index for index, text in enumerate(sorted({*texts, *silent}))}
            of_numbers = np.array([place[text] for text in texts], np.int64)
            own = of_numbers[np.searchsorted(np.unique(numbers), numbers)] if len(numbers) else of_numbers
            found.append(np.concatenate([own, np.array([place[text] for text in silent], np.int64)]))
        return tuple(found)

    def _made(self, rows: list[int]) -> tuple[BoardRow, ...]:
        count, span = self._ways.count, self._ways.span
        called = [row for row in rows if row < count]
        figures = dict(zip(called, self._ways.figures_of(called), strict=True))
        curves = dict(zip(called, self._ways.curves_of(called), strict=True))
        own = [one.key for row in rows if row >= count and (one := self._silent[row - count]).key.is_own]
        of_own = dict(zip(own, received(self._snapshot, span, own), strict=True))
        callers = self._ways.callers()
        made = []
        for row in rows:
            known = self._of_way.get(row) if row < count else self._silent[row - count]
            breaker = with_settings(self._snapshot, known or Breaker(self._ways.key(row)), span.to_ns)
            of_row = figures.get(row) or of_own.get(breaker.key) or NO_FIGURES
            many = callers[row] if row < count else 0
            made.append(BoardRow(breaker, of_row, curves.get(row, FLAT), many))
        return tuple(made)
