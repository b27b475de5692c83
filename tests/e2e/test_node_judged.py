"""What our node decides, beside what MoleculerJS decides in the same case: merging, hooks, rings, wildcards."""

import asyncio
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from broker.node import Broker, BrokerOptions
from broker.node.context import Context
from broker.node.definitions import ActionDefinition, ServiceDefinition
from broker.node.endpoints import ActionEndpoint, EndpointList
from broker.node.matching import matches
from broker.node.nodes import NodeEntry
from broker.node.schema import with_mixins
from broker.node.strategies import Shard

JS = Path(__file__).parent / "js"

pytestmark = pytest.mark.usefixtures("moleculerjs")
both = pytest.mark.parametrize("version", ["014", "015"])


def judge(version: str, cases: list[dict[str, Any]]) -> list[Any]:
    done = subprocess.run(
        ["node", "judge.js", version], cwd=JS, input=json.dumps(cases).encode(), stdout=subprocess.PIPE, check=True
    )
    verdicts: list[Any] = json.loads(done.stdout)
    return verdicts


class Function:
    """Stands for a function of a schema."""

    def __init__(self, written: dict[str, Any], said: list[Any] | None = None) -> None:
        self.written = written
        self.said = said

    def __call__(self, _self: object, _ctx: object, *rest: Any) -> Any:
        return self.ran(*rest)

    def ran(self, *rest: Any) -> Any:
        assert self.said is not None
        shown = [f"error {each}" if isinstance(each, Exception) else each for each in rest]
        self.said.append([self.written["$fn"], shown])
        if self.written.get("raises"):
            raise ValueError(self.written["$fn"])
        return self.written.get("gives")


class Handler(Function):
    """Stands for what runs an action."""

    def __call__(self, _self: object, _ctx: object) -> Any:  # type: ignore[override]
        return self.ran()


def thawed(value: Any, said: list[Any] | None = None) -> Any:
    if isinstance(value, list):
        return [thawed(each, said) for each in value]
    if isinstance(value, dict):
        if "$fn" in value:
            return (Handler if value["$fn"].startswith("handler") else Function)(value, said)
        return {key: thawed(each, said) for key, each in value.items()}
    return value


def frozen(value: Any) -> Any:
    if isinstance(value, Function):
        return {"$fn": value.written["$fn"]}
    if isinstance(value, list):
        return [frozen(each) for each in value]
    if isinstance(value, dict):
        return {key: frozen(each) for key, each in value.items()}
    return value


