"""Orders, the heart of the shop."""

from __future__ import annotations

from typing import Any

from broker.demo.shop.goods import CUSTOMER_COUNT
from broker.demo.shop.house import House
from broker.node import Context, action, event, service
from broker.node.errors import MoleculerClientError, MoleculerError

_MOST_PIECES = 9


@service("orders", version=2, dependencies=["users", "stock"], settings={"page": 20}, metadata={"team": "shop"})
class Orders:
    """Creating, showing and cancelling orders."""

    def __init__(self, house: House) -> None:
        self._house = house

    @action(
        params={
            "user": "number|integer|positive",
            "items": {
                "type": "array",
                "min": 1,
                "items": {"type": "object", "props": {"id": "number", "count": f"number|positive|max:{_MOST_PIECES}"}},
            },
            "coupon": {"type": "string", "optional": True, "pattern": "^[A-Z0-9]{6}$"},
        },
        timeout_s=6.0,
        rest="POST /orders",
    )
    async def create(self, ctx: Context) -> dict[str, Any]:
        """Check the customer, keep the goods, charge, and tell everybody."""
        user = await ctx.call("users.resolve", {"id": ctx.params["user"]})
        await self._house.think(6)
        reservation = None
        for item in ctx.params["items"]:
            wanted = {"id": item["id"], "count": item["count"]}
            reservation = await ctx.call("stock.reserve", wanted, timeout_s=0.7)
        order_id = f"O-{self._house.random.randrange(10**7):07d}"
        amount = round(9.9 + sum(item["count"] for item in ctx.params["items"]) * 14.3, 2)
        try:
            charge = {"order": order_id, "amount": amount, "currency": "EUR"}
            receipt = await ctx.call("v1.payments.charge", charge)
        except MoleculerError:
            if reservation is not None:
                await ctx.call("stock.release", {"reservation": reservation["reservation"]})
            raise
        order = {"id": order_id, "user": user["id"], "amount": amount, "receipt": receipt["receipt"]}
        await ctx.emit("order.created", order)
        return order

    @action(params={"id": "string"}, cache={"keys": ["id"], "ttl_s": 15}, rest="GET /orders/:id")
    async def get(self, ctx: Context) -> dict[str, Any]:
        """One order and whose it is; 404 when there is none."""
        await self._house.think(7)
        if self._house.chance(0.015):
            raise MoleculerClientError("No such order", 404, "ORDER_NOT_FOUND", {"id": ctx.params["id"]})
        user = await ctx.call("users.resolve", {"id": self._house.random.randrange(1, CUSTOMER_COUNT)})
        return {"id": ctx.params["id"], "user": user}

    @action("list", params={"user": "number", "page": "number|default:1"}, rest="GET /orders")
    async def list_orders(self, ctx: Context) -> list[dict[str, Any]]:
        """The last orders of a customer."""
        await self._house.think(16, 0.6)
        return [{"id": f"O-{number:07d}", "user": ctx.params["user"]} for number in range(5)]

    @action(params={"id": "string"}, rest="DELETE /orders/:id", deprecated=True)
    async def cancel(self, ctx: Context) -> dict[str, Any]:
        """Cancel an order."""
        await self._house.think(9)
        await ctx.emit("order.cancelled", {"id": ctx.params["id"]})
        return {"id": ctx.params["id"], "cancelled": True}

    @event("payment.refunded")
    async def on_refunded(self, _ctx: Context) -> None:
        """Note it."""
        await self._house.think(3)
