"""What an operator wants done to breakers, as it is said in a dialog or on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from broker.agent.signature import HoldState, Verb

LONGEST_HOLD_S: Final = 24 * 3600.0
LONGEST_REASON: Final = 500
"""Letters; helpers keep no more."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose breakers are meant, and about which endpoints.

    One of these: an endpoint (``node_id`` and ``action``), an action on every node (``action``), a whole
    service (``service``, on one node with ``node_id``), a whole node (``node_id``).

    Attributes:
        caller: The node whose breakers are meant; empty for all callers.
        node_id, action, service: What they guard.
        with_callee: Whether the endpoint's own breaker is meant too, which stops everybody.
    """

    caller: str = ""
    node_id: str = ""
    action: str = ""
    service: str = ""
    with_callee: bool = False

    def __str__(self) -> str:
        """For people."""
        on = f" on {self.node_id}" if self.node_id else ""
        if self.action:
            what = f"{self.node_id}:{self.action}" if self.node_id else f"{self.action} on every node"
        elif self.service:
            what = f"all actions of {self.service}{on}"
        else:
            what = f"all actions{on}"
        return f"{what}, seen by {self.caller or 'all callers'}"

    @property
    def name(self) -> str:
        """What is typed to confirm it: the action's, the service's or the node's name."""
        return self.action or self.service or self.node_id


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall be done.

    Attributes:
        verb: Trip, hold, release or reset.
        namespace: Of the mesh.
        scope: To which breakers.
        state: That a hold keeps; empty for the other verbs.
        for_s: How long a hold lasts, whoever is still there; 0 for the other verbs.
        reason, by: For people; ``by`` is ``user@host``.
    """

    verb: Verb
    namespace: str
    scope: Scope
    state: HoldState | Literal[""] = ""
    for_s: float = 0.0
    reason: str = ""
    by: str = ""

    def problem(self) -> str:
        """What is wrong with it, and what to do; empty if nothing is."""
        scope = self.scope
        if not (scope.node_id or scope.action or scope.service):
            return "Nothing is named: choose an endpoint, a service or a node."
        if scope.action and scope.service:
            return f"Both action {scope.action} and service {scope.service} are named: choose one of them."
        if len(self.reason) > LONGEST_REASON:
            return f"The reason has {len(self.reason):,} letters, expected {LONGEST_REASON} at most."
        if self.verb == "hold" and self.state not in ("open", "closed"):
            return f"The state to hold is '{self.state}', expected open or closed."
        if self.verb == "hold" and not 0.001 <= self.for_s <= LONGEST_HOLD_S:
            return f"A hold of {self.for_s:g} s is not possible, expected up to {LONGEST_HOLD_S:g} s (24 hours)."
        return ""

    @property
    def stops_calls(self) -> bool:
        """Whether calls are kept away by it."""
        return self.verb == "trip" or (self.verb == "hold" and self.state == "open")
