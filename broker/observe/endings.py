"""Which calls ended lately, so that a late or a second answer is known for what it is.

Answered calls cost the hot path nothing: their rows are noted here a
thousand at a time, as columns. Only when an answer comes that belongs to no
open call is an index made of them, and kept while such answers go on coming.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker.observe.routes import CALL_ROUTE
from broker.observe.rows import SPREAD, UNANSWERED, CallRows, Entry
from broker.observe.young import CallKey


class Ending(NamedTuple):
    """An answer that was seen.

    Attributes:
        route: The call's.
        outcome: The outcome of its row.
    """

    route: bytes
    outcome: int


class _Chunk(NamedTuple):
    """Answers noted together, about in order of end; the first has the number ``first``, the latest ``latest_ns``."""

    first: int
    latest_ns: int
    identities: NDArray[np.uint64]
    end_ns: NDArray[np.int64]
    outcomes: NDArray[np.uint8]
    routes: bytes  # 16 for each


def note_table(endings: Endings, table: NDArray[np.void], routes: bytes) -> None:
    """Remember the answers among rows of CALL_COLUMNS.

    Args:
        endings: What remembers.
        table: The rows, about in order of end.
        routes: Their routes, joined.
    """
    layout = np.frombuffer(routes, CALL_ROUTE)
    identities = table["span"] ^ (layout["namespace"] * np.uint64(SPREAD))
    answered = table["response_size"] > 0
    if not answered.all():
        answered |= ~np.isin(table["outcome"], UNANSWERED)
        table, identities, routes = table[answered], identities[answered], layout[answered].tobytes()
    endings.note(identities, table["end_ns"].copy(), table["outcome"].copy(), routes)


class Endings:
    """Remembers the newest ``most`` answers that are not older than ``length_ns``, and as many calls given up."""

    def __init__(self, most: int, length_ns: int) -> None:
        self._most = max(1, most // 2)
        self._length_ns = length_ns
        self._chunks: deque[_Chunk] = deque()
        self._count = 0  # answers noted in all
        self._index: dict[int, int] = {}  # identity to number
        self._indexed = 0  # answers below this number are in the index, if still remembered
        self._fresh: dict[int, tuple[int, int, Ending]] = {}  # not noted yet: identity to number, end and the rest
        self._fresh_count = 0
        self._looked_at = 0  # so many of the rows to be noted were looked at
        self._given_up: dict[CallKey, tuple[Entry, int]] = {}

    def __len__(self) -> int:
        return sum(len(chunk.identities) for chunk in self._chunks) + len(self._given_up)

    # -- calls that were given up

    def give_up(self, key: CallKey, entry: Entry, at_ns: int) -> None:
        """Remember a call that ended without an answer."""
        given_up = self._given_up
        given_up.pop(key, None)
        if len(given_up) >= self._most:
            for old in list(given_up)[: 1 + self._most // 8]:  # finding the oldest is dear: many at once
                del given_up[old]
        given_up[key] = (entry, at_ns)

    def take_given_up(self, key: CallKey, at_ns: int) -> Entry | None:
        """A call that was given up lately, which is remembered as such no longer."""
        entry, ended_ns = self._given_up.pop(key, (None, 0))
        return entry if at_ns - ended_ns < self._length_ns else None

    # -- answers

    def note(
        self,
        identities: NDArray[np.uint64],
        end_ns: NDArray[np.int64],
        outcomes: NDArray[np.uint8],
        routes: bytes,
    ) -> None:
        """Remember answers, about in order of end.

        Args:
            identities: Shape (n,); see ``identity``.
            end_ns: Shape (n,); when each came, in ns since the epoch.
            outcomes: Shape (n,); Outcome of its row.
            routes: 16 bytes for each.
        """
        self._fresh.clear()
        self._fresh_count = self._looked_at = 0
        if not len(identities):
            return
        latest_ns = int(end_ns.max())
        self._chunks.append(_Chunk(self._count, latest_ns, identities, end_ns, outcomes, routes))
        self._count += len(identities)
        while self._chunks and self._is_old(self._chunks[0], latest_ns):
            self._drop(self._chunks.popleft())

    def _is_old(self, chunk: _Chunk, newest_ns: int) -> bool:
        """Whether none of a chunk is remembered any more."""
        is_too_many = chunk.first + len(chunk.identities) <= self._count - self._most
        return is_too_many or chunk.latest_ns <= newest_ns - self._length_ns

    def _drop(self, chunk: _Chunk) -> None:
        if chunk.first >= self._indexed:
            return
        index = self._index
        for number, one in enumerate(chunk.identities.tolist(), chunk.first):
            if index.get(one) == number:
                del index[one]

    def look_at(self, rows: CallRows) -> None:
        """Know the answers among rows that were not noted yet: the same rows as last time, or more."""
        for one, end_ns, outcome, route in rows.answers(self._looked_at):
            self._fresh[one] = (self._count + self._fresh_count, end_ns, Ending(route, outcome))
            self._fresh_count += 1
        self._looked_at = len(rows)

    def answer(self, one: int, at_ns: int) -> Ending | None:
        """The newest answer to a call, if it is remembered.

        Args:
            one: The call's ``identity``.
            at_ns: Now. All answers before were noted or looked at.
        """
        oldest = self._count + self._fresh_count - self._most
        number, end_ns, ending = self._fresh.get(one, (-1, 0, None))
        if ending is not None:
            return ending if number >= oldest and at_ns - end_ns < self._length_ns else None
        self._make_index()
        number = self._index.get(one, -1)
        chunk = next((chunk for chunk in reversed(self._chunks) if chunk.first <= number), None)
        if chunk is None or number < oldest:
            return None
        place = number - chunk.first
        if at_ns - int(chunk.end_ns[place]) >= self._length_ns:
            return None
        return Ending(chunk.routes[16 * place : 16 * place + 16], int(chunk.outcomes[place]))

    def _make_index(self) -> None:
        """Index the answers that were noted since the last time."""
        for chunk in self._chunks:
            if chunk.first >= self._indexed:
                numbers = range(chunk.first, chunk.first + len(chunk.identities))
                self._index.update(zip(chunk.identities.tolist(), numbers, strict=True))
        self._indexed = self._count
