"""What the made-up meshes look like: who offers what, who calls whom, how fast."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class FakeEdge:
    """Calls of one action by one service; an empty caller stands outside services."""

    caller: str
    action: str
    per_s: float
    median_ms: float
    errors: float = 0.0
    suffers: bool = False  # slow and failing while the mesh is in trouble


@dataclass(frozen=True)
class FakeEvent:
    emitter: str
    event: str
    groups: str
    to: str
    per_s: float


@dataclass(frozen=True)
class FakeShape:
    """A mesh: services by full name with their nodes, their actions, who calls, who emits."""

    nodes: dict[str, tuple[str, ...]]  # service -> node ids
    actions: dict[str, dict[str, Any]]  # action -> definition
    edges: tuple[FakeEdge, ...]
    events: tuple[FakeEvent, ...] = ()
    clients: dict[str, tuple[str, str]] = field(default_factory=dict)  # node -> (client version, protocol)

    def node_ids(self) -> list[str]:
        return sorted({node for nodes in self.nodes.values() for node in nodes})

    def service_of(self, action: str) -> str:
        return action.rpartition(".")[0]


def _action(name: str, params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "rawName": name.rpartition(".")[2], "params": params or {}} | more


SHOP = FakeShape(
    nodes={
        "api": ("api-1", "api-2"),
        "v2.orders": ("shop-1", "shop-2", "shop-3"),
        "users": ("users-1", "users-2"),
        "payments": ("pay-1", "pay-2"),
        "bank": ("bank.eu-1",),
        "stock": ("stock-1", "stock-2"),
        "catalog": ("cat-1", "cat-2"),
        "search": ("search-1",),
        "mail": ("mail-1",),
        "reports": ("cat-2",),
    },
    actions={
        "api.rest": _action("api.rest", visibility="private"),
        "v2.orders.create": _action(
            "v2.orders.create",
            {
                "user": "uuid",
                "lines": {"type": "array", "min": 1, "items": {"type": "object"}},
                "note": "string|optional",
            },
        ),
        "v2.orders.get": _action(
            "v2.orders.get", {"id": {"type": "number", "positive": True}}, cache={"keys": ["id"], "ttl": 30}
        ),
        "users.resolve": _action("users.resolve", {"token": "string"}, cache=True),
        "users.get": _action("users.get", {"id": "uuid"}, visibility="public"),
        "payments.charge": _action("payments.charge", {"order": "number", "amount": {"type": "number", "min": 0}}),
        "payments.quote": _action("payments.quote", {"amount": "number"}),
        "bank.transfer": _action("bank.transfer", {"iban": "string", "amount": "number"}, timeout=2000),
        "stock.reserve": _action("stock.reserve", {"sku": "string", "n": "number"}),
        "stock.state": _action("stock.state", {"sku": "string"}),
        "catalog.find": _action(
            "catalog.find", {"text": "string", "limit": {"type": "number", "default": 20}}, cache=True
        ),
        "catalog.item": _action("catalog.item", {"sku": "string"}, visibility="protected"),
        "search.query": _action("search.query", {"text": "string"}),
        "mail.queue": _action("mail.queue", {"to": "email", "template": "string"}),
        "reports.daily": _action("reports.daily", {"day": "date"}),
    },
    edges=(
        FakeEdge("", "api.rest", 3, 60),
        FakeEdge("api", "users.resolve", 38, 1.2),
        FakeEdge("api", "v2.orders.create", 6, 62, 0.002, True),
        FakeEdge("api", "v2.orders.get", 8.5, 11),
        FakeEdge("api", "catalog.find", 21, 8.4),
        FakeEdge("v2.orders", "users.get", 6, 2.1),
        FakeEdge("v2.orders", "payments.charge", 3.1, 38, 0.001, True),
        FakeEdge("v2.orders", "payments.quote", 2.7, 4.1),
        FakeEdge("v2.orders", "stock.reserve", 14, 3.1, 0.002),
        FakeEdge("payments", "bank.transfer", 3.1, 34, 0.001, True),
        FakeEdge("catalog", "stock.state", 9, 2.2),
        FakeEdge("catalog", "search.query", 9.6, 12.9),
        FakeEdge("mail", "users.get", 2.2, 2.0),
        FakeEdge("", "catalog.item", 0.3, 90),
    ),
    events=(
        FakeEvent("v2.orders", "order.created", "mail,reports", "mail", 2.2),
        FakeEvent("payments", "payment.failed", "mail,v2.orders", "v2.orders", 0.4),
        FakeEvent("catalog", "cache.clean.catalog", "", "search", 0.2),
    ),
    clients={"users-1": ("0.14.36", "4"), "users-2": ("0.14.36", "4"), "mail-1": ("0.14.36", "4")},
)


def big_shape(node_count: int = 1000, edge_count: int = 5000, seed: int = 7) -> FakeShape:
    """A mesh with many services, one a node, that call each other in layers."""
    random = np.random.default_rng(seed)
    names = [f"svc{number:04d}" for number in range(node_count)]
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < edge_count:
        a, b = sorted(int(x) for x in random.integers(0, node_count, 2))
        if a != b:
            pairs.add((a, b))
    actions = {f"{name}.run": _action(f"{name}.run", {"id": "number"}) for name in names}
    edges = tuple(
        FakeEdge(
            names[a],
            f"{names[b]}.run",
            float(random.gamma(1, 1)),
            float(random.lognormal(2.5, 0.7)),
            0.001,
            a % 97 == 0,
        )
        for a, b in sorted(pairs)
    )
    return FakeShape({name: (f"node-{number:04d}",) for number, name in enumerate(names)}, actions, edges)


def wide_shape(action_count: int = 10_000, seed: int = 7) -> FakeShape:
    """A mesh with many actions, fifty a service, four services a node."""
    random = np.random.default_rng(seed)
    services = [f"svc{number:03d}" for number in range(-(-action_count // 50))]
    names = [f"{services[number // 50]}.act{number % 50:02d}" for number in range(action_count)]
    edges = tuple(
        FakeEdge(
            services[int(random.integers(len(services)))],
            name,
            0.2,
            float(random.lognormal(2.5, 0.7)),
            0.001,
            number % 997 == 0,
        )
        for number, name in enumerate(names)
    )
    nodes = {service: (f"node-{number // 4:03d}",) for number, service in enumerate(services)}
    return FakeShape(nodes, {name: _action(name, {"id": "number"}) for name in names}, edges)
