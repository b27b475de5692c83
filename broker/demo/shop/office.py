"""The back office: reports that nobody asks for, and somebody who looks after the breakers."""

from __future__ import annotations

from typing import Any

from broker.demo.shop.house import House
from broker.node import Context, action, event, service


@service("reports", version=1, metadata={"team": "finance"}, settings={"cron": "0 4 * * *"})
class Reports:
    """Offered, and silent: nobody calls it during the day."""

    def __init__(self, house: House) -> None:
        self._house = house

    @action(params={"month": "string|length:7", "format": {"type": "enum", "values": ["csv", "pdf"]}})
    async def monthly(self, _ctx: Context) -> dict[str, Any]:
        """A month's sales."""
        await self._house.think(400)
        return {"rows": 0}

    @action(params={"year": "number|integer|min:2020"})
    async def yearly(self, _ctx: Context) -> dict[str, Any]:
        """A year's sales."""
        await self._house.think(900)
        return {"rows": 0}

    @event("books.closed")
    async def on_books_closed(self, _ctx: Context) -> None:
        """Once a year."""


@service("watch", metadata={"team": "operations"})
class Watch:
    """Hears of circuit breakers, so that their events are on the bus."""

    def __init__(self, house: House) -> None:
        self._house = house

    @event("$circuit-breaker.*", group="watch")
    async def on_breaker(self, _ctx: Context) -> None:
        """Somebody should look."""
        await self._house.think(1)
