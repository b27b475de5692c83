"""Letters to customers."""

from __future__ import annotations

from typing import Any

from broker.demo.shop.house import House
from broker.node import BulkheadPolicy, Context, action, event, service
from broker.node.errors import MoleculerRetryableError


@service("mail", metadata={"team": "shop"}, settings={"from": "shop@shop.example"})
class Mail:
    """Sends what others have to say."""

    def __init__(self, house: House) -> None:
        self._house = house

    @action(
        params={"to": "email", "template": "string", "data": "object|optional"},
        bulkhead=BulkheadPolicy(enabled=True, concurrency=5),
    )
    async def send(self, _ctx: Context) -> dict[str, Any]:
        """Send a letter; the mail server is busy now and then."""
        await self._house.think(45, 0.6)
        if self._house.chance(0.01):
            raise MoleculerRetryableError("The mail server is busy", 503, "SMTP_BUSY", {"queue": 120})
        return {"queued": True}

    @event("order.created", group="mail", params={"id": "string", "user": "number"})
    async def on_order_created(self, ctx: Context) -> None:
        """Thank for the order."""
        customer = await ctx.call("users.resolve", {"id": ctx.params["user"]})
        await self._house.think(20)
        ctx.locals["to"] = customer["email"]

    @event("user.updated", group="mail")
    async def on_user_updated(self, _ctx: Context) -> None:
        """Tell the customer of the change."""
        await self._house.think(15)
