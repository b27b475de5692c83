"""Results that are kept, on a clock of its own."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from broker.node import (
    Broker,
    BrokerOptions,
    CacheLock,
    CacheOptions,
    Context,
    MemoryCacher,
    MemoryLruCacher,
    action,
    service,
)
from broker.node.caching import resolve
from broker.node.caching.keys import number_text
from broker.node.context import ABSENT
from broker.node.errors import MoleculerServerError
from broker.transport.memory import MemoryBus
from tests.timers import ManualTimers, settle
from tests.unit.node.nodes import QUICK, story

UNCOPIED = (number for number in range(3))


@service("posts")
class Posts:
    def __init__(self) -> None:
        self.made = 0
        self.fails = False

    async def make(self, ctx: Context) -> object:
        self.made += 1
        made = self.made
        await ctx.broker.timers.sleep(1.0)
        if self.fails:
            raise MoleculerServerError("no posts")
        return {"made": made, "tags": ["a"]}

    @action(cache={"keys": ["id"], "ttl_s": 10})
    async def get(self, ctx: Context) -> object:
        return await self.make(ctx)

    @action(cache=CacheOptions(keys=("id",), ttl_s=60, lock=CacheLock(stale_s=20)))
    async def fresh(self, ctx: Context) -> object:
        return await self.make(ctx)

    @action(cache={"keys": ["id"], "lock": True})
    async def locked(self, ctx: Context) -> object:
        return await self.make(ctx)

    @action(cache=True)
    async def rows(self, _ctx: Context) -> object:
        self.made += 1
        return self._rows()

    @action(cache=True)
    async def uncopied(self, _ctx: Context) -> object:
        self.made += 1
        return {"made": UNCOPIED}

    async def _rows(self):
        yield 1


@asynccontextmanager
async def kept(cacher: object = True, bus: MemoryBus | None = None):
    posts, timers = Posts(), ManualTimers()
    broker = Broker("a", bus, options=BrokerOptions(**QUICK, cacher=cacher), timers=timers)
    await broker.add(posts)
    async with broker:
        yield broker, posts, timers
    assert timers.waiting == []


async def get(broker: Broker, timers: ManualTimers, name: str = "get", **options) -> dict:
    call = asyncio.get_running_loop().create_task(broker.call(f"posts.{name}", {"id": 1}, **options))
    await timers.advance(1.0)
    return await call


@story
async def test_a_result_is_made_once_until_its_time_is_over():
    async with kept() as (broker, _, timers):
        made = [(await get(broker, timers))["made"] for _ in range(14)]
        assert made == [1] * 12 + [2] * 2
        assert await broker.cacher.keys() == ["posts.get:1"]


@story
async def test_who_changes_a_result_changes_it_for_nobody_else():
    async with kept() as (broker, _, timers):
        for _ in range(3):
            result = await get(broker, timers)
            assert result == {"made": 1, "tags": ["a"]}
            result["tags"].append("b")
            result["made"] = 7


@story
async def test_a_cacher_told_not_to_copy_hands_out_the_very_object():
    async with kept(MemoryCacher(clone_with=None)) as (broker, _, timers):
        assert await get(broker, timers) is await get(broker, timers)


@story
async def test_meta_asks_past_the_cache():
    async with kept() as (broker, posts, timers):
        for _ in range(2):
            await get(broker, timers, meta={"$cache": False})
        assert (posts.made, await broker.cacher.keys()) == (2, [])


@story
async def test_without_a_cacher_nothing_is_kept():
    async with kept(None) as (broker, posts, timers):
        for _ in range(2):
            await get(broker, timers)
        assert (posts.made, broker.cacher) == (2, None)


@story
async def test_calls_that_come_together_wait_for_one_result_where_a_lock_is_wanted():
    async with kept() as (broker, posts, timers):
        calls = [asyncio.get_running_loop().create_task(broker.call("posts.locked", {"id": 1})) for _ in range(5)]
        await timers.advance(1.0)
        results = await asyncio.gather(*calls)
        assert (posts.made, [each["made"] for each in results]) == (1, [1] * 5)


@story
async def test_a_call_that_is_given_up_or_fails_leaves_its_lock_to_the_next():
    async with kept() as (broker, posts, timers):
        posts.fails = True
        calls = [asyncio.get_running_loop().create_task(broker.call("posts.locked", {"id": 1})) for _ in range(4)]
        await settle()
        calls[0].cancel()  # it holds the lock
        calls[2].cancel()  # it waits for it
        await timers.advance(1.0)
        with pytest.raises(MoleculerServerError):
            await calls[1]
        posts.fails = False
        await timers.advance(1.0)
        assert (await calls[3])["made"] == 3


@story
async def test_a_stale_result_is_answered_at_once_and_made_anew_beside():
    async with kept() as (broker, posts, timers):
        await get(broker, timers, "fresh")
        await timers.advance(40.5)
        assert (await broker.call("posts.fresh", {"id": 1}))["made"] == 1
        assert (await broker.call("posts.fresh", {"id": 1}))["made"] == 1
        await timers.advance(1.0)
        assert posts.made == 2
        assert (await broker.call("posts.fresh", {"id": 1}))["made"] == 2


@story
async def test_a_stale_result_that_cannot_be_renewed_is_forgotten():
    async with kept() as (broker, posts, timers):
        await get(broker, timers, "fresh")
        await timers.advance(40.5)
        posts.fails = True
        assert (await broker.call("posts.fresh", {"id": 1}))["made"] == 1
        await timers.advance(1.0)
        assert await broker.cacher.keys() == []


@story
async def test_streams_and_what_cannot_be_copied_are_answered_and_not_kept():
    async with kept() as (broker, posts, _):
        for _ in range(2):
            assert [row async for row in await broker.call("posts.rows")] == [1]
            assert await broker.call("posts.uncopied") == {"made": UNCOPIED}
        assert (posts.made, await broker.cacher.keys()) == (4, [])


@story
async def test_cleaning_takes_patterns_and_a_reconnection_cleans_all():
    bus = MemoryBus()
    async with kept(bus=bus) as (broker, _, timers):
        cacher = broker.cacher
        for key in ("posts.get:1", "posts.get:2", "posts.list:", "users.get:1"):
            await cacher.set(key, key)
        await cacher.clean("posts.get:*", "none.**")
        assert await cacher.keys() == ["posts.list:", "users.get:1"]
        await cacher.delete("users.get:1")
        assert (await cacher.get("users.get:1"), await cacher.get("posts.list:")) == (ABSENT, "posts.list:")
        bus.come_back()
        await settle()
        assert await cacher.keys() == []
        await cacher.set("a", 1)
        await cacher.clean()
        assert await cacher.keys() == []
        await cacher.set("a", 1, 29.0)
        await timers.advance(30.0)
        assert await cacher.keys() == []


@story
async def test_a_full_cache_forgets_what_was_not_used_for_longest():
    async with kept(MemoryLruCacher(room=2)) as (broker, *_):
        cacher = broker.cacher
        await cacher.set("a", 1)
        await cacher.set("b", 2)
        await cacher.get("a")
        await cacher.set("c", 3)
        assert await cacher.keys() == ["a", "c"]


@pytest.mark.parametrize(
    ("meant", "kind"), [(True, MemoryCacher), ("Memory", MemoryCacher), ("memorylru", MemoryLruCacher)]
)
def test_a_cacher_is_found_by_name(meant, kind):
    assert type(resolve(meant)) is kind


def test_an_unknown_cacher_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match="cacher is 'Reddis', expected 'Memory', 'MemoryLRU' or a Cacher"):
        resolve("Reddis")


@pytest.mark.parametrize(
    ("number", "text"),
    [(1.0, "1"), (0.1, "0.1"), (-0.0, "0"), (1e21, "1e+21"), (1.5e-7, "1.5e-7"), (1e20, "1" + "0" * 20)],
)
def test_numbers_are_written_as_javascript_writes_them(number, text):
    assert number_text(number) == text
