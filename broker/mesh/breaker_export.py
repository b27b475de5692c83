"""Breakers as plain data, as ``meshscope breakers URL list --json`` prints them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from broker.mesh.breaker_states import Breaker


def breakers_as_plain(found: Iterable[Breaker]) -> list[dict[str, Any]]:
    """Breakers ready for JSON; what is not known is null."""
    return [
        {
            "namespace": one.key.namespace,
            "owner": one.key.owner,
            "endpoint": one.key.endpoint,
            "node": one.key.node_id,
            "action": one.key.action,
            "state": one.state,
            "since_ns": one.since_ns,
            "source": one.source,
            "failures": one.failures,
            "count": one.count,
            "threshold": one.threshold,
            "min": one.min_count,
            "window_ms": one.window_ms,
            "half_open_ms": one.half_open_ms,
            "enabled": one.is_enabled,
            "until_ns": one.until_ns or None,
            "reason": one.reason,
            "by": one.by or None,
            "hold": one.hold or None,
        }
        for one in found
    ]
