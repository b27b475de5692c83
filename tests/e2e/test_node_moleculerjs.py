"""Our node and MoleculerJS 0.14 and 0.15 in one mesh on a real Redis: both ways."""

import asyncio
import itertools
import json
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from broker.demo.bus import RedisBus
from broker.node import Broker, BrokerOptions, Context, action, event, service
from broker.node.errors import (
    MoleculerClientError,
    MoleculerError,
    MoleculerRetryableError,
    MoleculerServerError,
    RemoteError,
    RequestTimeoutError,
    ServiceNotFoundError,
    ValidationError,
)
from broker.node.middleware import Middleware

JS = Path(__file__).parent / "js"
PATIENCE_S = 10.0
NAMESPACES = (f"my.mesh-{number}" for number in itertools.count())

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (JS / "node_modules").is_dir(), reason="needs Node.js and MoleculerJS"
)


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    bus = RedisBus()
    bus.begin()
    bus.wait()
    yield bus.url
    bus.end()


class RefusedError(Exception):
    """What MoleculerJS caught.

    Attributes:
        error: Its fields.
    """

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.error = error


class Peer:
    """A MoleculerJS node in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    def kill(self) -> None:
        """It says good-bye to nobody."""
        self._process.kill()

    async def read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            answer = json.loads(line)
            if "n" in answer:
                self._answers.pop(answer["n"]).set_result(answer)

    async def ask(self, do: str, **command: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"n": number, "do": do, **command}).encode() + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            said = await answer
        if "error" in said:
            raise RefusedError(said["error"])
        return said

    async def call(self, action_name: str, params: Any = None, **opts: Any) -> Any:
        return (await self.ask("call", action=action_name, params=params or {}, opts=opts))["ok"]

    async def heard(self, count: int) -> list[dict[str, Any]]:
        """Its next events."""
        got: list[dict[str, Any]] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(got) < count:
                got += (await self.ask("heard"))["ok"]
        return got


@service("py", version=1, settings={"page": 3}, metadata={"team": "py"})
class Py:
    """What MoleculerJS calls."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.flaky_calls = 0

    @action()
    async def echo(self, ctx: Context) -> Any:
        return ctx.params

    @action(params={"a": "number|optional"}, cache={"keys": ["a"], "ttl_s": 5})
    async def seen(self, ctx: Context) -> dict[str, Any]:
        ctx.meta["fromPy"] = True
        return {
            "id": ctx.id,
            "level": ctx.level,
            "requestID": ctx.request_id,
            "parentID": ctx.parent_id,
            "caller": ctx.caller,
            "nodeID": ctx.node_id,
            "meta": ctx.meta,
            "headers": ctx.headers,
            "timeout": None if ctx.timeout_s is None else ctx.timeout_s * 1000,
        }

    @action()
    async def fail(self, ctx: Context) -> None:
        classes = {
            each.__name__: each
            for each in (MoleculerError, MoleculerClientError, MoleculerServerError, MoleculerRetryableError)
        }
        wanted = ctx.params
        if wanted["name"] == "ValidationError":
            raise ValidationError("Parameters validation error!", data=wanted["data"])
        if wanted["name"] not in classes:
            raise KeyError(wanted["message"])
        raise classes[wanted["name"]](wanted["message"], wanted["code"], wanted["type"], wanted["data"])

    @action()
    async def slow(self, ctx: Context) -> str:
        await asyncio.sleep(ctx.params["ms"] / 1000)
        return "late"

    @action()
    async def flaky(self, _ctx: Context) -> int:
        self.flaky_calls += 1
        if self.flaky_calls % 3:
            raise MoleculerRetryableError("not yet", 503, "NOT_YET")
        return self.flaky_calls

    @action()
    async def chain(self, ctx: Context) -> Any:
        ctx.meta["chained"] = ctx.meta.get("chained", 0) + 1
        return await ctx.call(ctx.params["action"], ctx.params.get("params", {}))

    @action()
    def rows(self, ctx: Context) -> AsyncIterator[dict[str, int]]:
        return self._rows(ctx.params["n"], ctx.params.get("failing", False))

    @action("bytes")
    def give_bytes(self, ctx: Context) -> AsyncIterator[bytes]:
        return self._bytes(ctx.params["n"])

    @action()
    async def size(self, ctx: Context) -> dict[str, Any]:
        size = sum([len(chunk) async for chunk in ctx.chunks()])
        return {"size": size, "name": (ctx.params or {}).get("name"), "meta": ctx.meta}

    @action("list")
    async def list_rows(self, ctx: Context) -> list[Any]:
        return [row async for row in ctx.chunks()]

    @event("js.*")
    async def on_js(self, ctx: Context) -> None:
        self.heard.append(
            {"name": ctx.event_name, "data": ctx.params, "node": ctx.node_id, "meta": ctx.meta, "kind": ctx.event_kind}
        )

    @event("grouped.thing", group="shared")
    async def on_grouped(self, ctx: Context) -> None:
        self.heard.append({"name": ctx.event_name, "data": ctx.params})

    async def _rows(self, n: int, failing: bool) -> AsyncIterator[dict[str, int]]:
        for i in range(n):
            yield {"i": i}
        if failing:
            raise MoleculerError("torn", 500, "TORN", {"n": n})

    async def _bytes(self, n: int) -> AsyncIterator[bytes]:
        yield b"a" * n


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.01)


