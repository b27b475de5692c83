"""Calls younger than a second, in order of begin."""

from __future__ import annotations

from itertools import islice
from typing import TypeAlias

from broker.native import compiled
from broker.observe.routes import target_of
from broker.observe.rows import BEGIN, DEADLINE, ROUTE, Entry

CallKey = str
"""Id of a request, with its namespace's prefix: see Lane."""


class Young(dict[CallKey, Entry]):
    """Entries by key. The compiled one is no dict, but has what is named here and in Correlation."""

    def all(self) -> list[tuple[CallKey, Entry]]:
        """Keys and entries, in order of begin, as those below are too."""
        return list(self.items())

    def begun_until(self, moment_ns: int) -> list[tuple[CallKey, Entry]]:
        """Those that began until a moment, that moment included."""
        begun: list[tuple[CallKey, Entry]] = []
        for item in self.items():
            if item[1][BEGIN] > moment_ns:
                break
            begun.append(item)
        return begun

    def endless_to(self, node: int) -> list[tuple[CallKey, Entry]]:
        """Those that go to a node and have no timeout."""
        return [item for item in self.items() if target_of(item[1][ROUTE]) == node and not item[1][DEADLINE]]

    def oldest_ns(self) -> int | None:
        """When the oldest of them began; None if there is none."""
        oldest = next(iter(self.values()), None)
        return None if oldest is None else oldest[BEGIN]

    def forget_oldest(self, most: int) -> int:
        """Drop the oldest, at most so many. Returns how many."""
        oldest = list(islice(self, most))
        for key in oldest:
            del self[key]
        return len(oldest)


YoungCalls: TypeAlias = "Young | compiled.Young"


def young_calls(*, is_compiled: bool) -> YoungCalls:
    """None yet."""
    return compiled.Young() if is_compiled else Young()
