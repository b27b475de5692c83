"""Calls as the summary counts them: by when their requests were first seen, open ones among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broker.clock import SECOND
from broker.mesh.answers import Figures
from broker.mesh.counting import look_up
from broker.mesh.cuts import OURS, Cut
from broker.mesh.export import number, plain_figures
from broker.mesh.figures import NO_FIGURES, FigureCounter
from broker.mesh.groups import Numbering, number_codes
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot
from broker.observe.journal import COUNTED_OUTCOMES, NameKind, OpenCall, Outcome

FLOAT32_LOSS: Final = 2.0**-23
"""Durations are kept in 32 bits: a begin is known to this share of the call's duration."""

Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class CountedCalls:
    """What the summary says of calls."""

    actions: list[dict[str, Any]]
    edges: list[dict[str, Any]]
    traces: int
    deepest: int


@dataclass(frozen=True, slots=True)
class _Begun:
    """Rows of one block whose requests were first seen in the span.

    Attributes:
        ended: Those that ended in it too; late answers that came in it are there as well.
        open: Those that were open at its end.
    """

    ended: Cut
    open: Cut


def count_calls(snapshot: Snapshot, span: Span) -> CountedCalls:
    """Count the calls of a span."""
    begun = list(_begun(snapshot, span))
    waiting = [call for call in snapshot.waiting if span.holds(call.begin_ns)]
    return CountedCalls(
        actions=_actions(snapshot, span, begun, waiting),
        edges=_edges(snapshot, span, begun, waiting),
        traces=_trace_count(begun, waiting),
        deepest=max(
            (int(cut.column("level").max()) for one in begun for cut in (one.ended, one.open) if cut.count), default=0
        ),
    )


def _begun(snapshot: Snapshot, span: Span) -> Iterator[_Begun]:
    for block in snapshot.call_blocks:
        if block.to_ns < span.from_ns:
            continue
        outcome = block.column("outcome")
        duration_ns = block.column("duration_s").astype(np.float64) * SECOND
        begin_ns = block.times - np.round(duration_ns).astype(np.int64)
        slack_ns = np.ceil(duration_ns * FLOAT32_LOSS).astype(np.int64)
        counted = (outcome < COUNTED_OUTCOMES) & (begin_ns >= span.from_ns - slack_ns) & (begin_ns < span.to_ns)
        late = (outcome == Outcome.LATE) & (block.times >= span.from_ns)
        kept = (counted | late) & (block.column("flags") & OURS == 0)
        in_time = block.times < span.to_ns
        yield _Begun(Cut(block, np.flatnonzero(kept & in_time)), Cut(block, np.flatnonzero(kept & ~in_time & counted)))


@dataclass(slots=True)
class _Groups:
    """Groups of calls with their figures, and how many of each were open."""

    numbering: Numbering
    figures: list[Figures]
    open: dict[int, int]

    def codes(self) -> list[int]:
        return sorted({*self.numbering.codes.tolist(), *self.open})

    def plain(self, code: int, seconds: float) -> dict[str, Any]:
        place = int(np.searchsorted(self.numbering.codes, code))
        is_known = place < len(self.numbering.codes) and int(self.numbering.codes[place]) == code
        figures = self.figures[place] if is_known else NO_FIGURES
        plain = plain_figures(figures)
        plain["calls"] = figures.calls + self.open.get(code, 0)
        plain["rate"] = number(plain["calls"] / seconds) if seconds else 0.0
        return plain


def _grouped(
    snapshot: Snapshot, span: Span, begun: list[_Begun], code_of: _CodeOf, size: int, waiting: list[OpenCall]
) -> _Groups:
    codes = [code_of.rows(one.ended) for one in begun]
    numbering = number_codes(codes, size)
    counter = FigureCounter(len(numbering.codes), snapshot.names)
    for one, code in zip(begun, codes, strict=True):
        counter.add(one.ended, numbering.numbers(code))
    still_open: dict[int, int] = {}
    open_codes = [code for one in begun for code in code_of.rows(one.open).tolist()]
    for code in [*open_codes, *(code_of.waiting(call) for call in waiting)]:
        still_open[code] = still_open.get(code, 0) + 1
    return _Groups(numbering, counter.table(span.seconds).figures(), still_open)