class Mesh:
    """One node of ours and one or more of theirs."""

    def __init__(self, broker: Broker, py: Py, peers: dict[str, Peer]) -> None:
        self.broker = broker
        self.py = py
        self.peers = peers
        self.js = next(iter(peers.values()))

    async def py_heard(self, count: int) -> list[dict[str, Any]]:
        await until(lambda: len(self.py.heard) >= count)
        return self.py.heard


@asynccontextmanager
async def mesh(
    url: str,
    *versions: str,
    serializer: str = "JSON",
    transmit: Any = (),
    middlewares: Sequence[Middleware] = (),
    **more: Any,
) -> AsyncIterator[Mesh]:
    """A mesh whose nodes know each other.

    Args:
        url: Of the server.
        versions: Of MoleculerJS, one node each.
        serializer: Of all nodes.
        transmit: MoleculerJS's middlewares, as ``js/peer.js`` takes them.
        middlewares: The same for ours.
        more: Further options of our broker.
    """
    namespace, py = next(NAMESPACES), Py()
    options = BrokerOptions(
        protocols=("4",) if versions == ("014",) else ("5",),
        settle_s=0.05,
        heartbeat_interval_s=2,
        middlewares=middlewares,
        **more,
    )
    async with asyncio.TaskGroup() as tasks:
        processes, peers, readers = [], {}, []
        for version in versions:
            process = await asyncio.create_subprocess_exec(
                *("node", "peer.js", version, f"js.node-{version}", namespace, url, serializer),
                json.dumps(transmit),
                cwd=JS,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                limit=64 * 1024 * 1024,
            )
            processes.append(process)
        for process, version in zip(processes, versions, strict=True):
            assert process.stdout is not None
            assert json.loads(await process.stdout.readline()) == {"ready": True}
            peers[version] = Peer(process)
            readers.append(tasks.create_task(peers[version].read()))
        try:
            async with Broker("py.node-1", url, namespace, serializer, options=options) as broker:
                await broker.add(py)
                await all_know_each_other(broker, peers)
                yield Mesh(broker, py, peers)
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                await process.wait()
            for reader in readers:
                await reader


async def all_know_each_other(broker: Broker, peers: dict[str, Peer]) -> None:
    expected = {f"js.node-{version}" for version in peers}
    await until(lambda: {node.id for node, offered in broker.registry.services() if offered.name == "js"} == expected)
    for peer in peers.values():
        await peer.ask("wait", services=["v1.py"])


both = pytest.mark.parametrize(
    ("version", "serializer"), [("014", "JSON"), ("015", "JSON"), ("014", "MsgPack"), ("015", "MsgPack")]
)


def run(story: Any) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await story

    asyncio.run(limited())


@both
def test_values_cross_unchanged_both_ways(redis_url: str, version: str, serializer: str) -> None:
    values = [{"a": 1, "b": None, "c": [True, 1.5, "é😀", {"deep": [1, [2, [3]]]}]}, [1, 2], "text", 7, False, None]

    async def story() -> None:
        async with mesh(redis_url, version, serializer=serializer) as m:
            for value in values:
                assert await m.broker.call("v3.js.echo", value) == value
                said = await m.js.ask("call", action="v1.py.echo", params=value)
                assert said["ok"] == value
            answers = await asyncio.gather(*(m.broker.call("v3.js.echo", {"i": i}) for i in range(500)))
            assert [answer["i"] for answer in answers] == list(range(500))
            assert (await m.js.ask("many", action="v1.py.echo", count=500))["ok"] == 500

    run(story())


