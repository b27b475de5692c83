"""Which calls ended lately, so that a late or a second answer is known for what it is."""

from __future__ import annotations

from typing import Final

from broker.observe.rows import Entry

CallKey = str
"""Id of a request, with its namespace's prefix: see Lane."""

_GENERATIONS: Final = 2


class Endings:
    """Remembers ended calls in two generations; the older one is dropped as a whole.

    So between half of the limit and all of it are remembered, for at least
    half of the time and at most all of it.

    Attributes:
        answered: The newer generation of answered calls. The hot path writes here,
            and calls ``turn`` when it holds ``room`` of them.
        room: How many answered calls the newer generation may hold.
    """

    def __init__(self, most: int, length_ns: int) -> None:
        self._most = max(1, most // _GENERATIONS)
        self.room = self._most
        self._length_ns = length_ns // _GENERATIONS
        self._turn_ns = 0
        self.answered: dict[CallKey, bytes] = {}
        self._answered_before: dict[CallKey, bytes] = {}
        self._given_up: dict[CallKey, Entry] = {}
        self._given_up_before: dict[CallKey, Entry] = {}

    def passed(self, at_ns: int) -> None:
        """Frames of this moment come next; drop what is too old by then."""
        if at_ns < self._turn_ns:
            return
        if at_ns >= self._turn_ns + self._length_ns:
            self.turn()  # both are older than they may be
        self.turn()
        self._turn_ns = at_ns + self._length_ns

    def turn(self) -> None:
        """Begin a new generation and drop the oldest."""
        self._answered_before, self.answered = self.answered, {}
        self._given_up_before, self._given_up = self._given_up, {}
        self.room = self._most

    def give_up(self, key: CallKey, entry: Entry) -> None:
        """Remember a call that ended without an answer."""
        if len(self.answered) >= self.room:
            self.turn()
        self._given_up[key] = entry
        self.room = self._most - len(self._given_up)

    def answer(self, key: CallKey, route: bytes) -> None:
        """Remember a call that was answered."""
        if len(self.answered) >= self.room:
            self.turn()
        self.answered[key] = route

    def take_given_up(self, key: CallKey) -> Entry | None:
        """A call that was given up, which is remembered as such no longer."""
        entry = self._given_up.pop(key, None)
        self.room = self._most - len(self._given_up)
        return self._given_up_before.pop(key, None) if entry is None else entry

    def answered_route(self, key: CallKey) -> bytes | None:
        """The route of a call that was answered, None if none is remembered."""
        route = self.answered.get(key)
        return self._answered_before.get(key) if route is None else route

    def __len__(self) -> int:
        answered = len(self.answered) + len(self._answered_before)
        return answered + len(self._given_up) + len(self._given_up_before)
