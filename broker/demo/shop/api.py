"""The gateway: what the web shop and the tills ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from broker.demo.shop.goods import CUSTOMER_COUNT, GOODS_COUNT
from broker.demo.shop.house import House
from broker.node import Context, action, service

_TEXTS = ("coffee", "filter", "grinder", "kettle", "descaler", "cups")


@service("api", metadata={"team": "web", "$package": {"name": "shop-gateway"}}, settings={"port": 3000})
class Api:
    """Turns what customers want into calls."""

    def __init__(self, house: House) -> None:
        self._house = house

    @action(visibility="published", params={"text": "string|optional"}, rest="GET /browse")
    async def browse(self, ctx: Context) -> Any:
        """Look for something."""
        text = (ctx.params or {}).get("text") or self._house.random.choice(_TEXTS)
        if self._house.chance(0.5):
            await ctx.call("search.suggest", {"text": text[:3]})
        return await ctx.call("search.find", {"text": text}, timeout_s=2.5)

    @action(params={"id": "number|optional"}, rest="GET /product/:id")
    async def product(self, ctx: Context) -> Any:
        """Look at one article; now and then one that is gone."""
        number = self._house.random.randrange(GOODS_COUNT + 3)
        article = await ctx.call("catalog.get", {"id": number}, timeout_s=2.0)
        level = await ctx.call("stock.level", {"id": number}, timeout_s=0.5)
        return {**article, **level}

    @action(params={}, rest="GET /account")
    async def account(self, ctx: Context) -> Any:
        """Look at one's orders; now and then with a session that has expired."""
        number = self._customer()
        token = f"token-{number}-expired" if self._house.chance(0.02) else f"token-{number}"
        await ctx.call("users.authenticate", {"token": token})
        orders = await ctx.call("v2.orders.list", {"user": number})
        if self._house.chance(0.5):
            return await ctx.call("v2.orders.get", {"id": orders[0]["id"]})
        return orders

    @action(params={"items": "array|optional"}, rest="POST /checkout")
    async def checkout(self, ctx: Context) -> Any:
        """Buy; now and then more pieces than allowed."""
        number = self._customer()
        await ctx.call("users.authenticate", {"token": f"token-{number}"})
        count = 12 if self._house.chance(0.025) else self._house.random.randint(1, 3)
        items = [{"id": self._house.random.randrange(GOODS_COUNT), "count": count}]
        order = await ctx.call("v2.orders.create", {"user": number, "items": items})
        if self._house.chance(0.03):
            await ctx.call("v2.orders.cancel", {"id": order["id"]})
        return order

    @action(params={}, rest="PUT /account")
    async def settings(self, ctx: Context) -> Any:
        """Change one's address; now and then to one that is none."""
        number = self._customer()
        email = "nowhere" if self._house.chance(0.12) else f"new{number}@shop.example"
        return await ctx.call("users.update", {"id": number, "email": email})

    @action(params={}, rest="GET /feed", description="The whole catalogue for a price search engine")
    async def feed(self, ctx: Context) -> Any:
        """Hand the export on, chunk for chunk."""
        rows = 0
        async for _ in await ctx.call("catalog.export", {"from": 0}):
            rows += 1
        return {"rows": rows}

    @action(params={}, rest="POST /pictures")
    async def picture(self, ctx: Context) -> Any:
        """Send a picture on as a stream."""
        return await ctx.call("catalog.upload", {"name": "front.jpg"}, stream=self._picture(), timeout_s=10.0)

    async def _picture(self) -> AsyncIterator[bytes]:
        for _ in range(6):
            await self._house.think(5)
            yield self._house.random.randbytes(2048)

    def _customer(self) -> int:
        return self._house.random.randrange(1, CUSTOMER_COUNT)
