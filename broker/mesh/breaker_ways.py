"""Calls by caller node and endpoint: the ways that breakers stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.clock import SECOND
from broker.mesh.answers import Figures
from broker.mesh.breaker_states import BreakerKey
from broker.mesh.counting import look_up
from broker.mesh.cuts import Cut, call_cuts, time_buckets, time_edges_ns
from broker.mesh.figures import NO_FIGURES, FigureCounter, FigureTable
from broker.mesh.filter import EMPTY, Filter
from broker.mesh.groups import Numbering, number_codes
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot
from broker.mesh.way_codes import Codes, WayCodes
from broker.observe.journal import COUNTED_OUTCOMES, NameKind

CURVE_S: Final = 120
CURVE_BUCKETS: Final = 60
"""Two minutes of rate, a point every two seconds."""

Curve = NDArray[np.float64]

FLAT: Final[Curve] = np.zeros(CURVE_BUCKETS)


@dataclass(frozen=True, slots=True)
class Ways:
    """Who called which endpoint in a span.

    Attributes:
        span: When the calls ended.
        filter: What they had to pass.
        numbering: The ways' codes, rising.
        table: How their calls went, parallel to the codes.
    """

    snapshot: Snapshot
    span: Span
    filter: Filter
    numbering: Numbering
    table: FigureTable

    @property
    def _codes(self) -> WayCodes:
        return WayCodes(self.snapshot.names)

    @property
    def count(self) -> int:
        """How many ways there are."""
        return len(self.numbering.codes)

    def key(self, way: int) -> BreakerKey:
        """The caller's breaker on a way."""
        return BreakerKey(*self._codes.way(int(self.numbering.codes[way])))

    def parts(self) -> tuple[Codes, Codes, Codes]:
        """Numbers of the action, the caller node and the endpoint's node of each way. Shape (count,) each."""
        nodes = self._codes.nodes
        rest, target = np.divmod(self.numbering.codes, nodes)
        action, source = np.divmod(rest, nodes)
        return action, source, target

    def callers(self) -> list[int]:
        """How many nodes called the endpoint of each way. Shape (count,)."""
        action, _, target = self.parts()
        _, place, many = np.unique(action * self._codes.nodes + target, return_inverse=True, return_counts=True)
        return [int(count) for count in many[place]]

    def services(self, most: int = 3) -> list[tuple[str, ...]]:
        """Whose calls each way's are, by service, the busiest first; those made outside services have no name.

        Args:
            most: Names of one way.
        """
        width = self.snapshot.names.count(NameKind.SERVICE) + 1
        pairs = np.zeros(0, np.int64)
        counts = np.zeros(0, np.int64)
        codes = self._codes
        for cut in _cuts(self.snapshot, self.span, self.filter):
            place = np.searchsorted(self.numbering.codes, codes.of(cut)).astype(np.int64)
            caller = np.minimum(cut.column("caller").astype(np.int64), width - 1)
            pairs, place_of = np.unique(np.concatenate([pairs, place * width + caller]), return_inverse=True)
            counts = np.bincount(place_of, np.concatenate([counts, np.ones(cut.count, np.int64)])).astype(np.int64)
        found: list[list[str]] = [[] for _ in range(self.count)]
        for pair in pairs[np.argsort(-counts, kind="stable")].tolist():
            way, caller = divmod(pair, width)
            name = self.snapshot.names.text(NameKind.SERVICE, caller)
            if name and len(found[way]) < most:
                found[way].append(name)
        return [tuple(names) for names in found]

    def find(self, key: BreakerKey) -> int | None:
        """The way on which a caller's breaker stands; None without calls."""
        code = self._codes.find(key)
        if code is None:
            return None
        place = int(np.searchsorted(self.numbering.codes, code))
        return place if place < self.count and int(self.numbering.codes[place]) == code else None

    def figures_of(self, ways: list[int]) -> list[Figures]:
        """How the calls of some ways went, together as one set for each list of ways."""
        part = FigureTable(
            self.table.outcomes[ways],
            self.table.quantiles_ms[ways],
            self.table.max_ms[ways],
            self.table.client_errors[ways],
            self.table.seconds,
        )
        return part.figures() if ways else []

    def curves_of(self, ways: list[int]) -> list[Curve]:
        """Calls/s of some ways in the last two minutes of the span. Shape (CURVE_BUCKETS,) each."""
        if not ways:
            return []
        look = Span(self.span.to_ns - CURVE_S * SECOND, self.span.to_ns)
        edges_ns = time_edges_ns(look, CURVE_BUCKETS)
        place = np.full(self.count + 1, -1, np.intp)
        place[ways] = np.arange(len(ways))
        counts = np.zeros(len(ways) * CURVE_BUCKETS, np.int64)
        for cut in _cuts(self.snapshot, look, self.filter):
            codes = self._codes.of(cut)
            found = np.minimum(np.searchsorted(self.numbering.codes, codes), self.count - 1)
            row = np.where(self.numbering.codes[found] == codes, place[found], -1)
            kept = row >= 0
            np.add.at(counts, row[kept] * CURVE_BUCKETS + time_buckets(cut, edges_ns)[kept], 1)
        rates = counts.reshape(len(ways), CURVE_BUCKETS) / (CURVE_S / CURVE_BUCKETS)
        return list(rates)