class Dice:
    """Makes schemas up."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._count = 0

    def function(self) -> dict[str, str]:
        self._count += 1
        return {"$fn": f"f{self._count}"}

    def one(self, *choices: Any) -> Any:
        chosen = self._random.choice(choices)
        return chosen() if callable(chosen) else chosen

    def some(self, keys: str, make: Any) -> dict[str, Any]:
        return {key: make() for key in keys if self._random.random() < 0.6}

    def functions(self) -> Any:
        return self.one(self.function, lambda: [self.function() for _ in range(self._random.randint(1, 3))])

    def plain(self, depth: int = 0) -> Any:
        if depth > 2:
            return self.one(1, "x", None, True)
        return self.one(
            1, "x", None, True,
            lambda: [self.plain(depth + 1) for _ in range(self._random.randint(0, 3))],
            lambda: self.some("ab", lambda: self.plain(depth + 1)),
        )  # fmt: skip

    def settings(self) -> dict[str, Any]:
        settings = self.some("abc", self.plain)
        if self._random.random() < 0.3:
            settings["$secureSettings"] = self.one([], ["a"], ["b", "c"])
        return settings

    def hooks(self) -> dict[str, Any]:
        return {
            kind: self.some("*ab", self.functions)
            for kind in self.one(["before"], ["after", "error"], ["before", "after"])
        }

    def action(self) -> Any:
        whole = {"handler": self.function(), "cache": self.plain(1)}
        hooks = {kind: self.functions() for kind in self.one(["before"], ["before", "after", "error"])}
        return self.one(self.function, lambda: whole, lambda: whole | {"hooks": hooks}, lambda: {"timeout": 5})

    def event(self) -> Any:
        return self.one(self.function, lambda: {"group": self.one("g", "h"), "handler": self.functions()})

    def schema(self, depth: int = 0) -> dict[str, Any]:
        parts = {
            "name": lambda: self.one("s", "t"),
            "version": lambda: self.one(1, "v"),
            "settings": self.settings,
            "metadata": lambda: self.some("ab", self.plain),
            "hooks": self.hooks,
            "actions": lambda: self.some("abc", self.action),
            "events": lambda: self.some("ab", self.event),
            "methods": lambda: self.some("ab", self.function),
            "created": self.functions,
            "started": self.functions,
            "merged": self.functions,
            "dependencies": lambda: self.one("x", ["x", "y"], [{"name": "x", "version": 1}, "y"]),
            "custom": self.plain,
        }
        schema = {key: make() for key, make in parts.items() if self._random.random() < 0.6}
        if depth < 2 and self._random.random() < (0.9 if depth == 0 else 0.4):
            mixin = lambda: self.schema(depth + 1)  # noqa: E731
            schema["mixins"] = self.one(mixin, lambda: [mixin() for _ in range(self._random.randint(1, 3))])
        return schema


@both
def test_mixins_are_merged_as_moleculerjs_merges_them(version: str) -> None:
    schemas = [Dice(seed).schema() for seed in range(400)]
    verdicts = judge(version, [{"ask": "merge", "schema": schema} for schema in schemas])
    for schema, verdict in zip(schemas, verdicts, strict=True):
        ours = frozen(with_mixins(thawed(schema)))
        for each in (ours, verdict):
            each.pop("mixins", None)
        assert json.loads(json.dumps(ours)) == verdict


@both
def test_actions_that_a_schema_takes_away_are_gone(version: str) -> None:
    schema = {
        "name": "s",
        "actions": {"a": False},
        "mixins": [{"actions": {"a": {"$fn": "f"}, "b": {"$fn": "g"}}}],
    }
    (verdict,) = judge(version, [{"ask": "merge", "schema": schema}])
    assert [*verdict["actions"]] == [*with_mixins(thawed(schema))["actions"]] == ["b"]


def hooked(seed: int) -> dict[str, Any]:
    chance, names = random.Random(seed), iter(range(1000))

    def function(kind: str) -> dict[str, Any]:
        return {
            "$fn": f"{kind} {next(names)}",
            "gives": chance.choice([1, "r", None]),
            "raises": chance.random() < 0.15,
        }

    def functions(kind: str) -> Any:
        return function(kind) if chance.random() < 0.5 else [function(kind) for _ in range(chance.randint(1, 2))]

    def of_kinds(keys: list[str]) -> dict[str, Any]:
        return {
            kind: {key: functions(kind) for key in keys if chance.random() < 0.5}
            for kind in ("before", "after", "error")
        }

    def of_action() -> dict[str, Any]:
        return {kind: functions(kind) for kind in ("before", "after", "error") if chance.random() < 0.6}

    return {
        "name": "s",
        "hooks": of_kinds(["*", "find", "get|find", "f*", "g?t", "**"]),
        "actions": {name: {"handler": function("handler"), "hooks": of_action()} for name in ("find", "get")},
    }


async def run_hooked(schema: dict[str, Any]) -> list[dict[str, Any]]:
    said: list[Any] = []
    results = []
    async with Broker("judge", options=BrokerOptions(internal_services=False)) as broker:
        await broker.add(thawed(schema, said))
        for action in ("s.find", "s.get"):
            said.clear()
            try:
                result = {"ok": await broker.call(action)}
            except ValueError as error:
                result = {"error": str(error)}
            results.append({"said": list(said)} | result)
    return results


@both
def test_hooks_run_in_moleculerjs_order_with_its_results_and_errors(version: str) -> None:
    schemas = [hooked(seed) for seed in range(300)]
    cases = [{"ask": "hooks", "schema": schema, "actions": ["s.find", "s.get"]} for schema in schemas]
    for schema, verdict in zip(schemas, judge(version, cases), strict=True):
        assert asyncio.run(run_hooked(schema)) == verdict


def ring(options: dict[str, Any], nodes: list[str]) -> EndpointList[ActionEndpoint]:
    async def unused(_ctx: Context) -> None: ...

    endpoints: EndpointList[ActionEndpoint] = EndpointList("a.b", "", Shard(options), prefer_local=True)
    service, action = ServiceDefinition("a", None, "a"), ActionDefinition("a.b", {})
    for node_id in nodes:
        endpoints.add(ActionEndpoint(NodeEntry(node_id), service, action, unused))
    return endpoints


@both
def test_a_key_goes_to_the_node_to_which_moleculerjs_sends_it(version: str) -> None:
    keys = [
        *range(-50, 300),
        *(f"user-{n}" for n in range(300)),
        1.5,
        1e21,
        1e-7,
        True,
        False,
        "é😀",
        "",
        [1, None, "x"],
    ]
    cases: list[dict[str, Any]] = []
    for options in ({}, {"vnodes": 3}, {"ringSize": 97}, {"vnodes": 50, "ringSize": 10_000}, {"cacheSize": 1}):
        for nodes in (["a", "b"], ["node-10", "node-9", "Node-1", "é", "z" * 40], [f"n{i}" for i in range(23)]):
            by_params = [{"params": {"user": {"id": key}}, "meta": {}} for key in keys]
            cases.append(
                {"ask": "shard", "options": {"shardKey": "user.id"} | options, "nodes": nodes, "contexts": by_params}
            )
            by_meta = [{"params": {}, "meta": {"tenant": key}} for key in keys]
            cases.append(
                {"ask": "shard", "options": {"shardKey": "#tenant"} | options, "nodes": nodes, "contexts": by_meta}
            )
    broker = Broker("me")
    for case, verdict in zip(cases, judge(version, cases), strict=True):
        endpoints = ring(case["options"], case["nodes"])
        for said, node_id in zip(case["contexts"], verdict, strict=True):
            ctx = Context.fresh(broker, said["params"])
            ctx.meta = said["meta"]
            chosen = endpoints.next(ctx)
            assert chosen is not None
            assert chosen.node.id == node_id, (case["options"], case["nodes"], said)


@both
def test_wildcards_match_what_they_match_in_moleculerjs(version: str) -> None:
    chance = random.Random(1)
    parts = ["a", "b", ".", "*", "**", "?", "$", "ab", ".c"]

    def made(parts: list[str], most: int) -> str:
        return "".join(chance.choices(parts, k=chance.randint(1, most)))

    pairs = [[made(["a", "b", ".", "c", "$"], 6), made(parts, 5)] for _ in range(5000)]
    (verdict,) = judge(version, [{"ask": "match", "pairs": pairs}])
    assert [matches(text, pattern) for text, pattern in pairs] == verdict
