"""What fault tolerance and caching tell of themselves: the one place where metrics listen."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from broker.node.circuit import Circuit, Happening
    from broker.node.definitions import ActionDefinition, EventDefinition, ServiceDefinition

CacheQuestion = Literal["get", "set", "del", "clean"]

_NOTHING: Final = nullcontext()


class ToleranceWatch:
    """Does nothing: override what is wanted and give it to the broker as ``broker.tolerance``.

    Everything is told at once, from within the call, so none of these may wait or raise.
    """

    def timed_out(self, service: ServiceDefinition, action: ActionDefinition) -> None:
        """A call was given up."""

    def retried(self, service: ServiceDefinition, action: ActionDefinition) -> None:
        """A call failed in a way that is worth a retry, whether or not one is left."""

    def fell_back(self, service: ServiceDefinition, action: ActionDefinition, *, own: bool) -> None:
        """A failed call was answered by a fallback: the action's own, or the call's."""

    def circuit_changed(self, circuit: Circuit, happening: Happening) -> None:
        """A circuit opened, half-opened or closed."""

    def bulkhead_changed(
        self, service: ServiceDefinition, what: ActionDefinition | EventDefinition, in_flight: int, queued: int
    ) -> None:
        """So many executions run now, so many wait."""

    def cache_asked(self, question: CacheQuestion) -> AbstractContextManager[None]:  # noqa: ARG002
        """The cacher is asked for something: what is given back is around it, and may time it."""
        return _NOTHING

    def cache_found(self) -> None:
        """There was a result, perhaps an expired one."""

    def cache_expired(self) -> None:
        """A result's time was over."""
