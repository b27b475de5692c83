"""Nodes on one bus in memory, and two services for them."""

import asyncio
import json
from contextlib import asynccontextmanager

from broker.node import Broker, BrokerOptions, Context, action, event, service
from broker.node.errors import MoleculerClientError, MoleculerError, MoleculerServerError
from broker.transport.memory import MemoryBus

QUICK = {"settle_s": 0.0, "info_delay_s": 0.0, "stop_timeout_s": 0.5, "hostname": "h", "ip_list": ["192.0.2.1"]}


@service("math", version=2)
class Math:
    def __init__(self) -> None:
        self.seen: list[Context] = []
        self.attempts = self.asleep = 0

    @action()
    async def add(self, ctx: Context) -> int:
        self.seen.append(ctx)
        ctx.meta["by"] = "math"
        return ctx.params["a"] + ctx.params["b"]

    @action()
    async def echo(self, ctx: Context) -> object:
        return ctx.params

    @action()
    async def fail(self, ctx: Context) -> None:
        ctx.meta["failed"] = True
        raise MoleculerClientError("nope", 409, "CONFLICT", {"k": 1})

    @action()
    async def crash(self, _ctx: Context) -> None:
        raise KeyError("k")

    @action()
    async def sleep(self, ctx: Context) -> str:
        self.asleep += 1
        await asyncio.sleep(ctx.params["s"])
        return "late"

    @action()
    async def flaky(self, _ctx: Context) -> int:
        self.attempts += 1
        if self.attempts < 3:
            raise MoleculerServerError("not yet", 503)
        return self.attempts

    @action()
    def count(self, ctx: Context):
        return self._numbers(ctx.params["n"])

    @action()
    async def total(self, ctx: Context) -> dict:
        chunks = [chunk async for chunk in ctx.chunks()]
        return {"bytes": sum(map(len, chunks)), "name": (ctx.params or {}).get("name"), "meta": ctx.meta}

    @action()
    async def unsendable(self, _ctx: Context) -> object:
        return {"a": object()}

    async def _numbers(self, n: int):
        for number in range(n):
            yield {"n": number}
        if n == 3:
            raise MoleculerError("torn", 500, "TORN")


@service("shop")
class Shop:
    def __init__(self) -> None:
        self.heard: list[Context] = []

    @action()
    async def sum(self, ctx: Context) -> int:
        return await ctx.call("v2.math.add", ctx.params, meta={"shop": 1})

    @action()
    async def slow(self, ctx: Context) -> object:
        await asyncio.sleep(0.03)
        return await ctx.call("v2.math.sleep", {"s": 1})

    @action()
    async def again(self, ctx: Context) -> object:
        return await ctx.call("shop.again")

    @action()
    async def tell(self, ctx: Context) -> None:
        await ctx.emit("shop.told", {"n": 1})

    @event("shop.*")
    async def on_told(self, ctx: Context) -> None:
        self.heard.append(ctx)


@asynccontextmanager
async def mesh(*nodes: tuple, bus: MemoryBus | None = None, **options):
    """(node id, services…) for each node; all know each other when it begins."""
    bus = bus or MemoryBus()
    brokers = [Broker(node_id, bus, options=BrokerOptions(**QUICK | options)) for node_id, *_ in nodes]
    for broker, (_, *services) in zip(brokers, nodes, strict=True):
        await broker.add(*services)
        await broker.start()
    await until(lambda: all(len(broker.registry.nodes) == len(brokers) for broker in brokers))
    try:
        yield brokers
    finally:
        for broker in brokers:
            await broker.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0)


def said(bus: MemoryBus, command: str) -> list[dict]:
    return [json.loads(body) for channel, body in bus.published if channel.split(b".")[1] == command.encode()]


def story(test):
    def run() -> None:
        asyncio.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run
