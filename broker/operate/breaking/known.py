"""What is known of a mesh, as far as a plan needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from broker.agent.signature import Endpoint, HoldState


@dataclass(frozen=True, slots=True)
class HelperFact:
    """The helper of one node.

    Attributes:
        node_id, instance: Of which run of which node.
        acts: Whether it has a secret, and takes commands.
        is_silent: Not heard lately.
        skew_ms: How far the node's clock is ahead of the probe's; None if that is not known.
    """

    node_id: str
    instance: str
    acts: bool = True
    is_silent: bool = False
    skew_ms: float | None = None


@dataclass(frozen=True, slots=True)
class HoldFact:
    """A hold in force; ``until_ns`` by the probe's clock."""

    id: str
    state: HoldState
    by: str = ""
    reason: str = ""
    until_ns: int = 0


@dataclass(frozen=True, slots=True)
class BreakerFact:
    """What somebody told of one breaker.

    Attributes:
        owner: The node that holds it.
        endpoint: What it guards.
        state: ``closed``, ``open``, ``half-open`` or ``unknown``; of a held one, what is beneath.
        is_enabled: Whether it works by itself; None if not known.
        count: Calls that it has counted.
        hold: If it is held.
    """

    owner: str
    endpoint: Endpoint
    state: str = "unknown"
    is_enabled: bool | None = None
    count: int = 0
    hold: HoldFact | None = None

    @property
    def lets_through(self) -> bool:
        """Whether calls pass it now."""
        if self.hold is not None:
            return self.hold.state == "closed"
        return self.state != "open"


@dataclass(frozen=True, slots=True)
class WayFact:
    """Calls of one node to one endpoint that were seen lately.

    Attributes:
        owner: Who called.
        endpoint: What.
        calls, failed: Within the window.
        services: Whose calls they were, the busiest first; empty for calls made outside services.
    """

    owner: str
    endpoint: Endpoint
    calls: int
    failed: int = 0
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """One mesh at one moment.

    Attributes:
        namespace: Of the mesh.
        at_ns: The moment, in ns since the epoch.
        window_s: How long ``ways`` were counted.
        nodes: Ids of the nodes that are there.
        helpers: By node id.
        offers: By action: service, and ids of the nodes that offer it now.
        ways: Who called what.
        breakers: What is told of breakers.
    """

    namespace: str
    at_ns: int
    window_s: float
    nodes: tuple[str, ...] = ()
    helpers: Mapping[str, HelperFact] = field(default_factory=dict)
    offers: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    ways: tuple[WayFact, ...] = ()
    breakers: tuple[BreakerFact, ...] = ()

    def per_minute(self, calls: int) -> float:
        """A count of the window as calls/min."""
        return calls * 60.0 / self.window_s if self.window_s > 0 else 0.0

    def helper_word(self, node_id: str) -> Literal["", "no helper", "its helper has no secret"]:
        """Why a node's breakers cannot be set; empty if they can."""
        helper = self.helpers.get(node_id)
        if helper is None:
            return "no helper"
        return "" if helper.acts else "its helper has no secret"
