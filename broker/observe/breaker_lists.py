"""What a helper says of its node's breakers, read without trust (its list is an event, an answer, or in a note)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from broker.clock import MILLISECOND
from broker.observe.announcements import plain
from broker.observe.names import whole
from broker.protocol.loose import as_list, as_object

MOST_LISTED: Final = 20_000
"""Breakers of one list that are read; a helper leaves out those beyond its own, smaller limit."""

_LONGEST_TEXT: Final = 300
_LONGEST_NAME: Final = 500
_LATEST_MS: Final = 2**53
_STATES: Final = frozenset({"closed", "open", "half-open"})
_REFUSALS: Final = ("unsigned", "signature", "replayed", "late", "elsewhere", "malformed")

Told = dict[str, Any]
"""Fields of a breaker's state, as the journal has them."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One breaker of a list.

    Attributes:
        node_id, action: The endpoint that it guards.
        told: What is so, without moments.
        since_ms, until_ms: Moments of the helper's clock; 0 for none.
        failures, count: What it has counted.
    """

    node_id: str
    action: str
    told: Told
    since_ms: int
    until_ms: int
    failures: int
    count: int


class HelperList(NamedTuple):
    """A helper's list.

    Attributes:
        node_id: Whose it says it is; "" where it does not say.
        at_ms: When, by the helper's clock; 0 if it does not say.
        helper: What the helper says of itself.
        breakers: How they stand.
        is_whole: Whether it left none out.
    """

    node_id: str
    at_ms: int
    helper: Told
    breakers: list[Listed]
    is_whole: bool


def read_list(payload: object) -> HelperList | None:
    """A helper's list; None for what is none."""
    if not isinstance(payload, dict) or not isinstance(payload.get("breakers"), list):
        return None
    entries = payload["breakers"]
    return HelperList(
        node_id=name_of(payload.get("node")),
        at_ms=_moment_ms(payload.get("at")),
        helper={
            "instance": text_of(payload.get("instance")),
            "program": text_of(payload.get("program")),
            "acts": payload.get("acts") is True,
            "refused": _refused(payload.get("refused")),
        },
        breakers=list(_listed(entries[:MOST_LISTED])),
        is_whole=len(entries) <= MOST_LISTED and not number_of(payload.get("left_out")),
    )


def _listed(entries: list[Any]) -> Iterator[Listed]:
    for entry in entries:
        fields = as_object(entry)
        node_id, action = name_of(fields.get("node")), name_of(fields.get("action"))
        if node_id and action:
            yield _one(node_id, action, fields)


def _one(node_id: str, action: str, fields: dict[str, Any]) -> Listed:
    own = fields.get("state")
    state = own if isinstance(own, str) and own in _STATES else "unknown"
    hold, told = as_object(fields.get("hold")), dict[str, Any]()
    held = fields.get("held")
    if held in ("open", "closed"):
        told = {"state": f"held-{held}", "under": state}
        for name, wire in (("hold", "id"), ("by", "by")):
            told[name] = text_of(hold.get(wire))
    else:
        told, hold = {"state": state}, {}
    told["enabled"] = fields.get("enabled") is not False
    reason = text_of(hold.get("reason") if hold else fields.get("reason"))
    if reason:
        told["reason"] = reason
    for name in ("threshold", "min", "window_ms", "half_open_ms"):
        number = number_of(fields.get(name))
        if number is not None:
            told[name] = number
    moments = hold or (fields if state != "closed" else {})
    return Listed(
        node_id,
        action,
        told,
        _moment_ms(moments.get("since")),
        _moment_ms(moments.get("until")),
        int(number_of(fields.get("failures")) or 0),
        int(number_of(fields.get("count")) or 0),
    )


def _refused(value: object) -> dict[str, int]:
    counts = {cause: int(number_of(as_object(value).get(cause)) or 0) for cause in _REFUSALS}
    return {cause: count for cause, count in counts.items() if count}


def pairs_of(value: object) -> Iterator[tuple[str, str]]:
    """(node id, action) of each pair of a list that is one."""
    for pair in as_list(value)[:MOST_LISTED]:
        if isinstance(pair, list) and len(pair) == 2:
            node_id, action = map(name_of, pair)
            if node_id and action:
                yield node_id, action


def number_of(value: object) -> int | float | None:
    """A number from 0 that can be; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= _LATEST_MS and not math.isnan(value) else None


def text_of(value: object) -> str:
    """A short text; "" for anything else."""
    return str(plain(value[:_LONGEST_TEXT])) if isinstance(value, str) else ""


def name_of(value: object) -> str:
    """A name that can be one; "" for anything else."""
    return whole(value) if isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME else ""


def _moment_ms(value: object) -> int:
    return int(number_of(value) or 0)


def skewed_ns(moment_ms: int, at_ms: int, at_ns: int) -> int:
    """A moment of a helper's clock by ours, from a list written at ``at_ms`` that came at ``at_ns``."""
    return max(0, at_ns + (moment_ms - at_ms) * MILLISECOND) if at_ms else moment_ms * MILLISECOND
