"""What nodes and services tell of themselves, without secrets."""

from __future__ import annotations

from broker.capture.masking import Masking
from broker.observe.journal import Batch, StateChange


def mask_changes(batch: Batch, masking: Masking) -> None:
    """Settings and metadata without secrets: live as from a capture, where they never arrive."""
    batch.changes[:] = [_masked(change, masking) for change in batch.changes]


def _masked(change: StateChange, masking: Masking) -> StateChange:
    if change.value is None or change.kind not in ("node", "service"):
        return change
    value = dict(change.value)
    for name in ("settings", "metadata"):
        if name in value:
            value[name] = masking.mask_value(value[name])
    return change._replace(value=value)
