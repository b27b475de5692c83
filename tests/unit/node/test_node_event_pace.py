"""Events that come too fast: put off, or dropped."""

from broker.node import Broker, BrokerOptions, Context, event, service
from tests.timers import ManualTimers, settle
from tests.unit.node.nodes import QUICK, story


@service("hearer")
class Hearer:
    def __init__(self) -> None:
        self.heard: list[int] = []

    @event("calm", debounce=1000)
    async def on_calm(self, ctx: Context) -> None:
        self.heard.append(ctx.params)

    @event("often", throttle=1000)
    async def on_often(self, ctx: Context) -> None:
        self.heard.append(ctx.params)


@story
async def test_a_debounced_event_is_handled_once_it_is_quiet_with_the_last_data():
    timers, hearer = ManualTimers(), Hearer()
    broker = Broker("a", options=BrokerOptions(**QUICK), timers=timers)
    await broker.add(hearer)
    async with broker:
        for number in range(3):
            await broker.emit("calm", number)
            await timers.advance(0.9)
        assert hearer.heard == []
        await timers.advance(0.2)
        assert hearer.heard == [2]
        await broker.emit("calm", 3)
    assert (hearer.heard, timers.waiting) == ([2], [])


@story
async def test_a_throttled_event_is_handled_at_once_and_then_not_for_a_while():
    timers, hearer = ManualTimers(), Hearer()
    broker = Broker("a", options=BrokerOptions(**QUICK), timers=timers)
    await broker.add(hearer)
    async with broker:
        for number in range(5):
            await broker.emit("often", number)
            await timers.advance(0.4)
        await settle()
        assert hearer.heard == [0, 3]
