"""How much is kept. What goes beyond is counted and dropped, never kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from broker.clock import SECOND

NEVER_NS: Final = 2**63 - 1
"""A moment that does not come."""

WAITING_AFTER_NS: Final = SECOND
"""A call open for longer than this is shown as waiting."""

NO_ANSWER_AFTER_NS: Final = 600 * SECOND
"""A call without a timeout is given up after this long."""

OVERTAKEN_NS: Final = SECOND
"""Packets of a stream that its closing packet overtook are waited for this long; then they are lost."""

LONGEST_TIMEOUT_MS: Final = 86_400_000
"""A timeout above a day is absurd, and taken as none."""

CALLEE_TIMEOUT_MARGIN_NS: Final = 50_000_000
"""An answer "it timed out" this close to the caller's own timeout is the caller's timeout as well."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what the observing side holds.

    Attributes:
        open_calls: Calls waiting for an answer; beyond, the oldest are forgotten.
        ended_calls: Ended calls whose ids are remembered, to know a late or second answer.
        ended_ns: For how long they are remembered.
        short_names: Names of each kind that is kept in 16 bits.
        long_names: Names of each other kind.
        name_characters: Letters of all names together.
        name_length: Letters of one name; the rest is cut off.
        id_length: Letters of a packet's ids together; a packet with more is malformed.
        channels: Channels (and callers on each of them) that are cached; beyond, the cache starts anew.
        nodes: Nodes and services of which a state is kept.
        info_bytes: Bytes of one INFO packet or discoverer key.
        definition_bytes: Bytes of all INFO packets whose services are kept.
        reasons: Different reasons why packets could not be decoded.
    """

    open_calls: int = 200_000
    ended_calls: int = 100_000
    ended_ns: int = 60 * SECOND
    short_names: int = 65_534
    long_names: int = 1_000_000
    name_characters: int = 64_000_000
    name_length: int = 500
    id_length: int = 1_024
    channels: int = 50_000
    nodes: int = 20_000
    info_bytes: int = 16_000_000
    definition_bytes: int = 512_000_000
    reasons: int = 50
