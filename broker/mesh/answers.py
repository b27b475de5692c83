"""What the questions asked of a timeline give: plain records and arrays, ready to be shown.

Durations are ms, since answers go to the screen and to JSON; moments are ns since the epoch. NaN means "no
samples". Everything counts calls between nodes: what stays inside one node never reaches the bus.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker.mesh.span import Span
from broker.mesh.subject import Subject

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Health = Literal["none", "ok", "slow", "failed"]
GroupBy = Literal["service", "node", "namespace", "version"]
BoxKind = Literal["service", "node", "namespace", "version", "outside", "instance"]


class Figures(NamedTuple):
    """How a set of calls went.

    Attributes:
        calls: Calls that ended in the span, and those still open are not among them.
        completed: Answered ones; percentiles stand on these.
        errors: Answers with ``success: false``.
        timeouts: Calls whose deadline passed.
        no_answer: Calls without timeout that were given up.
        rate: Calls a second.
        p50_ms, p90_ms, p99_ms, max_ms: NaN without completed calls.
    """

    calls: int = 0
    completed: int = 0
    errors: int = 0
    timeouts: int = 0
    no_answer: int = 0
    late: int = 0
    rate: float = 0.0
    p50_ms: float = float("nan")
    p90_ms: float = float("nan")
    p99_ms: float = float("nan")
    max_ms: float = float("nan")

    @property
    def failed(self) -> int:
        """Calls that did not succeed, whatever the reason."""
        return self.errors + self.timeouts + self.no_answer

    @property
    def error_share(self) -> float:
        """Failed calls to all calls, 0 to 1; 0 without calls."""
        return self.failed / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action (or edge, or endpoint) in the latency table."""

    subject: Subject
    figures: Figures
    before: Figures  # the same in the window before
    spark_ms: Floats  # Shape (buckets,): p99 by time, oldest first, NaN for gaps
    spark_rate: Floats  # Shape (buckets,): calls/s by time
    health: Health

    @property
    def p99_change_ms(self) -> float:
        """Change of p99 against the window before; NaN where either has no samples."""
        return self.figures.p99_ms - self.before.p99_ms


@dataclass(frozen=True, slots=True)
class Series:
    """A set of calls over time, one element a bucket of time, oldest first.

    Attributes:
        label: What it is of, to be shown.
        span: What it covers; buckets are equal parts of it.
        p50_ms, p90_ms, p99_ms: Shape (buckets,); NaN where nothing completed.
        calls, failed, completed: Shape (buckets,); counts.
        heat: Shape (rows, buckets): completed calls by duration and time.
        heat_edges_ms: Shape (rows + 1,): edges of its rows, rising.
        gaps: Spans in which nothing was heard.
        total: The whole span as one.
    """

    label: str
    span: Span
    p50_ms: Floats
    p90_ms: Floats
    p99_ms: Floats
    calls: Counts
    failed: Counts
    completed: Counts
    heat: Counts
    heat_edges_ms: Floats
    gaps: list[Span]
    total: Figures

    @property
    def bucket_s(self) -> float:
        """Length of one bucket, in s."""
        return self.span.seconds / max(1, len(self.calls))


class TopologyNode(NamedTuple):
    """A box of the graph: a service, or whatever the graph is grouped by, or what is in an open group.

    Attributes:
        key: Stable from one answer to the next; positions are kept by it.
        kind: ``service``, ``node``, ``namespace``, ``version``, ``outside`` (a node that
            calls from outside services), or ``instance`` (a service on one node).
        title: What to write on it.
        received: Calls to it.
        sent: Calls from it.
        instances: Node ids that offer it, online first.
        silent: Declared, but nothing was seen of it in the span.
        supposed: No INFO names it; taken from the names of its actions.
        offline: All of its instances are gone.
        internal: A service whose name begins with ``$``.
        is_gateway: It lets the outside in, as far as its name, INFO or traffic tell.
        group: Key of the open group it is in; "" for none.
        members: How many boxes it would be if it were opened; 0 where there is nothing to open.
    """

    key: str
    kind: BoxKind
    title: str
    namespace: str
    subject: Subject
    received: Figures
    sent: Figures
    health: Health
    instances: tuple[str, ...] = ()
    offline_instances: int = 0
    silent: bool = False
    supposed: bool = False
    offline: bool = False
    internal: bool = False  # $node and the like
    is_gateway: bool = False
    group: str = ""
    members: int = 0


@dataclass(frozen=True, slots=True)
class TopologyGroup:
    """An open group: what is around boxes of the graph.

    Attributes:
        key: As its box has it when it is closed.
        health: Of the worst box in it.
    """

    key: str
    kind: BoxKind
    title: str
    namespace: str
    subject: Subject
    health: Health


class EdgeBreaker(NamedTuple):
    """A breaker on the way from one box to another, that is not closed.

    Attributes:
        owner: Node id of the caller that holds it.
        node_id, action: The endpoint that it guards.
        state: ``open``, ``half-open``, ``held-open``, ``held-closed``.
        since_ns: Since when.
        source: How it is known: ``event``, ``helper``, ``asked``, ``guess``.
    """

    owner: str
    node_id: str
    action: str
    state: str
    since_ns: int
    source: str