@both
def test_a_nested_call_carries_level_ids_caller_meta_and_what_is_left_of_the_time(
    redis_url: str, version: str, serializer: str
) -> None:
    async def story() -> None:
        async with mesh(redis_url, version, serializer=serializer) as m:
            meta: dict[str, Any] = {"user": {"id": 7}}
            chain = {"action": "v1.py.chain", "params": {"action": "v3.js.seen", "params": {"a": 1}}}
            seen = await m.broker.call("v3.js.chain", chain, meta=meta, timeout_s=5.0)
            assert (seen["level"], seen["caller"], seen["nodeID"]) == (3, "v1.py", "py.node-1")
            assert 3000 < seen["timeout"] < 5000
            assert meta == {"user": {"id": 7}, "chained": 2, "fromJs": True}
            chain = {"action": "v3.js.chain", "params": {"action": "v1.py.seen"}}
            said = await m.js.ask("call", action="v1.py.chain", params=chain, opts={"meta": {"m": 1}, "timeout": 5000})
            seen = said["ok"]
            assert (seen["level"], seen["caller"], seen["nodeID"]) == (3, "v3.js", f"js.node-{version}")
            assert seen["parentID"] not in (None, seen["requestID"])
            assert 3000 < seen["timeout"] < 5000
            assert said["meta"]["chained"] == 2
            assert said["meta"]["fromPy"] is True

    run(story())


def test_headers_belong_to_one_call_in_version_5(redis_url: str) -> None:
    async def story() -> None:
        async with mesh(redis_url, "015") as m:
            seen = await m.broker.call("v3.js.seen", {}, headers={"h": "1"})
            assert seen["headers"] == {"h": "1"}
            seen = await m.js.call("v1.py.seen", {}, headers={"h": "2"})
            assert seen["headers"] == {"h": "2"}

    run(story())


ERRORS = [
    {"name": "MoleculerError", "message": "a", "code": 500, "type": "A", "data": {"k": [1]}},
    {"name": "MoleculerClientError", "message": "b", "code": 409, "type": "CONFLICT", "data": None},
    {"name": "MoleculerServerError", "message": "c", "code": 502, "type": "C", "data": {"x": None}},
]


@both
def test_errors_arrive_with_class_code_type_data_retryable_and_origin(
    redis_url: str, version: str, serializer: str
) -> None:
    async def story() -> None:
        async with mesh(redis_url, version, serializer=serializer) as m:
            for wanted in ERRORS:
                with pytest.raises(MoleculerError) as caught:
                    await m.broker.call("v3.js.fail", wanted, retries=0)
                ours = caught.value
                got = {"name": type(ours).__name__, "message": ours.message, "code": ours.code}
                assert got | {"type": ours.type, "data": ours.data} == wanted
                assert (ours.node_id, ours.retryable) == (f"js.node-{version}", "Server" in wanted["name"])
                with pytest.raises(RefusedError) as refused:
                    await m.js.call("v1.py.fail", wanted, retries=0)
                theirs = refused.value.error
                assert {key: theirs.get(key) for key in wanted} == wanted
                assert (theirs["nodeID"], theirs["retryable"]) == ("py.node-1", "Server" in wanted["name"])
            with pytest.raises(RemoteError, match="boom") as plain:
                await m.broker.call("v3.js.fail", {"name": "Plain", "message": "boom"})
            assert (plain.value.name, plain.value.code) == ("TypeError", None)
            with pytest.raises(RefusedError, match="boom") as refused:
                await m.js.call("v1.py.fail", {"name": "Plain", "message": "boom"})
            assert refused.value.error["name"] == "KeyError"
            with pytest.raises(ValidationError) as invalid:
                await m.broker.call("v3.js.valid", {"id": -1})
            assert (invalid.value.code, invalid.value.data[0]["field"]) == (422, "id")
            wrong = [{"type": "number", "field": "id", "message": "no"}]
            with pytest.raises(RefusedError) as refused:
                await m.js.call("v1.py.fail", {"name": "ValidationError", "data": wrong})
            assert (refused.value.error["name"], refused.value.error["data"]) == ("ValidationError", wrong)

    run(story())


