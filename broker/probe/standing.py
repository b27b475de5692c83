"""How a live session stands, as its batches tell."""

from __future__ import annotations

from dataclasses import replace

from broker.observe.journal import Batch, NameKind, StateChange
from broker.operate.permissions import Permission
from broker.probe.status import ProbeStatus


class Standing:
    """Keeps the part of the status that follows from what was observed.

    Attributes:
        status: As of the newest batch.
    """

    def __init__(self, url: str, may: Permission) -> None:
        self.status = ProbeStatus(url=url, may=may, may_now=may)

    def notice(self, batch: Batch, *, is_answered: bool) -> None:
        """Take in a batch.

        Args:
            batch: What was observed.
            is_answered: Whether the bus has answered us at least once.
        """
        spaces = tuple(name.text for name in batch.names if name.kind == NameKind.NAMESPACE)
        if spaces:
            self.status = replace(self.status, namespaces=self.status.namespaces + spaces)
        for change in batch.changes:
            if change.kind == "gap":
                self._notice_gap(change)
        hears = any(name.kind == NameKind.PACKET_TYPE and name.text != "?" for name in batch.names)
        if self.status.state == "connecting" and (hears or is_answered):
            self.status = replace(self.status, state="listening")

    def _notice_gap(self, change: StateChange) -> None:
        if change.value is None:
            self.status = replace(self.status, state="listening", message="", advice="")
        else:
            message, advice = str(change.value.get("reason", "")), str(change.value.get("advice", ""))
            self.status = replace(self.status, state="gap", message=message, advice=advice)

    def is_somebody(self, node_id: str) -> None:
        """We have a node id from now on."""
        self.status = replace(self.status, node_id=node_id)

    def may(self, may_now: Permission, until_ns: int = 0) -> None:
        """What we may do has changed."""
        self.status = replace(self.status, may_now=may_now, unlocked_until_ns=until_ns)

    def ended(self) -> None:
        """The session is over."""
        self.status = replace(self.status, state="ended")
