"""The journal: what the mesh did, in batches of columns, with names interned once.

This is the contract between the probe (which writes it), the pipe (which
carries it) and the Timeline (which keeps it). A batch's arrays are parallel:
element i of every column is row i.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

JOURNAL_FORMAT: Final = 1

NO_NAME: Final = 0
"""Number 0 of every kind of name is the empty one: no caller, no error."""

OTHER_NAME: Final = 65_535
"""What a name gets when a kind kept in 16 bits is full; shown as "(other)" and counted."""


class NameKind(IntEnum):
    """What a name names. Each kind counts its own numbers, from 1."""

    NAMESPACE = 0
    NODE = 1
    SERVICE = 2  # full name, as "v2.orders"
    ACTION = 3  # full name, as "v2.orders.get"
    EVENT = 4
    GROUPS = 5  # event groups, sorted, joined by ","
    ERROR = 6  # "code|type|name", as "409|CONFLICT|MoleculerClientError"; parts may be empty
    PACKET_TYPE = 7  # "REQ", "RES", ...; "?" for what is not Moleculer's


class Name(NamedTuple):
    """A name and its number. Nodes, services, actions and events are interned per namespace."""

    kind: NameKind
    number: int
    namespace: int
    text: str


class Outcome(IntEnum):
    """How a call ended. The last three are rows that count no call."""

    OK = 0
    FAILED = 1  # answered with success: false
    TIMED_OUT = 2  # its own deadline passed, or the callee answered that it did
    NO_ANSWER = 3  # no timeout, and no answer for 10 minutes or its node left
    LATE = 4  # an answer after the deadline; changes nothing already counted
    ORPHAN = 5  # an answer whose request was not seen
    DOUBLE = 6  # a second answer to a call already answered


COUNTED_OUTCOMES: Final = 4
"""Outcomes below this number are calls; the others are answers that belong to none."""


class CallFlag(IntFlag):
    """What else is known of a call."""

    OURS = 1  # made by this program
    REQUEST_STREAM = 2
    RESPONSE_STREAM = 4
    SAMPLED = 8  # REQ said tracing: true
    BALANCED = 16  # went through REQB: the target is who answered
    TARGET_UNKNOWN = 32


class EventFlag(IntFlag):
    """What else is known of an event packet."""

    OURS = 1
    BROADCAST = 2
    BALANCED = 4  # went through EVENTB


CALL_COLUMNS: Final = np.dtype(
    [
        ("end_ns", np.int64),  # rows are in order of end; windows are cut on it
        ("duration_s", np.float32),  # request to closing answer; begin = end - duration
        ("action", np.uint32),
        ("caller", np.uint16),  # SERVICE, or NO_NAME for a call made outside services
        ("source", np.uint16),  # NODE that sent the request
        ("target", np.uint16),  # NODE that got it
        ("outcome", np.uint8),  # Outcome
        ("level", np.uint8),
        ("flags", np.uint16),  # CallFlag
        ("error", np.uint16),  # ERROR
        ("bucket", np.int16),  # log bucket of the duration: see buckets.py; -1 for none
        ("request_size", np.uint32),  # bytes, of all packets of a streamed request
        ("response_size", np.uint32),
        ("trace", np.uint64),  # of requestID: see ids.py
        ("span", np.uint64),  # of REQ id
        ("parent", np.uint64),  # of parentID, 0 for none
        ("request_frame", np.uint64),  # FrameNumber of the REQ, 0 for none
        ("response_frame", np.uint64),
    ]
)

EVENT_COLUMNS: Final = np.dtype(
    [
        ("at_ns", np.int64),
        ("event", np.uint32),
        ("caller", np.uint16),
        ("source", np.uint16),
        ("target", np.uint16),  # NO_NAME for a balanced event
        ("flags", np.uint16),  # EventFlag
        ("groups", np.uint32),
        ("size", np.uint32),
        ("trace", np.uint64),
        ("span", np.uint64),
        ("parent", np.uint64),
        ("frame", np.uint64),
    ]
)

COUNTER_COLUMNS: Final = np.dtype(
    [
        ("second", np.int64),  # s since the epoch
        ("namespace", np.uint16),
        ("packet_type", np.uint16),
        ("packets", np.uint32),  # more of the same second may follow in a later batch: add them
        ("bytes", np.uint64),
        ("undecodable", np.uint32),
        ("ours", np.uint32),
    ]
)


def frame_number(segment: int, offset: int) -> int:
    """Where a frame lies in a capture: segment (from 1) and offset, as one number above 0."""
    return segment << 40 | offset


CALL_NAMES: Final = {
    "action": NameKind.ACTION,
    "caller": NameKind.SERVICE,
    "source": NameKind.NODE,
    "target": NameKind.NODE,
    "error": NameKind.ERROR,
}
EVENT_NAMES: Final = {
    "event": NameKind.EVENT,
    "caller": NameKind.SERVICE,
    "source": NameKind.NODE,
    "target": NameKind.NODE,
    "groups": NameKind.GROUPS,
}
COUNTER_NAMES: Final = {"namespace": NameKind.NAMESPACE, "packet_type": NameKind.PACKET_TYPE}
"""Which columns of calls, events and counters hold numbers of names, and of which kind."""


class OpenCall(NamedTuple):
    """A call that has been waiting for more than a second. Sent again, ended, when it ends."""

    span: int
    begin_ns: int
    end_ns: int  # 0 while it is open
    action: int
    caller: int
    source: int
    target: int
    trace: int


class StateChange(NamedTuple):
    """From this moment on, this is so.

    Attributes:
        kind: What of, with the key and value it has:
            ``node`` (key node id; ``state`` online | offline | supposed | remembered, ``reason``, ``protocol``
            "4" | "5", ``client`` {type, version, lang_version}, ``hostname``, ``ips``, ``instance_id``,
            ``seq``, ``metadata``, ``services`` full names),
            ``service`` (key full name; ``name``, ``version``, ``settings``, ``metadata``, ``supposed``, and by
            node id in ``nodes``: ``{"actions": {full name: definition}, "events": {name: definition}}``;
            equal definitions may be shared),
            ``load`` (key node id; ``cpu`` in percent, from HEARTBEAT),
            ``gap`` (``reason``, ``advice``, ``retry_in_s``; None when it ended),
            ``breaker`` (key ``owner|endpoint``; ``state`` closed | open | half-open | held-open | held-closed |
            unknown, ``failures``, ``count``, ``rate``, ``counted_ns``: see PASSING; where a helper tells them
            ``threshold``, ``min``, ``window_ms``, ``half_open_ms``, ``enabled``, ``reason``, ``since_ns``,
            ``until_ns`` (tries again, or the hold ends), and of a hold ``hold`` (its id), ``by``, ``under`` (the
            state beneath)),
            ``helper`` (key node id; ``instance``, ``program``, ``acts``, ``refused`` commands by cause,
            ``at_ns`` by its own clock, ``heard_ns``),
            ``session`` (what the @session frame said), ``clock`` (``step_ns``).
        namespace: The namespace's text; empty for what belongs to none.
        key: Which one of its kind.
        at_ns: Since when, in ns since the epoch.
        value: What is so, as plain data; None when it ceased to be.
        source: How we know: ``info``, ``heartbeat``, ``packet``, ``channels``,
            ``key``, ``catalogue``, ``event``, ``helper``, ``asked``, ``source``, ``guess``.
    """

    kind: str
    namespace: str
    key: str
    at_ns: int
    value: dict[str, Any] | None
    source: str


PASSING: Final[dict[str, frozenset[str]]] = {
    "breaker": frozenset({"failures", "count", "rate", "counted_ns"}),
    "helper": frozenset({"at_ns", "heard_ns"}),
}
"""Fields of a state that are of one moment: where a helper tells nothing else, it goes on with the newest of them."""


@dataclass(slots=True)
class Tally:
    """Running totals of the session, as of the batch that carries them."""

    packets: int = 0
    bytes: int = 0
    undecodable: int = 0
    lost: int = 0  # packets known to be lost
    rows_dropped: int = 0  # because the window did not keep up
    requests_open: int = 0
    requests_timed_out: int = 0
    requests_repeated: int = 0  # same id again, no stream
    requests_forgotten: int = 0  # table of open calls was full
    requests_unheard: int = 0  # ended while or after nothing was heard: nobody knows how; they leave no row
    responses_orphaned: int = 0
    responses_late: int = 0
    responses_doubled: int = 0
    names_refused: int = 0  # shown as "(other)"
    ours: int = 0
    undecodable_reasons: dict[str, int] = field(default_factory=dict)  # at most 50 reasons


def _empty(columns: np.dtype[np.void]) -> NDArray[np.void]:
    return np.empty(0, columns)


@dataclass(slots=True)
class Batch:
    """What was observed since the batch before.

    Attributes:
        through_ns: All up to here has been observed; the reader's *now*.
        names: New names, before any row that uses them.
        calls: Rows of CALL_COLUMNS in order of end.
        events: Rows of EVENT_COLUMNS in order of arrival.
        counters: Rows of COUNTER_COLUMNS.
        waiting: Calls open longer than a second, and their ends.
        changes: State changes, oldest first.
        tally: Totals as of now.
    """

    through_ns: int = 0
    names: list[Name] = field(default_factory=list)
    calls: NDArray[np.void] = field(default_factory=lambda: _empty(CALL_COLUMNS))
    events: NDArray[np.void] = field(default_factory=lambda: _empty(EVENT_COLUMNS))
    counters: NDArray[np.void] = field(default_factory=lambda: _empty(COUNTER_COLUMNS))
    waiting: list[OpenCall] = field(default_factory=list)
    changes: list[StateChange] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