def ways(snapshot: Snapshot, span: Span, wanted: Filter = EMPTY) -> Ways:
    """Who called which endpoint in a span; calls of services that are Moleculer's own, or ours, are left out."""
    way_codes = WayCodes(snapshot.names)
    cuts = list(_cuts(snapshot, span, wanted))
    codes = [way_codes.of(cut) for cut in cuts]
    size = snapshot.names.count(NameKind.ACTION) * way_codes.nodes**2
    numbering = number_codes([code.astype(np.intp) for code in codes], size)
    counter = FigureCounter(len(numbering.codes), snapshot.names)
    for cut, code in zip(cuts, codes, strict=True):
        counter.add(cut, numbering.numbers(code.astype(np.intp)))
    return Ways(snapshot, span, wanted, numbering, counter.table(span.seconds))


def received(snapshot: Snapshot, span: Span, keys: list[BreakerKey]) -> list[Figures]:
    """How all calls to each endpoint went, whoever made them: what its own breaker guards."""
    if not keys:
        return []
    nodes = WayCodes(snapshot.names).nodes
    wanted: dict[int, int] = {}
    places = []
    for key in keys:
        action = snapshot.names.find(NameKind.ACTION, key.namespace, key.action)
        target = snapshot.names.find(NameKind.NODE, key.namespace, key.node_id)
        is_known = action is not None and target is not None
        places.append(wanted.setdefault((action or 0) * nodes + (target or 0), len(wanted)) if is_known else -1)
    codes = np.array(sorted(wanted), np.int64)
    order = np.array([wanted[code] for code in codes.tolist()], np.intp)
    counter = FigureCounter(max(1, len(wanted)), snapshot.names)
    for cut in _cuts(snapshot, span, EMPTY) if len(codes) else ():
        code = cut.column("action").astype(np.int64) * nodes + np.minimum(cut.column("target"), nodes - 1)
        found = np.minimum(np.searchsorted(codes, code), len(codes) - 1)
        meant = codes[found] == code
        if meant.any():
            counter.add(cut.where(meant), order[found[meant]])
    figures = counter.table(span.seconds).figures()
    return [figures[place] if place >= 0 else NO_FIGURES for place in places]


def _cuts(snapshot: Snapshot, span: Span, wanted: Filter) -> list[Cut]:
    internal = np.array([text.startswith("$") for text in snapshot.names.texts(NameKind.ACTION)])
    found = []
    for cut in call_cuts(snapshot, span, wanted):
        is_call = (cut.column("outcome") < COUNTED_OUTCOMES) & ~look_up(internal, cut.column("action"))
        is_call &= (cut.column("source") > 0) & (cut.column("target") > 0)
        kept = cut.where(is_call)
        if kept.count:
            found.append(kept)
    return found
