"""Finding articles."""

from __future__ import annotations

from typing import Any

from broker.demo.shop.goods import GOODS_COUNT
from broker.demo.shop.house import House
from broker.node import Context, action, event, service


@service("search", metadata={"team": "goods"})
class Search:
    """An index of the catalogue."""

    def __init__(self, house: House) -> None:
        self._house = house

    @action(params={"text": "string|min:1", "limit": "number|optional"}, cache={"keys": ["text"], "ttl_s": 10})
    async def find(self, ctx: Context) -> dict[str, Any]:
        """Articles that fit a text."""
        await self._house.think(14)
        ids = [self._house.random.randrange(GOODS_COUNT) for _ in range(4)]
        goods = await ctx.call("catalog.list", {"ids": ids}, timeout_s=2.0)
        return {"text": ctx.params["text"], "goods": goods}

    @action(params={"text": "string"}, rest="GET /suggest")
    async def suggest(self, ctx: Context) -> list[str]:
        """What somebody may want to type."""
        await self._house.think(4)
        return [f"{ctx.params['text']} {word}" for word in ("blend", "machine", "filters")]

    @event("order.created", group="search")
    async def on_order(self, _ctx: Context) -> None:
        """Articles that sell rank higher."""
        await self._house.think(3)

    @event("stock.*", group="search")
    async def on_stock(self, _ctx: Context) -> None:
        """Articles that are out of stock rank lower."""
        await self._house.think(2)