class TopologyEdge(NamedTuple):
    """Calls, or events, from one box to another."""

    source: str  # TopologyNode.key
    target: str
    kind: Literal["call", "event"]
    subject: Subject
    figures: Figures  # of an event edge only calls (packets) and rate
    before_p99_ms: float
    health: Health
    events: tuple[str, ...] = ()
    breakers: tuple[EdgeBreaker, ...] = ()  # the worst first


@dataclass(frozen=True, slots=True)
class Topology:
    """The graph over a span."""

    span: Span
    nodes: tuple[TopologyNode, ...]
    edges: tuple[TopologyEdge, ...]
    hidden: int = 0  # boxes left out by the filter
    groups: tuple[TopologyGroup, ...] = ()  # those that are open


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call, as a person reads it."""

    address: tuple[int, int]
    begin_ns: int
    end_ns: int
    duration_ms: float
    namespace: str
    action: str
    service: str
    caller: str  # service full name, "" outside services
    source: str  # node id
    target: str
    outcome: str  # name of Outcome, lower case: "ok", "failed", "timed_out", ...
    error: str  # "409 CONFLICT", "" without
    level: int
    request_size: int
    response_size: int
    trace: int
    request_frame: int
    response_frame: int
    ours: bool


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A call that waits now, or waited then, for more than a second."""

    namespace: str
    action: str
    caller: str
    source: str
    target: str
    begin_ns: int
    waited_ms: float


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A node, as of a moment."""

    namespace: str
    node_id: str
    state: Literal["online", "offline", "supposed", "remembered"]
    reason: str  # why it is offline, or how it is supposed
    protocol: str
    client: str  # "nodejs 0.15.2"
    lang_version: str
    hostname: str
    ips: tuple[str, ...]
    instance_id: str
    cpu: float  # percent of the host; NaN unknown
    services: tuple[str, ...]
    first_ns: int
    last_ns: int
    restarts: int
    received: Figures
    sent: Figures
    metadata: dict[str, Any] = field(default_factory=dict)
    ours: bool = False


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """A service, as of a moment."""

    namespace: str
    full_name: str
    name: str
    version: str
    supposed: bool
    nodes: tuple[str, ...]
    offline_nodes: tuple[str, ...]
    actions: tuple[str, ...]
    events: tuple[str, ...]
    settings: dict[str, Any]
    metadata: dict[str, Any]
    first_ns: int
    last_ns: int
    figures: Figures
    health: Health


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """An action, as of a moment."""

    namespace: str
    name: str
    service: str
    supposed: bool
    nodes: tuple[str, ...]
    visibility: str
    cached: str  # "" no, otherwise "keys id, 30 s"
    params: dict[str, Any] | list[Any] | None
    definition: dict[str, Any]
    first_ns: int
    last_ns: int
    figures: Figures
    health: Health


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event (a name, or a pattern subscribed to), as of a moment."""

    namespace: str
    name: str
    groups: tuple[str, ...]
    emitters: tuple[str, ...]
    subscribers: tuple[str, ...]  # node ids whose INFO subscribes, patterns matched
    received_by: tuple[str, ...]  # node ids that were seen to get it
    packets: int
    rate: float
    first_ns: int
    last_ns: int
    params: dict[str, Any] | list[Any] | None = None


@dataclass(frozen=True, slots=True)
class Coming:
    """What appeared or vanished, and when."""

    at_ns: int
    namespace: str
    kind: Literal["node", "service", "action", "event", "gap", "breaker", "clock"]
    what: str
    change: str  # "appeared", "vanished", "restarted", "came back", "opened", ...
    detail: str
    subject: Subject | None


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that is wrong now. Worst first is by `weight`, largest first."""

    key: str
    severity: Literal["failed", "slow", "note"]
    weight: float
    title: str
    detail: str
    subject: Subject
    leads_to: Literal["graph", "latency", "nodes", "services", "actions", "events", "overview", "breakers"]
    since_ns: int = 0


@dataclass(frozen=True, slots=True)
class Golden:
    """The four golden figures of the mesh with their curves (Shape (buckets,) each)."""

    span: Span
    rate: Floats  # calls/s
    error_share: Floats  # 0 to 1
    p50_ms: Floats
    p99_ms: Floats
    cpu: Floats  # worst node's CPU percent, NaN unknown
    total: Figures
    before: Figures
    cpu_now: float
    cpu_node: str
    waiting: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What is wrong now, and the four golden figures."""

    golden: Golden
    concerns: tuple[Concern, ...]
    nodes_online: int
    nodes_known: int
    services_known: int
    actions_seen: int


@dataclass(frozen=True, slots=True)
class Activity:
    """The strip below the views: everything the timeline holds, by time. Shape (buckets,) each."""

    span: Span
    calls: Counts
    failed: Counts
    packets: Counts
    gaps: list[Span]
    marks: list[Coming]
