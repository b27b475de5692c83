"""Customers and their sessions."""

from __future__ import annotations

from typing import Any

from broker.demo.shop.goods import customer
from broker.demo.shop.house import House
from broker.node import Context, action, service
from broker.node.errors import MoleculerClientError


@service("users", settings={"page": 50}, metadata={"team": "identity"})
class Users:
    """Who may do what."""

    def __init__(self, house: House) -> None:
        self._house = house

    @action(params={"id": "number|integer|positive"}, cache={"keys": ["id"], "ttl_s": 30}, rest="GET /users/:id")
    async def resolve(self, ctx: Context) -> dict[str, Any]:
        """Who a customer is."""
        await self._house.think(4)
        return customer(ctx.params["id"])

    @action(params={"token": "string|min:8"}, visibility="public")
    async def authenticate(self, ctx: Context) -> dict[str, Any]:
        """Whose token this is; 401 when it is nobody's."""
        await self._house.think(6)
        if ctx.params["token"].endswith("expired"):
            raise MoleculerClientError("The session has expired", 401, "TOKEN_EXPIRED", {"since": 3600})
        number = int(ctx.params["token"].rpartition("-")[2])
        ctx.meta["user"] = {"id": number}
        return customer(number)

    @action(params={"id": "number|integer|positive", "email": "email"}, rest="PUT /users/:id")
    async def update(self, ctx: Context) -> dict[str, Any]:
        """Change a customer; 422 for an address that is none."""
        await self._house.think(12)
        await ctx.broadcast("user.updated", {"id": ctx.params["id"]})
        return customer(ctx.params["id"]) | {"email": ctx.params["email"]}

    @action(visibility="protected", description="Passwords never leave this node")
    async def verify(self, _ctx: Context) -> bool:
        """For this node only."""
        return True
