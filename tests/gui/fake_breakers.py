"""What helpers and events tell of the breakers of the made-up shop."""

from __future__ import annotations

from typing import Any

from fake_mesh import FakeMesh

from broker.clock import SECOND
from broker.mesh.timeline import Timeline
from broker.observe.journal import Batch, StateChange

ME = "ann@desk"
SETTINGS = {"threshold": 0.4, "min": 8, "window_ms": 60_000, "half_open_ms": 10_000, "enabled": True}
BANK = "bank.eu-1:bank.transfer"


class FakeBreakers:
    """Tells a timeline of breakers, at the moment that a mesh has reached."""

    def __init__(self, mesh: FakeMesh, timeline: Timeline) -> None:
        self._mesh, self._timeline = mesh, timeline

    @property
    def now_ns(self) -> int:
        """The moment of the mesh."""
        return self._mesh.through_ns

    def tell(self, *changes: StateChange) -> None:
        """Let a timeline learn of it."""
        self._mesh.through_ns += SECOND // 1000
        self._timeline.take(Batch(through_ns=self._mesh.through_ns, changes=list(changes)))

    def helper(self, node_id: str, *, acts: bool = True, instance: str = "i-1") -> StateChange:
        """A helper that was just heard."""
        value = {"instance": instance, "program": "meshscope 1", "acts": acts, "refused": {}}
        value |= {"at_ns": self.now_ns, "heard_ns": self.now_ns}
        return StateChange("helper", self._mesh.namespace, node_id, self.now_ns, value, "helper")

    def breaker(self, key: str, state: str, source: str = "helper", **more: Any) -> StateChange:
        """A breaker in a state."""
        settings = SETTINGS if source == "helper" else {}
        return StateChange(
            "breaker", self._mesh.namespace, key, self.now_ns, {"state": state, **settings, **more}, source
        )

    def hold(self, key: str, *, by: str = ME, for_s: float = 252, state: str = "held-open") -> StateChange:
        """A breaker that is held by hand."""
        until_ns = self.now_ns + round(for_s * SECOND)
        reason = "bank maintenance" if by == ME else "rollback"
        return self.breaker(key, state, under="closed", by=by, hold=f"h-{key}", reason=reason, until_ns=until_ns)

    def whole_shop(self) -> None:
        """Helpers on most nodes, one breaker in every state."""
        counted = {"failures": 0, "count": 812, "counted_ns": self.now_ns}
        opened = {"failures": 21, "count": 50, "counted_ns": self.now_ns, "reason": "21 of 50 failed"}
        nodes = [node for node in self._mesh.shape.node_ids() if node not in ("cat-1", "cat-2", "mail-1")]
        self.tell(
            *(self.helper(node) for node in nodes),
            self.breaker(f"pay-1|{BANK}", "open", until_ns=self.now_ns + 6 * SECOND, **opened),
            self.hold(f"pay-2|{BANK}"),
            self.hold("api-2|users-1:users.resolve", by="bob@night", state="held-closed", for_s=3600),
            self.breaker("shop-1|pay-1:payments.charge", "half-open", "event"),
            self.breaker("shop-2|pay-1:payments.charge", "closed", failures=6, count=44, counted_ns=self.now_ns),
            *(self.breaker(f"api-1|users-{n}:users.resolve", "closed", **counted) for n in (1, 2)),
            *(self.breaker(f"shop-{n}|stock-1:stock.reserve", "closed", "asked") for n in (1, 2, 3)),
        )
