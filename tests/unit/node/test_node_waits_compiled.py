"""What tasks wait for wakes them as a future does, and at once where no task runs."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from broker.native import compiled
from tests.unit.node.nodes import Math, mesh, story

pytestmark = pytest.mark.usefixtures("compiled_module")

loops = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
Run = Callable[[Coroutine[Any, Any, None]], None]


class Waiting:
    """A task that waits, and what it wrote down."""

    def __init__(self) -> None:
        self.wait = compiled.Wait(asyncio.get_running_loop())
        self.told: list[object] = []
        self.task = asyncio.create_task(self._work())

    async def _work(self) -> object:
        result = await self.wait
        self.told.append(result)
        return result


async def _begun() -> Waiting:
    waiting = Waiting()
    await asyncio.sleep(0)
    return waiting


@loops
def test_what_is_given_where_no_task_runs_wakes_at_once(run: Run) -> None:
    async def story() -> None:
        waiting = await _begun()

        def arrived() -> None:
            assert waiting.wait.give((1, 2))
            waiting.told.append("behind it")

        asyncio.get_running_loop().call_soon(arrived)
        assert await waiting.task == (1, 2)
        assert waiting.told == [(1, 2), "behind it"]

    run(story())


@loops
@pytest.mark.parametrize("method", ["give", "set_result"])
def test_within_a_task_it_wakes_in_another_turn(run: Run, method: str) -> None:
    async def story() -> None:
        waiting = await _begun()
        assert getattr(waiting.wait, method)(7)
        assert waiting.told == []
        assert not waiting.wait.give(8)
        assert await waiting.task == 7
        assert waiting.wait.result() == 7

    run(story())


@loops
def test_what_was_settled_before_anybody_waits_needs_no_waking(run: Run) -> None:
    async def story() -> None:
        wait = compiled.Wait(asyncio.get_running_loop())
        with pytest.raises(asyncio.InvalidStateError):
            wait.result()
        assert not wait.done()
        assert wait.give(3)
        assert wait.done()
        assert await wait == 3

    run(story())


@loops
def test_an_error_is_raised_where_it_is_awaited(run: Run) -> None:
    async def story() -> None:
        waiting = await _begun()
        assert waiting.wait.set_exception(LookupError("no"))
        with pytest.raises(LookupError, match="no"):
            await waiting.task
        with pytest.raises(TypeError):
            waiting.wait.set_exception("no error")  # type: ignore[arg-type]

    run(story())


@loops
def test_a_task_that_is_cancelled_waits_no_longer(run: Run) -> None:
    async def story() -> None:
        waiting = await _begun()
        waiting.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting.task
        assert waiting.wait.done()
        assert not waiting.wait.give(1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await compiled.Wait(asyncio.get_running_loop())

    run(story())


@loops
def test_a_cancellation_wins_over_a_result_that_has_not_woken_anybody(run: Run) -> None:
    async def story() -> None:
        waiting = await _begun()
        waiting.wait.set_result(1)
        waiting.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting.task

    run(story())


@loops
def test_the_task_goes_on_in_its_own_context_and_as_the_current_one(run: Run) -> None:
    name = contextvars.ContextVar("name", default="nobody")

    async def story() -> None:
        async def work(wait: compiled.Wait) -> tuple[str, asyncio.Task[Any] | None]:
            name.set("worker")
            await wait
            return name.get(), asyncio.current_task()

        wait = compiled.Wait(asyncio.get_running_loop())
        task = asyncio.create_task(work(wait))
        await asyncio.sleep(0)
        seen: list[object] = []

        def arrived() -> None:
            wait.give(None)
            seen.extend([name.get(), asyncio.current_task()])

        asyncio.get_running_loop().call_soon(arrived)
        assert await task == ("worker", task)
        assert seen == ["nobody", None]

    run(story())


@loops
def test_what_ends_the_program_ends_the_loop_and_not_who_gave(run: Run) -> None:
    went_on: list[bool] = []

    async def story() -> None:
        async def work(wait: compiled.Wait) -> None:
            await wait
            raise SystemExit(3)

        wait = compiled.Wait(asyncio.get_running_loop())
        task = asyncio.create_task(work(wait))
        task.add_done_callback(lambda done: done.exception())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(lambda: went_on.append(wait.give(1)))
        await asyncio.sleep(60)

    with pytest.raises(SystemExit):
        run(story())
    assert went_on == [True]


def test_nothing_is_left_of_one_that_nobody_settles() -> None:
    async def told() -> None:
        waiting = await _begun()
        gone = weakref.ref(waiting.task)
        waiting.task.cancel()
        await asyncio.wait([waiting.task])
        del waiting
        gc.collect()
        assert gone() is None

    asyncio.run(told())


@story
async def test_each_request_has_a_task_of_its_own_also_one_that_was_made_beforehand():
    name: contextvars.ContextVar[int] = contextvars.ContextVar("name", default=0)
    seen: list[object] = []

    async with mesh(("a",), ("b", Math())) as (a, b):
        endpoint = b.registry.endpoints_on("b", "v2.math.echo")[0]

        async def handler(ctx):
            seen.append((asyncio.current_task(), name.get()))
            assert asyncio.current_task() in endpoint.service.running
            name.set(ctx.params)
            async with asyncio.timeout(5):
                await asyncio.sleep(0)
            return ctx.params

        endpoint.direct = endpoint.handler = handler
        for number in range(1, 6):
            assert await a.call("v2.math.echo", number) == number
        assert [value for _, value in seen] == [0] * 5
        assert len({task for task, _ in seen}) == 5
        assert not endpoint.service.running
