"""Breakers that nobody told of and that must be open: calls failed, then stopped, while others went on.

A guess from traffic alone, and never sure: it is made only for a node that calls
several endpoints of an action, spreads its calls over them, and leaves one out
whose last calls failed as breakers count failures.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.clock import SECOND
from broker.mesh.counting import look_up
from broker.mesh.cuts import Cut, call_cuts
from broker.mesh.names import error_code
from broker.mesh.presence import gone_nodes
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot
from broker.mesh.way_codes import Codes, Way, WayCodes
from broker.observe.journal import COUNTED_OUTCOMES, NameKind, Outcome

LOOK_BACK_NS: Final = 600 * SECOND
"""How far back the failures may lie."""

QUIET_NS: Final = 10 * SECOND
"""So long it was left out; what is tried now and then is still left out."""

MOST_TRIES: Final = 1
LEAST_OTHERS: Final = 10
"""So many calls each of the other endpoints got on average while this one was left out."""

LAST_CALLS: Final = 20
LEAST_FAILURES: Final = 10
FAILED_SHARE: Final = 0.5


def guesses(snapshot: Snapshot, at_ns: int) -> dict[Way, int]:
    """Breakers that look open at a moment: since when calls stopped, by namespace, owner, node and action."""
    look, quiet = Span(at_ns - LOOK_BACK_NS, at_ns), Span(at_ns - QUIET_NS, at_ns)
    cuts, ways = list(call_cuts(snapshot, look)), WayCodes(snapshot.names)
    suspects = _left_out(snapshot, quiet, ways, _suspects(snapshot, cuts, ways))
    if not len(suspects):
        return {}
    rows = _Rows(snapshot, cuts, suspects, ways)
    gone = gone_nodes(snapshot, at_ns)
    found = {}
    for code in suspects.tolist():
        way = ways.way(code)
        namespace, _, endpoint, _ = way
        if (namespace, endpoint) not in gone and rows.looks_open(code, quiet.from_ns):
            found[way] = rows.stopped_ns(code, quiet.from_ns)
    return found


class _Rows:
    """Calls of the callers and actions that are looked at, by way, those of one way in order of time."""

    def __init__(self, snapshot: Snapshot, cuts: list[Cut], suspects: Codes, ways: WayCodes) -> None:
        self._nodes = ways.nodes
        meant_by = np.unique(suspects // ways.nodes)
        counts = _counts(snapshot)
        codes, times, fails = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.bool_)]
        for cut in cuts:
            code, outcome = ways.of(cut), cut.column("outcome")
            meant = np.isin(code // ways.nodes, meant_by) & (outcome < COUNTED_OUTCOMES)
            codes.append(code[meant])
            times.append(cut.times[meant])
            failed = (outcome == Outcome.FAILED) & look_up(counts, cut.column("error"))
            fails.append(failed[meant])
        order = np.lexsort((np.concatenate(times), np.concatenate(codes)))
        self._codes = np.concatenate(codes)[order]
        self._times = np.concatenate(times)[order]
        self._fails = np.concatenate(fails)[order]

    def looks_open(self, code: int, quiet_ns: int) -> bool:
        """Whether this way, that was left out since a moment, is one whose calls failed before, and others went on."""
        failed = self._fails[self._between(code, code + 1)][-LAST_CALLS:]
        if failed.sum() < LEAST_FAILURES or failed.mean() < FAILED_SHARE:
            return False
        first = code // self._nodes * self._nodes
        beside = self._between(first, first + self._nodes)  # all ways of this caller and action
        others = self._codes[beside][self._times[beside] >= quiet_ns]
        others = others[others != code]
        endpoints = len(np.unique(others))
        return endpoints > 0 and len(others) >= LEAST_OTHERS * endpoints

    def stopped_ns(self, code: int, quiet_ns: int) -> int:
        """When the last call went this way before it was left out."""
        times = self._times[self._between(code, code + 1)]
        before = int(np.searchsorted(times, quiet_ns))
        return int(times[before - 1]) if before else quiet_ns

    def _between(self, first: int, behind: int) -> slice:
        """Where the rows of these codes are."""
        begin, end = np.searchsorted(self._codes, [first, behind]).tolist()
        return slice(begin, end)


def _suspects(snapshot: Snapshot, cuts: list[Cut], ways: WayCodes) -> Codes:
    """Ways (caller and action, then endpoint's node) with enough failures that breakers count."""
    counts, nodes = _counts(snapshot), ways.nodes
    failed = []
    for cut in cuts:
        rows = (cut.column("outcome") == Outcome.FAILED) & look_up(counts, cut.column("error"))
        if rows.any():
            failed.append(ways.of(cut.where(rows)))
    if not failed:
        return np.zeros(0, np.int64)
    codes, count = np.unique(np.concatenate(failed), return_counts=True)
    source, target = codes // nodes % nodes, codes % nodes
    return codes[(count >= LEAST_FAILURES) & (source > 0) & (target > 0)]


def _left_out(snapshot: Snapshot, quiet: Span, ways: WayCodes, suspects: Codes) -> Codes:
    """Those suspects, rising as they are, that were hardly called in a span."""
    calls = np.zeros(len(suspects), np.int64)
    for cut in call_cuts(snapshot, quiet) if len(suspects) else ():
        codes = ways.of(cut.where(cut.column("outcome") < COUNTED_OUTCOMES))
        place = np.minimum(np.searchsorted(suspects, codes), len(suspects) - 1)
        calls += np.bincount(place[suspects[place] == codes], minlength=len(suspects))
    return suspects[calls <= MOST_TRIES]


def _counts(snapshot: Snapshot) -> NDArray[np.bool_]:
    """Whether a breaker counts an error by Moleculer's own rule, by ERROR number."""
    codes = [error_code(text) for text in snapshot.names.texts(NameKind.ERROR)]
    return np.array([code is not None and code >= 500 for code in codes])