@both
def test_an_error_from_the_far_end_of_a_chain_keeps_its_origin(redis_url: str, version: str, serializer: str) -> None:
    async def story() -> None:
        async with mesh(redis_url, version, serializer=serializer) as m:
            chain = {"action": "v3.js.fail", "params": ERRORS[1]}
            with pytest.raises(RefusedError) as refused:
                await m.js.call("v1.py.chain", chain)
            assert refused.value.error["nodeID"] == f"js.node-{version}"
            with pytest.raises(MoleculerClientError) as caught:
                await m.broker.call("v3.js.chain", {"action": "v1.py.fail", "params": ERRORS[1]})
            assert caught.value.node_id == "py.node-1"

    run(story())


@both
def test_unknown_actions_timeouts_and_retries(redis_url: str, version: str, serializer: str) -> None:
    async def story() -> None:
        async with mesh(redis_url, version, serializer=serializer) as m:
            with pytest.raises(ServiceNotFoundError):
                await m.broker.call("v3.js.nothing")
            with pytest.raises(RefusedError) as refused:
                await m.js.call("v1.py.nothing")
            assert refused.value.error["type"] == "SERVICE_NOT_FOUND"
            begun_s = time.monotonic()
            with pytest.raises(RequestTimeoutError):
                await m.broker.call("v3.js.slow", {"ms": 5000}, timeout_s=0.2)
            with pytest.raises(RefusedError) as refused:
                await m.js.call("v1.py.slow", {"ms": 5000}, timeout=200, retries=0)
            assert refused.value.error["code"] == 504
            assert time.monotonic() - begun_s < 3
            assert await m.js.call("v1.py.flaky") == 3

    run(story())


@both
def test_streams_both_ways(redis_url: str, version: str, serializer: str) -> None:
    megabytes = 3 * 1024 * 1024

    async def rows() -> AsyncIterator[dict[str, int]]:
        for i in range(40):
            yield {"i": i}

    async def chunks() -> AsyncIterator[bytes]:
        yield b"b" * megabytes

    async def story() -> None:
        async with mesh(redis_url, version, serializer=serializer) as m:
            expected = [{"i": i} for i in range(40)]
            assert [row async for row in await m.broker.call("v3.js.rows", {"n": 40})] == expected
            assert (await m.js.ask("drain", action="v1.py.rows", params={"n": 40}))["ok"]["rows"] == expected
            got = [len(chunk) async for chunk in await m.broker.call("v3.js.bytes", {"n": megabytes})]
            assert sum(got) == megabytes
            assert (await m.js.ask("drain", action="v1.py.bytes", params={"n": megabytes}))["ok"]["size"] == megabytes
            assert await m.broker.call("v3.js.list", stream=rows()) == expected
            sent = await m.broker.call("v3.js.size", {"name": "n"}, stream=chunks(), meta={"m": 1})
            name = "n" if version == "015" else None
            assert (sent["size"], sent["name"], sent["meta"]["m"]) == (megabytes, name, 1)
            assert (await m.js.ask("send", action="v1.py.list", rows=expected))["ok"] == expected
            command = {"bytes": megabytes, "params": {"name": "n"}, "meta": {"m": 1}}
            received = (await m.js.ask("send", action="v1.py.size", **command))["ok"]
            assert (received["size"], received["name"], received["meta"]) == (megabytes, name, {"m": 1})
            torn = await m.broker.call("v3.js.rows", {"n": 2, "failing": True})
            assert [await anext(torn), await anext(torn)] == expected[:2]
            with pytest.raises(MoleculerError, match="torn"):
                await anext(torn)

    run(story())


