"""One after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from broker.node.strategies.base import E, Strategy

if TYPE_CHECKING:
    from broker.node.context import Context


class RoundRobin(Strategy):
    """Each gets as much as any other."""

    sees_context = False

    def __init__(self, options: Mapping[str, Any]) -> None:  # noqa: ARG002
        """It has no options."""
        self._next = 0

    def select(self, endpoints: list[E], ctx: Context | None) -> E:  # noqa: ARG002
        """The one after the last."""
        if self._next >= len(endpoints):
            self._next = 0
        chosen = endpoints[self._next]
        self._next += 1
        return chosen