class _CodeOf:
    """What group a call belongs to: its action, or the services at both ends."""

    def __init__(self, snapshot: Snapshot, by: str) -> None:
        directory = snapshot.directory
        self.services = len(directory.services)
        if by == "action":
            self._callers, self._actions = np.zeros(1, np.intp), np.arange(snapshot.names.count(NameKind.ACTION) + 1)
            self.size = len(self._actions)
        else:
            self._callers = directory.of_caller.astype(np.intp) * self.services
            self._actions = directory.of_action.astype(np.intp)
            self.size = self.services**2

    def rows(self, cut: Cut) -> Codes:
        callers = look_up(self._callers, cut.column("caller"))
        return np.asarray(callers + look_up(self._actions, cut.column("action")))

    def waiting(self, call: OpenCall) -> int:
        caller = self._callers[min(call.caller, len(self._callers) - 1)]
        return int(caller + self._actions[min(call.action, len(self._actions) - 1)])


def _actions(snapshot: Snapshot, span: Span, begun: list[_Begun], waiting: list[OpenCall]) -> list[dict[str, Any]]:
    code_of = _CodeOf(snapshot, "action")
    groups = _grouped(snapshot, span, begun, code_of, code_of.size, waiting)
    served = _nodes_of(snapshot, begun, code_of, "target", waiting)
    names = snapshot.names
    found = []
    for code in groups.codes():
        plain = groups.plain(code, span.seconds)
        if plain["calls"] or plain["late"]:
            found.append(
                {
                    "namespace": names.namespace_text(NameKind.ACTION, code),
                    "name": names.text(NameKind.ACTION, code),
                    "service": snapshot.directory.service_of_action(code),
                    **plain,
                    "nodes": served.get(code, []),
                }
            )
    return sorted(found, key=lambda action: (action["namespace"], action["name"]))


def _edges(snapshot: Snapshot, span: Span, begun: list[_Begun], waiting: list[OpenCall]) -> list[dict[str, Any]]:
    code_of = _CodeOf(snapshot, "edge")
    groups = _grouped(snapshot, span, begun, code_of, code_of.size, waiting)
    sources = _nodes_of(snapshot, begun, code_of, "source", waiting)
    targets = _nodes_of(snapshot, begun, code_of, "target", waiting)
    services = snapshot.directory.services
    found = []
    for code in groups.codes():
        plain = groups.plain(code, span.seconds)
        if not plain["calls"]:
            continue
        source, target = services[code // code_of.services], services[code % code_of.services]
        found.append(
            {
                "namespace": target[0],
                "from": source[1] or None,
                "from_nodes": sources.get(code, []),
                "to": target[1],
                "to_nodes": targets.get(code, []),
                **plain,
            }
        )
    return sorted(found, key=lambda edge: (edge["namespace"], edge["from"] or "", edge["to"]))


def _nodes_of(
    snapshot: Snapshot, begun: list[_Begun], code_of: _CodeOf, column: str, waiting: list[OpenCall]
) -> dict[int, list[str]]:
    """Node ids at one end of each group's calls, sorted."""
    width = snapshot.names.count(NameKind.NODE) + 1
    codes = [
        code_of.rows(cut) * width + np.minimum(cut.column(column), width - 1)
        for one in begun
        for cut in (one.ended, one.open)
    ]
    found: dict[int, set[str]] = {}
    pairs = [divmod(code, width) for code in number_codes(codes, code_of.size * width).codes.tolist()]
    pairs += [(code_of.waiting(call), int(getattr(call, column))) for call in waiting]
    for code, node in pairs:
        if node:
            found.setdefault(code, set()).add(snapshot.names.text(NameKind.NODE, node))
    return {code: sorted(texts) for code, texts in found.items()}


def _trace_count(begun: list[_Begun], waiting: list[OpenCall]) -> int:
    parts = [np.unique(cut.column("trace")) for one in begun for cut in (one.ended, one.open)]
    parts.append(np.array([call.trace for call in waiting], np.uint64))
    traces = np.unique(np.concatenate(parts))
    return int((traces != 0).sum())
