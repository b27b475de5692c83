"""A node with the helper that calls a bank on two other nodes; its clock is set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from broker.agent.helper import Helper
from broker.agent.signature import BreakerCommand, Endpoint, Signed, sign
from broker.clock import ManualClock
from broker.node import Broker, BrokerOptions, CircuitBreakerPolicy, Context, action, service
from broker.node.errors import MoleculerError, MoleculerServerError
from broker.transport.memory import MemoryBus
from tests.timers import ManualTimers, settle
from tests.unit.node.nodes import QUICK, until

SECRET = "sesame"
T0_MS = 1_730_000_000_000
PAY = Endpoint("bank-1", "bank.pay")
POLICY = CircuitBreakerPolicy(enabled=True, min_request_count=2, half_open_s=10.0, window_s=60.0)


class Following(ManualClock):
    """Tells what the timers say, as moments."""

    def __init__(self, timers: ManualTimers) -> None:
        self._timers = timers

    def now_ns(self) -> int:
        return T0_MS * 1_000_000 + round(self._timers.at_s * 1e9)


@service("bank")
class Bank:
    def __init__(self) -> None:
        self.served = 0
        self.is_broken = False

    @action()
    async def pay(self, ctx: Context) -> str:
        self.served += 1
        if self.is_broken:
            raise MoleculerServerError("broken")
        return f"paid by {ctx.broker.node_id}"

    @action(circuit_breaker=CircuitBreakerPolicy(enabled=False))
    async def free(self, ctx: Context) -> str:
        return f"free at {ctx.broker.node_id}"


class Desk:
    """An operator on another node.

    Attributes:
        shop: The node with the helper.
        banks: Node id to its service.
    """

    def __init__(self, bus: MemoryBus) -> None:
        self.bus = bus
        self.timers = ManualTimers()
        self.shop = Broker(
            "shop-1",
            bus,
            "prod",
            options=BrokerOptions(**QUICK, circuit_breaker=POLICY, heartbeat_interval_s=0.0),
            clock=Following(self.timers),
            timers=self.timers,
        )
        self.desk = Broker("desk", bus, "prod", options=BrokerOptions(**QUICK))
        self.banks: dict[str, tuple[Broker, Bank]] = {}
        self._nonce = 0

    async def open_bank(self, node_id: str) -> Bank:
        broker, bank = Broker(node_id, self.bus, "prod", options=BrokerOptions(**QUICK)), Bank()
        await broker.add(bank)
        await broker.start()
        self.banks[node_id] = broker, bank
        await until(lambda: self.shop.registry.endpoints_on(node_id, "bank.pay"))
        return bank

    async def close_bank(self, node_id: str) -> None:
        await self.banks.pop(node_id)[0].stop()
        await until(lambda: not self.shop.registry.endpoints_on(node_id, "bank.pay"))

    def command(self, verb: Any, endpoint: Endpoint = PAY, **changes: Any) -> BreakerCommand:
        self._nonce += 1
        now_ms = T0_MS + round(self.timers.at_s * 1000)
        command = BreakerCommand(
            verb, "prod", "shop-1", self.shop.instance_id, endpoint, f"{self._nonce:032}", now_ms, by="ann@desk"
        )
        return replace(command, **changes)

    async def send(self, signed: Signed | object) -> dict[str, Any]:
        params = signed.params() if isinstance(signed, Signed) else signed
        answer: dict[str, Any] = await self.desk.call("$meshscope.command", params, node_id="shop-1")
        return answer

    async def do(self, verb: Any, endpoint: Endpoint = PAY, **changes: Any) -> dict[str, Any]:
        return await self.send(sign(SECRET, self.command(verb, endpoint, **changes)))

    async def hold(self, state: str = "open", for_ms: int = 60_000, **changes: Any) -> dict[str, Any]:
        return await self.do("hold", state=state, for_ms=for_ms, **changes)

    async def told(self) -> dict[str, Any]:
        answer: dict[str, Any] = await self.desk.call("$meshscope.breakers", {}, node_id="shop-1")
        return answer

    async def row(self, endpoint: Endpoint = PAY) -> dict[str, Any]:
        rows = (await self.told())["breakers"]
        return next(each for each in rows if (each["node"], each["action"]) == (endpoint.node, endpoint.action))

    async def pays(self, times: int = 1) -> list[str]:
        """What became of that many calls of the shop."""
        ends = []
        for _ in range(times):
            try:
                ends.append(await self.shop.call("bank.pay"))
            except MoleculerError as error:
                ends.append(type(error).__name__)
        return ends


@asynccontextmanager
async def helped(*bank_ids: str, helper: Callable[[], Helper] = lambda: Helper(SECRET)) -> AsyncIterator[Desk]:
    desk = Desk(MemoryBus())
    await desk.shop.add(helper())
    await desk.desk.start()
    await desk.shop.start()
    try:
        for bank_id in bank_ids:
            await desk.open_bank(bank_id)
        await until(lambda: desk.desk.registry.endpoints_on("shop-1", "$meshscope.command"))
        await settle()
        yield desk
    finally:
        for bank_id in list(desk.banks):
            await desk.banks.pop(bank_id)[0].stop()
        await desk.shop.stop()
        await desk.desk.stop()
        assert desk.timers.waiting == []
        assert asyncio.all_tasks() == {asyncio.current_task()}
