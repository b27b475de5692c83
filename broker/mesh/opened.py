"""Which groups of a graph are open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Opened:
    """Which groups of a graph are open: shown as what is in them, not as one box.

    Attributes:
        by_default: Whether a group is open that is not named.
        others: Keys of the groups that are not as the default says.
    """

    by_default: bool = False
    others: frozenset[str] = frozenset()

    def holds(self, key: str) -> bool:
        """Whether a group is open."""
        return (key in self.others) is not self.by_default

    def toggled(self, key: str) -> Opened:
        """The same with one group opened, or closed."""
        return Opened(self.by_default, self.others ^ {key})

    def __bool__(self) -> bool:
        return self.by_default or bool(self.others)


CLOSED: Final = Opened()
