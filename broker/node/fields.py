"""Fields of packets that need care: timeouts, levels, and the marks of streams."""

from __future__ import annotations

from typing import Any

from broker.node.context import Context
from broker.node.endpoints import ActionEndpoint

Fields = dict[str, Any]


def marked(protocol: str, meta: Fields, headers: Fields, marks: Fields) -> tuple[Fields, Fields]:
    """Meta and headers with the marks of a stream: in version 4 they travel in the one, in 5 in the other."""
    return ({**meta, **marks}, headers) if protocol == "4" else (meta, {**headers, **marks})


def action_name(ctx: Context) -> str:
    """Which action a call is for; empty while nobody serves it."""
    return ctx.endpoint.action.name if isinstance(ctx.endpoint, ActionEndpoint) else ""


def level(value: object) -> int:
    """The wire's level; 1 when it says nothing that makes sense."""
    return value if type(value) is int and value > 0 else 1


def seconds(timeout_ms: object) -> float | None:
    """The wire's timeout; None when it says nothing that makes sense."""
    return timeout_ms / 1000 if type(timeout_ms) in (int, float) else None  # type: ignore[operator]


def milliseconds(timeout_s: float | None) -> float:
    """A timeout as the wire has it: 0 for none, whole numbers as such."""
    if not timeout_s:
        return 0
    timeout_ms = timeout_s * 1000
    return int(timeout_ms) if timeout_ms == int(timeout_ms) else timeout_ms
