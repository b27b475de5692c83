"""What would be done, before it is: every target by name, who is left out, and what it will hit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from broker.agent.signature import Endpoint, HoldState, Verb
from broker.operate.breaking.known import BreakerFact, HelperFact
from broker.operate.breaking.wish import Wish


@dataclass(frozen=True, slots=True)
class Step:
    """One command for one helper.

    Attributes:
        helper: Whose node is told.
        endpoint: Whose breaker on that node.
        verb, state, for_s, hold: As of the command.
        reason: As of the command.
        before: What was known of that breaker; None for nothing.
        calls_per_min: That pass it now.
        failed_share: Of those, 0 to 1; None without calls.
        others: Nodes that take the calls in its place; empty where none can, or none are kept away.
    """

    helper: HelperFact
    endpoint: Endpoint
    verb: Verb
    state: HoldState | Literal[""] = ""
    for_s: float = 0.0
    hold: str = ""
    reason: str = ""
    before: BreakerFact | None = None
    calls_per_min: float = 0.0
    failed_share: float | None = None
    others: tuple[str, ...] = ()

    @property
    def is_own(self) -> bool:
        """Whether it is the endpoint's own breaker, which guards it from everybody."""
        return self.helper.node_id == self.endpoint.node

    @property
    def target(self) -> str:
        """For people."""
        return f"{self.helper.node_id} → {self.endpoint}"


@dataclass(frozen=True, slots=True)
class Untouched:
    """A caller that is not reached.

    Attributes:
        node_id: Who.
        why: For instance that it has no helper.
        calls_per_min: That go on as before.
    """

    node_id: str
    why: str
    calls_per_min: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done.

    Attributes:
        wish: What was asked for; of an undo, what it takes back.
        steps: One for each target.
        untouched: Callers that are not reached, the busiest first.
        preview: What it will hit, in sentences; the first is the sum.
        warnings: What to know before, in sentences.
        second_warning: To be confirmed by itself: everybody is stopped; empty if that is not so.
        refused: Why nothing can be done, and what to do; empty if something can.
        instead: What could be asked for in its place; None for nothing.
    """

    wish: Wish
    steps: tuple[Step, ...] = ()
    untouched: tuple[Untouched, ...] = ()
    preview: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    second_warning: str = ""
    refused: str = ""
    instead: Wish | None = None

    @property
    def name(self) -> str:
        """What is typed to confirm it."""
        return self.wish.scope.name or self.wish.verb

    @property
    def calls_per_min(self) -> float:
        """That pass all targets now."""
        return sum(step.calls_per_min for step in self.steps)
