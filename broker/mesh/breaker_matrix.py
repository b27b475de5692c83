"""Every caller node by every endpoint: how the breaker between them stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker.mesh.breaker_states import Breaker
from broker.mesh.breaker_ways import Ways
from broker.observe.journal import NameKind

CELLS: Final = ("", "unknown", "off", "closed", "half-open", "held-closed", "open", "held-open")
"""What a cell may say, by its code; of several breakers in it the last of these. Empty: no calls, nothing to tell.
Off: closed, and it never opens by itself."""

MAX_CALLERS: Final = 2_000
MAX_ENDPOINTS: Final = 5_000

Numbers = NDArray[np.intp]

_CODES: Final = {state: code for code, state in enumerate(CELLS)}


class Caller(NamedTuple):
    """A row."""

    namespace: str
    node_id: str


class Endpoint(NamedTuple):
    """A column: an endpoint, or a node where the action is empty."""

    namespace: str
    node_id: str
    action: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """States by caller and endpoint.

    Attributes:
        callers: The rows, in order of names.
        endpoints: The columns, in order of names.
        cells: Codes of CELLS. Shape (callers, endpoints).
        left_out: Rows and columns beyond what is shown.
    """

    callers: tuple[Caller, ...]
    endpoints: tuple[Endpoint, ...]
    cells: NDArray[np.uint8]
    left_out: int = 0

    def state(self, row: int, column: int) -> str:
        """What a cell says; "" for nothing."""
        return CELLS[int(self.cells[row, column])]


def matrix(called: Ways, found: Iterable[Breaker], *, by_node: bool) -> Matrix:
    """The matrix of a span.

    Args:
        called: Who called what in it.
        found: Breakers of which something is known at its end.
        by_node: Whether a column is a node instead of an endpoint.
    """
    told: dict[tuple[Caller, Endpoint], int] = {}
    for breaker in found:
        if breaker.state == "closed" and not breaker.count and called.find(breaker.key) is None:
            continue  # a helper lists every endpoint that there is
        key = breaker.key
        place = Caller(key.namespace, key.owner), Endpoint(key.namespace, key.node_id, "" if by_node else key.action)
        state = "off" if breaker.state == "closed" and breaker.is_enabled is False else breaker.state
        told[place] = max(told.get(place, 0), _CODES.get(state, _CODES["unknown"]))
    row_names, row_of, column_names, column_of = _called(called, by_node=by_node)
    callers = sorted({*row_names, *(caller for caller, _ in told)})
    endpoints = sorted({*column_names, *(endpoint for _, endpoint in told)})
    left_out = max(0, len(callers) - MAX_CALLERS) + max(0, len(endpoints) - MAX_ENDPOINTS)
    rows = {caller: row for row, caller in enumerate(callers)}
    columns = {endpoint: column for column, endpoint in enumerate(endpoints)}
    codes = np.zeros((min(len(callers), MAX_CALLERS), min(len(endpoints), MAX_ENDPOINTS)), np.uint8)
    if called.count:
        row = np.array([rows[name] for name in row_names])[row_of]
        column = np.array([columns[name] for name in column_names])[column_of]
        shown = (row < MAX_CALLERS) & (column < MAX_ENDPOINTS)
        codes[row[shown], column[shown]] = _CODES["unknown"]
    for (caller, endpoint), code in told.items():
        if rows[caller] < MAX_CALLERS and columns[endpoint] < MAX_ENDPOINTS:
            codes[rows[caller], columns[endpoint]] = code
    return Matrix(tuple(callers[:MAX_CALLERS]), tuple(endpoints[:MAX_ENDPOINTS]), codes, left_out)


def _called(called: Ways, *, by_node: bool) -> tuple[list[Caller], Numbers, list[Endpoint], Numbers]:
    """The callers and endpoints of all ways, and which of them each way has."""
    names, node = called.snapshot.names, NameKind.NODE
    action, source, target = called.parts()
    ends = target if by_node else action * (names.count(node) + 1) + target
    sources, row_of = np.unique(source, return_inverse=True)
    _, first, column_of = np.unique(ends, return_index=True, return_inverse=True)
    callers = [Caller(names.namespace_text(node, number), names.text(node, number)) for number in sources.tolist()]
    keys = [called.key(way) for way in first.tolist()]
    endpoints = [Endpoint(key.namespace, key.node_id, "" if by_node else key.action) for key in keys]
    return callers, row_of, endpoints, column_of
