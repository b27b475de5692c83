"""The helper as a service of a Python node: ``await broker.add(Helper())``."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Final

from broker.agent.holds import HoldBook
from broker.agent.listing import Listing
from broker.agent.obeying import Obeying
from broker.agent.pace import Pace
from broker.agent.signature import SECRET_VARIABLE, Verifier
from broker.node.context import Context
from broker.node.middleware import CircuitBreaker
from broker.node.options import BulkheadPolicy, CircuitBreakerPolicy
from broker.node.service import action, event, service
from broker.version import program_version

if TYPE_CHECKING:
    from broker.node.broker import Broker

SERVICE: Final = "$meshscope"
BREAKERS: Final = "$meshscope.breakers"
"""An action, and the event that tells the same."""
FORMAT: Final = 1
MOST_ANSWERED: Final = 1_500
"""Rows of an answer: with some 400 bytes each they fit into a packet of NATS."""
HELPERS_TOLD: Final = 2
"""For who taps the bus one would do; whoever listens and is no helper is told always."""
MOST_TOLD: Final = 200
"""Rows of an event. What is left out is closed and not held, unless more than these are not."""

_ALWAYS: Final[dict[str, Any]] = {
    "visibility": "public",  # not for API gateways
    "cache": False,
    "tracing": False,
    "circuit_breaker": CircuitBreakerPolicy(enabled=False),
    "bulkhead": BulkheadPolicy(enabled=False),
}


@service(SERVICE)
class Helper:
    """Tells of the breakers of its node, and sets them for operators who have the secret."""

    def __init__(self, secret: str | None = None) -> None:
        """Make it for one broker.

        Args:
            secret: Shared with the operators; that of ``MESHSCOPE_SECRET`` when left out. Without one it only reads.
        """
        self._secret = os.environ.get(SECRET_VARIABLE, "") if secret is None else secret
        self._program = f"meshscope {program_version()} for Python"

    def created(self, broker: Broker) -> None:
        """Learn whose breakers they are."""
        breakers = broker.breakers
        assert isinstance(breakers, CircuitBreaker)  # noqa: S101 - every broker has it
        self._broker = broker
        self._pace = Pace(broker.timers, self._tell, self._count_packets)
        self._holds = HoldBook(breakers.holds, broker.timers, self._pace.changed)
        self._listing = Listing(broker, breakers, self._holds)
        verifier = Verifier(self._secret, broker.namespace, broker.node_id, broker.instance_id)
        self._obeying = Obeying(verifier, breakers, self._holds, self._listing)

    async def started(self, broker: Broker) -> None:
        """Begin to tell."""
        own = broker.services.find(SERVICE)
        for subscription in own.events.values() if own is not None else ():
            # of its own: each helper gets its own copy, and takes nobody else's
            subscription.group = subscription.schema["group"] = f"meshscope.{broker.node_id}"
        broker.local_bus.on("$circuit-breaker.*", self._on_change)
        self._pace.start()

    async def stopped(self, broker: Broker) -> None:
        """Let go of everything."""
        broker.local_bus.off("$circuit-breaker.*", self._on_change)
        self._pace.stop()
        self._holds.end_all()

    @action("breakers", **_ALWAYS)
    async def list_breakers(self, _ctx: Context) -> dict[str, Any]:
        """All breakers of this node."""
        return self._told(MOST_ANSWERED)

    @action("command", **_ALWAYS)
    async def obey(self, ctx: Context) -> dict[str, Any]:
        """Do what a signed command says; the answer says whether it was done."""
        answer = self._obeying.take(ctx.params, self._broker.now_ms())
        self._pace.changed()
        await asyncio.sleep(0)  # what the breaker has to tell leaves before the report
        return answer

    @event("$circuit-breaker.*")
    async def hear_circuits(self, _ctx: Context) -> None:
        """Nothing to do: that somebody listens makes every node tell, and who taps the bus knows too."""

    @event(BREAKERS)
    async def hear_helpers(self, _ctx: Context) -> None:
        """Nothing to do, as above."""

    def _tell(self) -> None:
        if groups := self._listening():
            self._broker.broadcast_now(BREAKERS, self._told(MOST_TOLD), groups=groups)

    def _on_change(self, _event: Any) -> None:
        self._pace.changed()

    def _told(self, most: int) -> dict[str, Any]:
        rows, left_out = self._listing.rows(most)
        return {
            "format": FORMAT,
            "node": self._broker.node_id,
            "instance": self._broker.instance_id,
            "at": self._broker.now_ms(),
            "program": self._program,
            "acts": bool(self._secret),
            "breakers": rows,
            "left_out": left_out,
            "refused": dict(self._obeying.refused.counts),
        }

    def _listening(self) -> list[str]:
        """Groups that are told: those of everybody who is no helper, and of the next helpers by name."""
        ours = self._broker.node_id
        helpers = self._helpers()
        others: list[str] = []
        told: dict[str, str] = {}
        for endpoints in self._broker.registry.lists_for(BREAKERS):
            for endpoint in endpoints.endpoints:
                if endpoint.node.id in helpers:
                    told[endpoint.node.id] = endpoints.group
                elif not endpoint.local:
                    others.append(endpoints.group)
        told.pop(ours, None)
        following = sorted(told, key=lambda node_id: (node_id <= ours, node_id))
        return [*others, *(told[node_id] for node_id in following[:HELPERS_TOLD])]

    def _helpers(self) -> set[str]:
        """Nodes with a helper, this one too."""
        return {node.id for node, offered in self._broker.registry.services() if offered.full_name == SERVICE}

    def _count_packets(self) -> int:
        """What all helpers send when each tells its list once."""
        return len(self._helpers()) * len(self._listening())