@both
def test_events_both_ways(redis_url: str, version: str, serializer: str) -> None:
    async def story() -> None:
        async with mesh(redis_url, version, serializer=serializer) as m:
            await m.broker.emit("py.one", {"n": 1}, meta={"m": 1})
            await m.broker.broadcast("py.two", None)
            first, second = await m.js.heard(2)
            assert (first["name"], first["type"], first["data"], first["meta"]) == (
                "py.one",
                "emit",
                {"n": 1},
                {"m": 1},
            )
            assert (first["nodeID"], first["caller"], first["level"]) == ("py.node-1", None, 1)
            assert (second["name"], second["type"]) == ("py.two", "broadcast")
            await m.js.ask("emit", event="js.one", data={"n": 1}, opts={"meta": {"m": 2}})
            await m.js.ask("broadcast", event="js.two", data=[1])
            ours = await m.py_heard(2)
            assert ours == [
                {"name": "js.one", "data": {"n": 1}, "node": f"js.node-{version}", "meta": {"m": 2}, "kind": "emit"},
                {"name": "js.two", "data": [1], "node": f"js.node-{version}", "meta": {}, "kind": "broadcast"},
            ]
            m.py.heard.clear()
            # a group of one node of ours and one of theirs: each emit reaches one of them
            for n in range(6):
                await m.broker.emit("grouped.thing", n)
            assert [each["data"] for each in await m.py_heard(6)] == list(range(6))  # ours come first
            for n in range(6):
                await m.js.ask("emit", event="grouped.thing", data=n)
            assert [each["data"] for each in await m.js.heard(6)] == list(range(6))  # and theirs there

    run(story())


@both
def test_moleculerjs_sees_our_node_as_one_of_its_own(redis_url: str, version: str, serializer: str) -> None:
    async def story() -> None:
        async with mesh(redis_url, version, serializer=serializer) as m:
            nodes = {node["id"]: node for node in await m.js.call("$node.list")}
            ours = nodes["py.node-1"]
            assert ours["available"] is True
            assert ours["client"]["type"] == "python"
            assert ours["hostname"] == socket.gethostname()
            (listed,) = [s for s in await m.js.call("$node.services", {"withActions": True}) if s["name"] == "py"]
            assert (listed["version"], listed["fullName"], listed["settings"]) == (1, "v1.py", {"page": 3})
            assert listed["actions"]["v1.py.seen"] == {
                "params": {"a": "number|optional"},
                "cache": {"keys": ["a"], "ttl": 5},
                "rawName": "seen",
                "name": "v1.py.seen",
            }
            theirs = await m.js.call("$node.services", {"withActions": True}, nodeID="py.node-1")
            own = await m.js.call("$node.services", {"withActions": True})
            for name in ("v3.js", "v1.py"):
                one, other = ({s["fullName"]: s for s in each}[name] for each in (theirs, own))
                one.pop("local"), other.pop("local")
                assert one == other
            assert set(await m.js.call("$node.health", {}, nodeID="py.node-1")) == set(await m.js.call("$node.health"))
            pong = (await m.js.ask("ping", node="py.node-1"))["ok"]
            assert pong["nodeID"] == "py.node-1"
            pong = await m.broker.ping(f"js.node-{version}")
            assert pong is not None
            assert abs(pong["timeDiff"]) < 1000

    run(story())


def test_one_python_node_serves_both_versions_in_one_mesh(redis_url: str) -> None:
    async def story() -> None:
        async with mesh(redis_url, "015", "014") as m:
            for version, peer in m.peers.items():
                assert await peer.call("v1.py.echo", {"v": version}) == {"v": version}
                seen = await m.broker.call("v3.js.seen", {}, node_id=f"js.node-{version}")
                assert seen["nodeID"] == "py.node-1"
            await m.broker.broadcast("py.all", 1)
            assert [(await peer.heard(1))[0]["name"] for peer in m.peers.values()] == ["py.all", "py.all"]
            await asyncio.sleep(7)  # longer than their heartbeat timeout: both must have heard our heartbeats
            for peer in m.peers.values():
                (ours,) = [node for node in await peer.call("$node.list") if node["id"] == "py.node-1"]
                assert ours["available"] is True

    run(story())


def test_a_node_that_leaves_is_gone_at_once_on_the_other_side(redis_url: str) -> None:
    async def story() -> None:
        async with mesh(redis_url, "015") as m:
            waiting = asyncio.create_task(m.broker.call("v3.js.slow", {"ms": 60_000}))
            await asyncio.sleep(0.1)
            await m.js.ask("stop")
            with pytest.raises(MoleculerError) as caught:
                await waiting
            assert caught.value.type == "REQUEST_REJECTED"
            with pytest.raises(MoleculerError, match="not available"):
                await m.broker.call("v3.js.echo", {})

    run(story())
