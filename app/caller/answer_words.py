"""An answer in words, and the calls that it set off as bars. No Qt but for what bars are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from app.caller.digest import NOTHING, Shown
from app.widgets.controls import Tone
from app.widgets.format import byte_size, call_ms, clock_time
from app.widgets.span_bars import Bar
from broker.mesh.subject import Subject
from broker.mesh.trace import TracedCall
from broker.operate.commands import Report

VERDICTS: Final[dict[str, tuple[str, Tone]]] = {
    "done": ("✓ ok", "ok"),
    "partly": ("◷ partly", "slow"),
    "failed": ("▲ failed", "failed"),
    "refused": ("✕ refused", "failed"),
    "cancelled": ("✕ cancelled", "slow"),
    "unknown": ("? unknown", "slow"),
}
UNKNOWN: Final = "It was sent and no answer came: it may have run. It is not sent again by itself."


def bars_of(calls: Sequence[TracedCall]) -> list[Bar]:
    """Calls of a trace as bars on one axis; the first one alone is not worth showing."""
    if len(calls) < 2:
        return []
    begin_ns = min(one.call.begin_ns for one in calls)
    whole = max(1, max(one.call.end_ns for one in calls) - begin_ns)
    slow_ms = max((one.call.duration_ms for one in calls), default=0.0) * 0.5
    bars = []
    for one in calls:
        call = one.call
        tone: Tone = "failed" if call.outcome != "ok" else "slow" if one.depth and call.duration_ms > slow_ms else "ok"
        where = f"{call.caller or 'outside services'} on {call.source} → {call.target}"
        bridged = "\nits caller ran on the same node and was not seen" if one.is_bridged else ""
        how = f"{call.error or call.outcome} at {clock_time(call.begin_ns, with_ms=True)}"
        tip = f"{call.action}\n{where}\n{how}{bridged}"
        duration = call.duration_ms if not math.isnan(call.duration_ms) else 0.0
        bars.append(
            Bar(
                call.action,
                one.depth,
                (call.begin_ns - begin_ns) / whole,
                (call.end_ns - begin_ns) / whole,
                call_ms(duration),
                tone if one.depth else ("failed" if tone == "failed" else ""),
                tip,
                Subject("call", call.namespace, call.action, address=call.address),
            )
        )
    return bars


def about_told(report: Report) -> str:
    """Who answered, how much, and under which id."""
    answer = report.answer
    if answer is None:
        return ""
    parts = []
    if answer.node_id:
        parts.append(f"from {answer.node_id}")
    if answer.size_bytes:
        parts.append(byte_size(answer.size_bytes))
    if answer.stream_bytes is not None:
        parts.append(f"stream of {byte_size(answer.stream_bytes)}")
    if answer.attempts > 1:
        parts.append(f"attempt {answer.attempts}")
    if answer.request_id:
        parts.append(f"request {short_id(answer.request_id)}")
    return " · ".join(parts)


def short_id(text: str) -> str:
    """An id as far as people read it."""
    return text if len(text) <= 9 else f"{text[:4]}…{text[-2:]}"


def message_told(shown: Shown) -> str:
    """What happened, beyond the verdict; "" for nothing more to say."""
    report, error = shown.report, shown.error
    if error is not None:
        head = " ".join(str(error[name]) for name in ("code", "type") if error.get(name))
        name = str(error.get("name") or "Error")
        told = f"{head} · {name}: {error.get('message') or ''}" if head else f"{name}: {error.get('message') or ''}"
        where = f" (raised on {error['nodeID']})" if error.get("nodeID") else ""
        return f"{told}{where}"
    is_plain = report.outcome == "done" and report.answer is not None  # how long it took stands above
    told = " ".join(part for part in ("" if is_plain else report.message, report.advice) if part)
    if report.outcome == "unknown" and "may have" not in told:
        return f"{told} {UNKNOWN}".strip()
    if report.outcome == "done" and shown.value is NOTHING and not told:
        return "It answered without a value (undefined)." if report.answer is not None else "Done."
    return told
