"""What the shop sells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from broker.demo.shop.goods import GOODS_COUNT, good
from broker.demo.shop.house import House
from broker.node import Context, action, event, service
from broker.node.errors import MoleculerClientError


@service("catalog", settings={"currency": "EUR"}, metadata={"team": "goods"})
class Catalog:
    """Articles, their export and their pictures."""

    def __init__(self, house: House) -> None:
        self._house = house

    @action(
        "list",
        params={"ids": {"type": "array", "items": "number", "optional": True}, "page": "number|optional"},
        cache={"keys": ["ids", "page"], "ttl_s": 60},
        rest="GET /goods",
    )
    async def list_goods(self, ctx: Context) -> list[dict[str, Any]]:
        """Some articles."""
        await self._house.think(9 + 160 * self._house.trouble("catalog"))
        ids = ctx.params.get("ids") or range(8)
        return [good(number) for number in ids]

    @action(params={"id": "number|integer"}, cache={"keys": ["id"]}, rest="GET /goods/:id")
    async def get(self, ctx: Context) -> dict[str, Any]:
        """One article; 404 when there is none."""
        await self._house.think(5 + 120 * self._house.trouble("catalog"))
        if not 0 <= ctx.params["id"] < GOODS_COUNT:
            raise MoleculerClientError("No such article", 404, "ARTICLE_NOT_FOUND", {"id": ctx.params["id"]})
        return good(ctx.params["id"])

    @action(params={"from": "number|default:0"}, description="All articles as a stream of objects", timeout_s=20)
    async def export(self, ctx: Context) -> AsyncIterator[dict[str, Any]]:
        """All articles, one after the other."""
        return self._export(int(ctx.params.get("from", 0)))

    @action(params={"name": "string"}, description="A picture as a stream of bytes")
    async def upload(self, ctx: Context) -> dict[str, Any]:
        """Take a picture in."""
        size = 0
        async for chunk in ctx.chunks():
            size += len(chunk)
        await self._house.think(8)
        return {"bytes": size}

    @event("price.changed", params={"id": "number", "price": "number"})
    async def on_price_changed(self, _ctx: Context) -> None:
        """Keep the price."""
        await self._house.think(2)

    async def _export(self, first: int) -> AsyncIterator[dict[str, Any]]:
        for number in range(first, GOODS_COUNT, 12):
            await self._house.think(6)
            yield good(number)
