"""A program of calls, answers and time, played to our node; ``js/tolerance.js`` plays it to MoleculerJS.

A program says everything in MoleculerJS's words: ``options`` of the broker (times in ms), ``own`` actions and
``ownEvents`` of the broker's one service, and ``steps``:

- ``call``: the broker calls an action. Calls of other nodes wait for
- ``answer``: one of the waiting requests (the one at the share ``pick`` of them) is answered, in ``outcome``'s way
  if ``roll`` is below its node's mood, else well.
- ``finish``: one of our own running handlers ends, likewise.
- ``request``, ``event``: another node asks for one of our actions, or emits an event for our handlers.
- ``mood``: from now on a node fails with this probability.
- ``come``, ``leave``: a node announces itself or goes. What it was asked is answered before, but for one request:
  of several that are rejected in one moment it depends on the length of promise chains which is tried again first.
- ``clean``: the cacher is cleaned.
- ``advance``: time passes.

After each step everything happens that needs no time. The trace has one entry a step: ``sent`` requests, ``ends`` of
calls, ``starts`` of handlers, ``told`` events, ``answers`` to others, each with the moment in ms; and the ``states``
of the circuit breakers and the ``keys`` in the cache after it.

Late answers: MoleculerJS forgets a request that timed out only when the error reaches the caller; when a retry or a
fallback answered instead, its breaker still counts what comes late. Ours never does. To compare all the rest, the
script forgets such requests.

Endpoint registered anew: MoleculerJS's breaker goes on judging an endpoint object that is gone (its node left and came
back), and cannot hold back the new one; ours begins anew with the endpoint. To compare all the rest, the script
forgets such items, unless ``keepStale`` says otherwise.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from broker.node import Broker, BrokerOptions, CircuitBreakerPolicy, Context, RetryPolicy, action, event, service
from broker.node import errors as node_errors
from broker.node.caching import Cacher, MemoryCacher, MemoryLruCacher
from broker.node.caching.clone import clone
from broker.node.caching.keys import key_014, key_015
from broker.node.context import ABSENT
from broker.node.endpoints import ActionEndpoint
from broker.node.errors import MoleculerError
from broker.node.options import BulkheadPolicy
from broker.transport.memory import MemoryBus
from tests.timers import ManualTimers, settle

JS = Path(__file__).parent / "js"
Program = dict[str, Any]
Trace = list[dict[str, Any]]


class Error(Exception):
    """What JavaScript calls a plain error."""


def play_javascript(version: str, program: Program) -> Trace:
    """What MoleculerJS does."""
    done = subprocess.run(
        ["node", "tolerance.js", version],
        cwd=JS,
        input=json.dumps(program),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    trace: Trace = json.loads(done.stdout)
    return trace


def play(version: str, program: Program) -> Trace:
    """What our node does."""
    return asyncio.run(_Player(version, program).play())


class _ClockOf:
    def __init__(self, timers: ManualTimers) -> None:
        self._timers = timers

    def now_ns(self) -> int:
        return round(self._timers.at_s * 1e9)

    def wall_step_ns(self) -> int:
        return 0


class _Player:
    def __init__(self, version: str, program: Program) -> None:
        self._program = program
        self._ver = "4" if version == "014" else "5"
        self._timers = ManualTimers()
        self._bus = MemoryBus(_ClockOf(self._timers))
        self._bus.add_sink(self)
        self._requests: list[dict[str, Any]] = []
        self._running: list[tuple[asyncio.Future[Any], Any]] = []
        self._moods: dict[str, float] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._fresh()

    async def play(self) -> Trace:
        options = _options(self._program["options"], version=self._ver)
        self._broker = broker = Broker("us", self._bus, options=options, timers=self._timers)
        await broker.add(self._service())
        await broker.start()
        await self._timers.advance(1.0)
        trace: Trace = []
        for step in self._program["steps"]:
            self._fresh()
            arguments = {key: value for key, value in step.items() if key != "do"}
            await getattr(self, step["do"])(**arguments)
            await settle()
            self._seen["ends"].sort(key=lambda end: end[:2])
            trace.append(json.loads(json.dumps(self._seen | {"states": self._states(), "keys": await self._keys()})))
        for waiting, _ in self._running:
            waiting.cancel()
        for task in self._calls:
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await broker.stop()
        return trace

    # steps

    async def call(self, n: int, action: str, params: Any = None, opts: dict[str, Any] | None = None) -> None:
        task = asyncio.get_running_loop().create_task(self._call(n, action, params or {}, opts or {}))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def answer(self, pick: float, roll: float, outcome: dict[str, Any]) -> None:
        if not self._requests:
            return
        request = self._requests.pop(int(pick * len(self._requests)))
        self._answer(request, outcome if roll < self._moods.get(request["target"], 0) else None)

    def _answer(self, request: dict[str, Any], outcome: dict[str, Any] | None) -> None:
        self._hear(
            "RES",
            sender=request["target"],
            id=request["id"],
            meta={},
            success=outcome is None,
            data=None if outcome else {"by": request["target"]},
            **({"error": {"nodeID": request["target"], **outcome}} if outcome else {}),
        )

    async def finish(self, pick: float, roll: float, outcome: dict[str, Any]) -> None:
        if not self._running:
            return
        waiting, n = self._running.pop(int(pick * len(self._running)))
        if roll >= self._moods.get("us", 0):
            waiting.set_result(outcome.get("result", {"n": n}))
        elif outcome["name"] == "Error":
            waiting.set_exception(Error(outcome["message"]))
        else:
            kind = getattr(node_errors, outcome["name"])
            waiting.set_exception(
                kind(outcome["message"], outcome.get("code"), outcome.get("type"), outcome.get("data"))
            )

    async def request(self, request_id: str, action: str, params: Any) -> None:
        about = {"meta": {}, "timeout": 0, "level": 1, "tracing": None, "parentID": None, "caller": None}
        self._hear(
            "REQ",
            sender="watch",
            id=request_id,
            action=action,
            params=params,
            requestID=request_id,
            stream=False,
            **about,
        )

    async def event(self, event_id: str, event: str, data: Any) -> None:
        about = {"meta": {}, "level": 1, "tracing": None, "parentID": None, "caller": None, "needAck": None}
        groups = {"groups": ["own"], "broadcast": False}
        self._hear("EVENT", sender="watch", id=event_id, event=event, data=data, requestID=event_id, **groups, **about)

    async def mood(self, node: str, fails: float) -> None:
        self._moods[node] = fails

    async def come(self, node: str, seq: int, services: list[Any]) -> None:
        about = {"config": {}, "ipList": [], "hostname": node, "client": {}, "metadata": {}}
        self._hear("INFO", sender=node, services=services, instanceID=f"{node}-{seq}", seq=seq, **about)

    async def leave(self, node: str) -> None:
        waiting = [request for request in self._requests if request["target"] == node]
        self._requests = [request for request in self._requests if request["target"] != node]
        for request in waiting[1:]:
            self._answer(request, None)
            await settle()
        self._hear("DISCONNECT", sender=node)

    async def clean(self, patterns: list[str]) -> None:
        assert self._broker.cacher is not None
        await self._broker.cacher.clean(*patterns)

    async def advance(self, ms: float) -> None:
        await self._timers.advance(ms / 1000)

    # what is seen

    def _fresh(self) -> None:
        self._seen: dict[str, Any] = {"sent": [], "ends": [], "starts": [], "told": [], "answers": []}

    @property
    def _now_ms(self) -> float:
        return round(self._timers.at_s * 1000, 6)

    def _hear(self, command: str, **packet: Any) -> None:
        channel = f"MOL.{command}" + ("" if command in ("INFO", "DISCONNECT") else ".us")
        self._bus.publish(channel.encode(), json.dumps({"ver": self._ver, **packet}).encode())

    async def _call(self, n: int, action_name: str, params: dict[str, Any], opts: dict[str, Any]) -> None:
        fallback = opts.get("fallbackResponse", ABSENT)
        if fallback == "FUNCTION":
            fallback = _instead
        try:
            result = await self._broker.call(
                action_name,
                {"n": n, **params},
                timeout_s=opts["timeout"] / 1000 if "timeout" in opts else None,
                retries=opts.get("retries"),
                node_id=opts.get("nodeID"),
                meta=opts.get("meta"),
                fallback_response=fallback,
            )
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the trace
            self._seen["ends"].append([self._now_ms, n, "failed", _fields(error)])
        else:
            self._seen["ends"].append([self._now_ms, n, "ok", result])

    async def _handle(self, name: str, ctx: Context) -> Any:
        self._seen["starts"].append([self._now_ms, name, ctx.params["n"]])
        waiting = asyncio.get_running_loop().create_future()
        self._running.append((waiting, ctx.params["n"]))
        return await waiting

    def feed(self, at_ns: int, messages: list[tuple[bytes, bytes]]) -> None:
        """What is published, by us or by the program."""
        at_ms = round(at_ns / 1e6, 6)
        for channel, body in messages:
            packet = json.loads(body)
            if packet["sender"] != "us":
                continue
            _, command, target = (channel.decode() + ".").split(".", 2)
            self._take(at_ms, command, target.removesuffix("."), packet)

    def _take(self, at_ms: float, command: str, target: str, packet: dict[str, Any]) -> None:
        if command == "REQ":
            self._requests.append({"id": packet["id"], "target": target})
            row = [at_ms, target, packet["action"], packet["timeout"] or 0, packet["level"]]
            self._seen["sent"].append(row)
        elif command == "EVENT":
            self._seen["told"].append([at_ms, target, packet["event"], packet["data"], packet["broadcast"]])
        elif command == "RES":
            error = packet.get("error")
            told = error and {key: error.get(key) for key in _FIELDS} | {"retryable": bool(error.get("retryable"))}
            self._seen["answers"].append([at_ms, packet["id"], packet["success"], told])

    def _states(self) -> dict[str, Any]:
        return {
            f"{each.endpoint.node.id}:{each.endpoint.action.name}": [
                each.state,
                each.count,
                each.failures,
                each.endpoint.state,
            ]
            for each in self._broker.breakers.circuits()
        }

    async def _keys(self) -> list[str]:
        return sorted(await self._broker.cacher.keys()) if self._broker.cacher is not None else []

    def _service(self) -> object:
        members: dict[str, Any] = {}
        for name, schema in self._program.get("own", {}).items():
            members[name] = _as_action(name, schema)(self._handler(name))
        for name, schema in self._program.get("ownEvents", {}).items():
            members[f"on_{name}"] = event(name, **_bulkhead(schema))(self._handler(name))
        return service("own")(type("Own", (), members))()

    def _handler(self, name: str) -> Any:
        async def handler(_own: object, ctx: Context) -> Any:
            return await self._handle(name, ctx)

        return handler


def _instead(ctx: Context, error: Exception) -> dict[str, Any]:
    assert isinstance(ctx.endpoint, ActionEndpoint)
    return {"instead": ctx.endpoint.action.name, "of": _fields(error)["name"]}


def _as_action(name: str, schema: dict[str, Any]) -> Any:
    cache = schema.get("cache")
    if name == "asked":
        cache = {**cache, "enabled": lambda ctx: ctx.params.get("use") is not False}
    return action(name, cache=cache, timeout_s=0.0, **_bulkhead(schema))


def _bulkhead(schema: dict[str, Any]) -> dict[str, Any]:
    return {"bulkhead": BulkheadPolicy().overlaid(schema["bulkhead"])} if "bulkhead" in schema else {}


def _options(options: Program, *, version: str) -> BrokerOptions:
    """MoleculerJS's options as ours."""
    registry = options.get("registry", {})
    return BrokerOptions(
        protocols=(version,),
        request_timeout_s=options.get("requestTimeout", 0) / 1000,
        retry=RetryPolicy().overlaid(options.get("retryPolicy")),
        circuit_breaker=CircuitBreakerPolicy().overlaid(options.get("circuitBreaker")),
        bulkhead=BulkheadPolicy().overlaid(options.get("bulkhead")),
        cacher=_cacher(options["cacher"], version) if "cacher" in options else None,
        prefer_local=registry.get("preferLocal", True),
        heartbeat_interval_s=0.0,
        settle_s=0.0,
        info_delay_s=0.0,
        hostname="us",
        ip_list=(),
    )


def _cacher(said: Program, version: str) -> Cacher:
    options = said.get("options", {})
    ours: dict[str, Any] = {"ttl_s": options.get("ttl"), "clone_with": clone if options.get("clone") else None}
    if version == "4":
        ours["keygen"] = partial(key_014, max_params_length=options.get("maxParamsLength"))
        ours["missing_response"] = None
    else:
        ours["keygen"] = partial(key_015, max_params_length=options.get("maxParamsLength"))
        ours["missing_response"] = options.get("missingResponse", ABSENT)
    if said["type"] == "MemoryLRU":
        return MemoryLruCacher(room=options["max"], **ours)
    return MemoryCacher(**ours)


_FIELDS = ("name", "message", "code", "type", "data", "nodeID")


def _fields(error: Exception) -> dict[str, Any]:
    """An error as the script shows it."""
    if isinstance(error, MoleculerError):
        return {
            "name": error.name,
            "message": error.message,
            "code": error.code,
            "type": error.type,
            "retryable": bool(error.retryable),
            "data": error.data,
            "nodeID": error.node_id,
        }
    about = {"code": None, "type": None, "retryable": False, "data": None, "nodeID": None}
    return {"name": type(error).__name__, "message": str(error)} | about
