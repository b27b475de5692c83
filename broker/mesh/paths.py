"""Ways through the graph: how calls get from one box to another."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from broker.mesh.answers import Topology

MOST_STEPS: Final = 200_000
"""A search through a dense graph is ended after so many steps; what it found until then is told."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Ways from one box to another along calls.

    Attributes:
        shortest: Keys of the boxes on one of the shortest ways, both ends included; empty where there is none.
        boxes: Keys of the boxes on any way that visits no box twice.
        pairs: (source, target) of the edges on any such way.
        count: How many such ways were found.
        is_whole: Whether all of them were found, within the patience for it.
    """

    shortest: tuple[str, ...] = ()
    boxes: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, str]] = frozenset()
    count: int = 0
    is_whole: bool = True

    @property
    def shortest_pairs(self) -> frozenset[tuple[str, str]]:
        """The edges of the shortest way."""
        return frozenset(pairwise(self.shortest))


def paths(topology: Topology, source: str, target: str, *, most_steps: int = MOST_STEPS) -> Paths:
    """The ways along calls that were seen from one box to another.

    Args:
        topology: The graph.
        source, target: Keys of boxes.
        most_steps: After so many steps the search for all ways ends.
    """
    after: dict[str, list[str]] = {}
    before: dict[str, list[str]] = {}
    for edge in topology.edges:
        if edge.kind == "call" and edge.source != edge.target:
            after.setdefault(edge.source, []).append(edge.target)
            before.setdefault(edge.target, []).append(edge.source)
    for targets in after.values():
        targets.sort()
    leading = _distances(before, target)  # a box from which the target is not reached is on no way
    shortest = _shortest(after, source, target, leading)
    if not shortest:
        return Paths()
    boxes: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    count, is_whole = 0, True
    for way in _simple_ways(after, source, target, leading, most_steps):
        if way is None:
            is_whole = False
            break
        count += 1
        boxes.update(way)
        pairs.update(pairwise(way))
    boxes.update(shortest)
    pairs.update(pairwise(shortest))
    return Paths(shortest, frozenset(boxes), frozenset(pairs), max(count, 1), is_whole)


def _distances(near: dict[str, list[str]], begin: str) -> dict[str, int]:
    found, waiting = {begin: 0}, deque([begin])
    while waiting:
        here = waiting.popleft()
        for key in near.get(here, ()):
            if key not in found:
                found[key] = found[here] + 1
                waiting.append(key)
    return found


def _shortest(after: dict[str, list[str]], source: str, target: str, leading: dict[str, int]) -> tuple[str, ...]:
    if source not in leading or source == target:
        return ()
    way = [source]
    while way[-1] != target:
        way.append(next(key for key in after[way[-1]] if leading.get(key, -1) == leading[way[-1]] - 1))
    return tuple(way)


def _simple_ways(
    after: dict[str, list[str]], source: str, target: str, leading: dict[str, int], most_steps: int
) -> Iterator[tuple[str, ...] | None]:
    """Every way that visits no box twice; None when patience has ended before all were found."""
    way, on_it, steps = [source], {source}, 0
    waiting = [iter(after.get(source, ()))]
    while waiting:
        steps += 1
        if steps > most_steps:
            yield None
            return
        key = next(waiting[-1], None)
        if key is None:
            waiting.pop()
            on_it.discard(way.pop())
        elif key == target:
            yield (*way, target)
        elif key not in on_it and key in leading:
            way.append(key)
            on_it.add(key)
            waiting.append(iter(after.get(key, ())))
