"""Tells the mesh: the event ``$metrics.snapshot``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from broker.node.metrics.reporters.base import Reporter


class EventReporter(Reporter):
    """Emits or broadcasts everything at once, as MoleculerJS's ``Event`` reporter does."""

    def __init__(
        self,
        *,
        event_name: str = "$metrics.snapshot",
        broadcast: bool = False,
        groups: Sequence[str] | None = None,
        only_changes: bool = False,
        interval_s: float = 5.0,
        includes: str | Sequence[str] | None = None,
        excludes: str | Sequence[str] | None = None,
    ) -> None:
        """Begin.

        Args:
            event_name: Of the event.
            broadcast: Whether every node gets it; otherwise one of each group.
            groups: Only these groups.
            only_changes: Whether only metrics are told that changed since the last time.
            interval_s: Between two events; 0 for none by themselves.
            includes: Patterns of the names of metrics that are told; all when None.
            excludes: Patterns of the names of those that are not.
        """
        super().__init__(interval_s=interval_s, includes=includes, excludes=excludes, only_changes=only_changes)
        self._event_name = event_name
        self._broadcast = broadcast
        self._groups = list(groups) if groups is not None else None

    def report(self) -> None:
        """Send the event, unless nothing is to be told."""
        payload = self.payload()
        if payload:
            tell = self.broker.broadcast if self._broadcast else self.broker.emit
            self.broker.tasks.spawn(tell(self._event_name, payload, groups=self._groups), "metrics snapshot")

    def payload(self) -> list[dict[str, Any]]:
        """What the event says now."""
        return [metric.to_wire() for metric in self.take()]
