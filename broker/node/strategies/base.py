"""What a strategy is: it chooses one of several endpoints."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from broker.node.endpoints import ActionEndpoint, EventEndpoint

if TYPE_CHECKING:
    from broker.node.context import Context

E = TypeVar("E", ActionEndpoint, EventEndpoint)


class Strategy:
    """Chooses at random, as MoleculerJS does wherever it knows nothing better.

    Each action, and each group of an event, has one of its own.
    """

    sees_context: ClassVar[bool] = True
    """Whether the context of a call may matter for the choice."""

    def __init__(self, options: Mapping[str, Any]) -> None:  # noqa: ARG002 - for those who have some
        """Take what was said of it.

        Args:
            options: Under MoleculerJS's names; what is missing or odd has MoleculerJS's default.
        """
        self.random = random.Random()

    def select(self, endpoints: list[E], ctx: Context | None) -> E:  # noqa: ARG002
        """One of them.

        Args:
            endpoints: Those that may be chosen; at least one.
            ctx: Of the call or event, where there is one.
        """
        return self.random.choice(endpoints)

    def changed(self, endpoints: list[E]) -> None:
        """The endpoints are others now; any of these may be unavailable for a while."""


def number(options: Mapping[str, Any], name: str, default: float) -> float:
    """An option that is a number."""
    value = options.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default


def samples(endpoints: list[E], count: float, chance: random.Random) -> list[E]:
    """So many endpoints by chance, the same one perhaps twice; all in their order when there are not more."""
    if count <= 0 or count >= len(endpoints):
        return endpoints
    return chance.choices(endpoints, k=int(count))
