"""Timeouts, retries, bulkheads, fallbacks and breakers of a broker, on a clock of its own."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from broker.node import (
    Broker,
    BrokerOptions,
    BulkheadPolicy,
    CircuitBreakerPolicy,
    Context,
    RetryPolicy,
    action,
    event,
    service,
)
from broker.node.deadlines import Deadlines
from broker.node.errors import (
    MoleculerRetryableError,
    MoleculerServerError,
    QueueIsFullError,
    RequestTimeoutError,
    ServiceNotAvailableError,
)
from broker.node.service_object import Owned
from tests.timers import ManualTimers, settle
from tests.unit.node.nodes import QUICK, story

NARROW = BulkheadPolicy(enabled=True, concurrency=1, max_queue_size=2)


@service("work")
class Work:
    """Its handlers note what they do and wait until they are let go."""

    def __init__(self) -> None:
        self.noted: list[object] = []
        self.waiting: list[asyncio.Future[object]] = []

    async def run(self, ctx: Context) -> object:
        self.noted.append(ctx.params)
        waiting = asyncio.get_running_loop().create_future()
        self.waiting.append(waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            self.noted.append(f"{ctx.params} cancelled")
            raise

    @action()
    async def free(self, ctx: Context) -> object:
        return await self.run(ctx)

    @action(timeout_s=2.0)
    async def timed(self, ctx: Context) -> object:
        return await self.run(ctx)

    @action(timeout_s=5.0)
    async def nested(self, ctx: Context) -> object:
        await ctx.broker.timers.sleep(3.0)
        return await ctx.call("work.free", "nested")

    @action(bulkhead=NARROW)
    async def narrow(self, ctx: Context) -> object:
        return await self.run(ctx)

    @event("work.told", bulkhead=NARROW)
    async def on_told(self, ctx: Context) -> None:
        await self.run(ctx)

    @action(retry=RetryPolicy(enabled=True, retries=3, delay_s=0.1, check=lambda error: "again" in str(error)))
    async def again(self, ctx: Context) -> object:
        return await self.run(ctx)

    @action(fallback="instead")
    async def replaced(self, _ctx: Context) -> object:
        raise KeyError("lost")

    def instead(self, ctx: Context, error: Exception) -> object:
        return {"params": ctx.params, "error": str(error), "is_fallback": ctx.fallback_result}

    @action(fallback="nowhere")
    async def badly_replaced(self, _ctx: Context) -> object:
        raise KeyError("lost")

    @action()
    async def broken(self, _ctx: Context) -> object:
        raise MoleculerServerError("broken")


@asynccontextmanager
async def at_work(**options):
    work, timers = Work(), ManualTimers()
    broker = Broker("a", options=BrokerOptions(**QUICK | options), timers=timers)
    await broker.add(work)
    async with broker:
        yield broker, work, timers
        for waiting in work.waiting:
            waiting.cancel()
    assert timers.waiting == []


def begin(broker: Broker, name: str, params: object = None, **options) -> asyncio.Task:
    return asyncio.get_running_loop().create_task(broker.call(f"work.{name}", params, **options))


async def outcome(task: asyncio.Task) -> object:
    try:
        return await task
    except Exception as error:  # noqa: BLE001 - any is an outcome
        return type(error).__name__


@story
async def test_a_call_ends_at_its_deadline_to_the_digit_and_its_handler_is_cancelled():
    async with at_work() as (broker, work, timers):
        call = begin(broker, "timed", 1)
        await timers.advance(1.999)
        assert not call.done()
        await timers.advance(0.001)
        with pytest.raises(RequestTimeoutError) as caught:
            await call
        assert caught.value.data == {"action": "work.timed", "nodeID": "a"}
        assert work.noted == [1, "1 cancelled"]


@story
async def test_the_calls_own_timeout_counts_more_than_the_actions_and_that_more_than_the_brokers():
    async with at_work(request_timeout_s=1.0) as (broker, _, timers):
        calls = {
            name: begin(broker, name, timeout_s=own_s)
            for name, own_s in (("free", None), ("timed", None), ("narrow", 3.0), ("again", 0.0))
        }
        ended = []
        for _ in range(4):
            await timers.advance(1.0)
            ended.append([name for name, call in calls.items() if call.done()])
        assert ended == [["free"], ["free", "timed"], ["free", "timed", "narrow"], ["free", "timed", "narrow"]]
        assert [await outcome(calls[name]) for name in ended[-1]] == ["RequestTimeoutError"] * 3


@story
async def test_a_nested_call_gets_what_is_left_and_no_more():
    async with at_work() as (broker, work, timers):
        call = begin(broker, "nested")
        await timers.advance(4.9)
        assert work.noted == ["nested"]
        await timers.advance(0.1)
        assert (await outcome(call), work.noted) == ("RequestTimeoutError", ["nested", "nested cancelled"])


@story
async def test_who_cancels_a_timed_call_gets_a_cancellation_and_no_timeout():
    async with at_work() as (broker, work, timers):
        call = begin(broker, "timed", 1)
        await settle()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await timers.advance(5.0)
        assert work.noted == [1, "1 cancelled"]


@story
async def test_a_handler_that_swallows_its_cancellation_answers_and_leaves_its_task_whole():
    timers = ManualTimers()
    deadlines = Deadlines(timers)

    async def stubborn() -> tuple[str, int]:
        deadline = deadlines.begin(0.1)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        finally:
            deadline.end()
        await asyncio.sleep(0)
        return "answer", asyncio.current_task().cancelling()

    task = asyncio.get_running_loop().create_task(stubborn())
    await timers.advance(0.1)
    assert await task == ("answer", 0)


@story
async def test_a_hundred_thousand_calls_that_end_in_time_leave_no_deadline_and_few_timers():
    timers = ManualTimers()
    deadlines = Deadlines(timers)
    for number in range(100_000):
        deadlines.begin(10.0 + number % 7 / 10).end()
    assert (deadlines.waiting, len(timers.waiting)) == (0, 3)
    deadlines.stop()


@story
async def test_a_failed_call_is_made_again_after_growing_waits_and_not_more_often_than_allowed():
    async with at_work() as (broker, work, timers):
        call = begin(broker, "again", 1)
        waits_s: list[list[float]] = []
        for _ in range(4):
            await settle()
            work.waiting[-1].set_exception(MoleculerRetryableError("again"))
            await settle()
            waits_s.append([round(due_s - timers.at_s, 6) for due_s in timers.waiting])
            await timers.advance(0.4)
        assert waits_s == [[0.1], [0.2], [0.4], []]
        assert (call.done(), len(work.waiting)) == (True, 4)
        assert await outcome(call) == "MoleculerRetryableError"
        work.waiting.clear()
        other = begin(broker, "again", 2)
        await settle()
        work.waiting[-1].set_exception(MoleculerRetryableError("never"))
        assert (await outcome(other), len(work.waiting)) == ("MoleculerRetryableError", 1)
        alone = begin(broker, "again", 3, retries=0)
        await settle()
        work.waiting[-1].set_exception(MoleculerRetryableError("again"))
        assert (await outcome(alone), len(work.waiting)) == ("MoleculerRetryableError", 2)


@story
async def test_a_bulkhead_lets_one_in_after_the_other_and_refuses_who_finds_the_queue_full():
    async with at_work() as (broker, work, _):
        calls = [begin(broker, "narrow", number) for number in range(4)]
        await settle()
        with pytest.raises(QueueIsFullError) as caught:
            await calls[3]
        assert (caught.value.code, caught.value.data) == (429, {"action": "work.narrow", "nodeID": "a"})
        for number in range(3):
            work.waiting[number].set_result("done")
            await settle()
        assert (work.noted, [await call for call in calls[:3]]) == ([0, 1, 2], ["done"] * 3)


@story
async def test_a_cancelled_call_gives_its_place_in_a_bulkhead_to_the_next():
    async with at_work() as (broker, work, _):
        calls = [begin(broker, "narrow", number) for number in range(3)]
        await settle()
        calls[1].cancel()
        calls[0].cancel()
        await settle()
        assert work.noted == [0, "0 cancelled", 2]
        work.waiting[-1].set_result("done")
        assert await calls[2] == "done"
        # cancelled in the very moment in which its turn came
        calls = [begin(broker, "narrow", number) for number in (3, 4, 5)]
        await settle()
        work.waiting[-1].set_result("done")
        await asyncio.sleep(0)
        calls[1].cancel()
        await settle()
        assert work.noted[3:] in ([3, 5], [3, 4, "4 cancelled", 5])
        work.waiting[-1].set_result("done")
        assert await calls[2] == "done"


@story
async def test_a_bulkhead_of_events_drops_what_finds_the_queue_full():
    async with at_work() as (broker, work, _):
        emitting = [asyncio.get_running_loop().create_task(broker.emit("work.told", number)) for number in range(5)]
        await settle()
        for waiting in range(3):
            work.waiting[waiting].set_result(None)
            await settle()
        await asyncio.gather(*emitting)
        assert work.noted == [0, 1, 2]


@story
async def test_a_fallback_answers_for_an_action_that_fails():
    async with at_work() as (broker, *_):
        assert await broker.call("work.replaced", 7) == {"params": 7, "error": "'lost'", "is_fallback": True}
        with pytest.raises(Exception, match="is not a function or valid method name: nowhere"):
            await broker.call("work.badly_replaced")


@story
async def test_a_call_brings_its_own_fallback_which_counts_more_and_may_be_nothing():
    async with at_work() as (broker, *_):

        async def told(_ctx: Context, error: Exception) -> str:
            return f"sorry: {error}"

        assert await broker.call("work.broken", fallback_response=told) == "sorry: broken"
        assert await broker.call("work.broken", fallback_response=[1]) == [1]
        assert await broker.call("work.replaced", fallback_response=None) is None
        with pytest.raises(MoleculerServerError):
            await broker.call("work.broken")


@story
async def test_our_own_breaker_keeps_calls_from_our_own_action_until_a_probe_succeeds():
    policy = CircuitBreakerPolicy(enabled=True, min_request_count=2, half_open_s=5.0)
    async with at_work(circuit_breaker=policy) as (broker, work, timers):
        for _ in range(2):
            call = begin(broker, "free")
            await settle()
            work.waiting[-1].set_exception(MoleculerServerError("broken"))
            assert await outcome(call) == "MoleculerServerError"
        with pytest.raises(ServiceNotAvailableError):
            await broker.call("work.free")
        await timers.advance(5.0)
        probe = begin(broker, "free")
        await settle()
        assert broker.breakers.circuit_of("a", "work.free").state == "half_open_wait"
        work.waiting[-1].set_result("well")
        assert await probe == "well"
        assert broker.breakers.circuit_of("a", "work.free").state == "close"


@story
async def test_a_check_of_an_actions_own_policy_decides_what_counts():
    policy = CircuitBreakerPolicy(enabled=True, min_request_count=1, check=lambda error: isinstance(error, KeyError))

    @service("own")
    class OwnPolicy:
        @action(circuit_breaker=policy)
        async def fail(self, ctx: Context) -> None:
            raise ctx.params

    async with at_work() as (broker, *_):
        await broker.add(OwnPolicy())
        with pytest.raises(MoleculerServerError):
            await broker.call("own.fail", MoleculerServerError("not counted"))
        with pytest.raises(KeyError):
            await broker.call("own.fail", KeyError("counted"))
        assert [(each.state, each.count) for each in broker.breakers.circuits()] == [("open", 1)]


@story
async def test_a_service_that_calls_its_own_action_past_the_balancer_counts_for_the_same_breaker():
    @service("bank")
    class Bank:
        actions: Owned

        def __init__(self) -> None:
            self.is_broken = True

        @action()
        async def pay(self, _ctx: Context) -> str:
            if self.is_broken:
                raise MoleculerServerError("broken")
            return "paid"

        @action(circuit_breaker=CircuitBreakerPolicy(enabled=False))
        async def pay_all(self, _ctx: Context) -> str:
            return await self.actions.pay()

    policy = CircuitBreakerPolicy(enabled=True, min_request_count=4, half_open_s=5.0)
    async with at_work(circuit_breaker=policy) as (broker, _, timers):
        bank = Bank()
        await broker.add(bank)
        for name in ("pay_all", "pay", "pay", "pay_all"):
            with pytest.raises(MoleculerServerError):
                await broker.call(f"bank.{name}")
        with pytest.raises(ServiceNotAvailableError):
            await broker.call("bank.pay")
        bank.is_broken = False
        assert await broker.call("bank.pay_all") == "paid"
        await timers.advance(5.0)
        assert await broker.call("bank.pay") == "paid"
        assert [(each.endpoint.action.name, each.state) for each in broker.breakers.circuits()] == [
            ("bank.pay", "close")
        ]
