"""What is in the store house."""

from __future__ import annotations

from typing import Any

from broker.demo.shop.house import House
from broker.node import Context, RetryPolicy, action, event, service
from broker.node.errors import MoleculerClientError

_OUT_OF_STOCK_SHARE = 0.04
_RETRY = RetryPolicy(enabled=True, retries=1, delay_s=0.08)  # one of the replicas dies now and then


@service("stock", metadata={"team": "logistics"}, settings={"warehouse": "north"})
class Stock:
    """Levels and reservations."""

    def __init__(self, house: House) -> None:
        self._house = house

    @action(params={"id": "number|integer"}, cache={"keys": ["id"], "ttl_s": 2}, retry=_RETRY)
    async def level(self, ctx: Context) -> dict[str, Any]:
        """How many are there."""
        await self._house.think(4)
        return {"id": ctx.params["id"], "level": self._house.random.randrange(1, 40)}

    @action(params={"id": "number|integer", "count": "number|integer|positive"}, retry=_RETRY)
    async def reserve(self, ctx: Context) -> dict[str, Any]:
        """Keep some for an order; 409 when there are not enough."""
        await self._house.think(11)
        about = {"id": ctx.params["id"], "wanted": ctx.params["count"], "level": 0}
        if self._house.chance(_OUT_OF_STOCK_SHARE):
            await ctx.emit("stock.low", about)
            raise MoleculerClientError("Not enough in stock", 409, "OUT_OF_STOCK", about)
        return {"reservation": f"R-{self._house.random.randrange(10**6):06d}", **about}

    @action(params={"reservation": "string"}, visibility="public")
    async def release(self, _ctx: Context) -> bool:
        """Give a reservation back."""
        await self._house.think(5)
        return True

    @event("order.created", group="stock")
    async def on_order(self, _ctx: Context) -> None:
        """Have it packed."""
        await self._house.think(7)
