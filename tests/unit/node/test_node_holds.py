"""Endpoints kept in or out of use by hand."""

import asyncio

import pytest

from broker.node.errors import ServiceNotAvailableError
from broker.node.middleware import Middleware
from tests.unit.node.nodes import Math, Shop, mesh, story, until


class Slow(Middleware):
    """Keeps calls of other nodes' actions waiting, the endpoint already chosen."""

    def __init__(self) -> None:
        self.is_waiting = False
        self.go = asyncio.Event()

    def remote_action(self, call, service, action):
        async def handler(ctx):
            self.is_waiting = True
            await self.go.wait()
            return await call(ctx)

        return handler if action.name == "v2.math.add" else call


@story
async def test_nothing_is_sent_to_a_held_endpoint_even_if_it_was_chosen_before():
    slow, math = Slow(), Math()
    async with mesh(("a",), ("b", math), middlewares=[slow]) as (a, _):
        call = asyncio.create_task(a.call("v2.math.add", {"a": 1, "b": 2}))
        await until(lambda: slow.is_waiting)
        a.breakers.holds.hold("b", "v2.math.add", False)
        slow.go.set()
        with pytest.raises(ServiceNotAvailableError):
            await call
        assert math.seen == []
        a.breakers.holds.release("b", "v2.math.add")
        assert await a.call("v2.math.add", {"a": 1, "b": 2}) == 3


@story
async def test_a_held_endpoint_that_is_offered_anew_is_held_from_its_first_moment():
    async with mesh(("a",), ("b", Math())) as (a, b):
        a.breakers.holds.hold("b", "shop.sum", False)
        await b.add(Shop())
        await until(lambda: "shop.sum" in a.registry.actions)
        assert a.registry.endpoints_on("b", "shop.sum")[0].is_available is False
        a.breakers.holds.release("b", "shop.sum")
        assert a.registry.endpoints_on("b", "shop.sum")[0].is_available is True
        assert (a.breakers.holds.state("b", "shop.sum"), a.breakers.holds.state("b", "v2.math.add")) == (None, None)
