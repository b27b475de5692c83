"""Which nodes there are, what runs on each, and who causes the traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from broker.demo.shop.api import Api
from broker.demo.shop.catalog import Catalog
from broker.demo.shop.house import House
from broker.demo.shop.mail import Mail
from broker.demo.shop.office import Reports, Watch
from broker.demo.shop.orders import Orders
from broker.demo.shop.payments import Bank, Payments
from broker.demo.shop.search import Search
from broker.demo.shop.stock import Stock
from broker.demo.shop.users import Users

MakeService = Callable[[House], object]


@dataclass(frozen=True, slots=True)
class Journey:
    """Something that happens again and again.

    Attributes:
        action: What is called, on this very node or on another.
        share: How often among the journeys of its node, relative to the others.
        params: What the action is given.
    """

    action: str
    share: float
    params: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One node.

    Attributes:
        node_id: Its node id.
        host: What it says of its host.
        ip: What it says of its address.
        services: What it offers.
        share: Which part of all journeys begins here, 0..1.
        journeys: Which those are.
        mortal: Whether it is killed now and then.
    """

    node_id: str
    host: str
    ip: str
    services: tuple[MakeService, ...]
    share: float = 0.0
    journeys: tuple[Journey, ...] = ()
    mortal: bool = False


CUSTOMERS: Final = (
    Journey("api.browse", 42),
    Journey("api.product", 26),
    Journey("api.account", 14),
    Journey("api.checkout", 13),
    Journey("api.settings", 3),
    Journey("api.feed", 0.3),
    Journey("api.picture", 0.6),
)

TILL: Final = (Journey("api.checkout", 5), Journey("api.product", 4), Journey("api.account", 1))

OFFICE: Final = (
    Journey("bank.rates", 1),
    Journey("v2.orders.list", 3, (("user", 1),)),
    Journey("stock.level", 4, (("id", 7),)),
    Journey("mail.send", 4, (("to", "office@shop.example"), ("template", "digest"))),
)

NODES: Final = (
    NodePlan("edge.gateway-1", "edge-1", "192.0.2.11", (Api,), 0.42, CUSTOMERS),
    NodePlan("edge.gateway-2", "edge-2", "192.0.2.12", (Api,), 0.36, CUSTOMERS),
    NodePlan("orders-1", "shop-1", "192.0.2.21", (Orders,)),
    NodePlan("orders-2", "shop-2", "192.0.2.22", (Orders,)),
    NodePlan("users-1", "shop-1", "192.0.2.21", (Users,)),
    NodePlan("payments-1", "vault-1", "192.0.2.31", (Payments,)),
    NodePlan("bank-1", "vault-1", "192.0.2.31", (Bank,)),
    NodePlan("stock-1", "store-1", "192.0.2.41", (Stock,)),
    NodePlan("stock-2", "store-2", "192.0.2.42", (Stock,), mortal=True),
    NodePlan("catalog-1", "store-1", "192.0.2.41", (Catalog,)),
    NodePlan("catalog-2", "store-2", "192.0.2.42", (Catalog,)),
    NodePlan("search-1", "store-2", "192.0.2.42", (Search,)),
    NodePlan("office-1", "office", "192.0.2.51", (Mail, Reports, Watch), 0.12, OFFICE),
    NodePlan("till-1", "till", "192.0.2.61", (), 0.10, TILL),
)

CALLS_PER_JOURNEY: Final = 3.0
"""Measured: how many calls between nodes a journey makes on average."""
