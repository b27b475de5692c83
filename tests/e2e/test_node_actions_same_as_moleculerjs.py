"""What our ``$node`` answers, beside what MoleculerJS's answers about the same mesh."""

import itertools
from typing import Any

import pytest

from broker.node import Broker, BrokerOptions
from broker.node.discovering import RedisDiscoverer
from broker.node.options_told import options_told
from tests.e2e.conftest import StartRedis
from tests.interop.mesh import Mesh, mesh, run

pytestmark = pytest.mark.usefixtures("moleculerjs")
both = pytest.mark.parametrize("version", ["014", "015"])

OURS = "py.node-1"
PROTECTED = "v2.twin.here"
"""What is protected is known where it lives only."""
FLAGS = {
    "list": ("onlyAvailable",),
    "services": ("skipInternal", "withActions", "withEvents", "onlyAvailable", "grouping"),
    "actions": ("skipInternal", "withEndpoints", "onlyAvailable"),
    "events": ("skipInternal", "withEndpoints", "onlyAvailable"),
}


def known(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """By what tells rows apart, without what depends on who answers."""
    by_name = {tuple(row.get(key) for key in ("id", "fullName", "name", "group", "nodeID")): row for row in rows}
    for key in [key for key, row in by_name.items() if row.get("name") == PROTECTED]:
        del by_name[key]
    for row in by_name.values():
        row.get("actions", {}).pop(PROTECTED, None)
        for key in ("local", "hasLocal", "lastHeartbeatTime"):
            row.pop(key, None)
        if row.get("port") is None:
            row.pop("port", None)  # null where it is local, absent otherwise
        for key in ("endpoints", "nodes"):
            row.get(key, []).sort(key=str)
    return by_name


async def ask(m: Mesh, action: str, params: dict[str, Any], node_id: str) -> Any:
    return await m.broker.call(f"$node.{action}", params, node_id=node_id)


@both
def test_lists_of_nodes_services_actions_and_events_are_equal(start_redis: StartRedis, version: str) -> None:
    async def story() -> None:
        async with mesh(start_redis(), version) as m:
            for action, flags in FLAGS.items():
                for said in itertools.product([False, True], repeat=len(flags)):
                    params = dict(zip(flags, said, strict=True))
                    ours, theirs = [known(await ask(m, action, params, who)) for who in (OURS, m.js.node_id)]
                    assert ours == theirs, (action, params)

    run(story())


@both
def test_what_is_only_local_is_told_as_moleculerjs_tells_its_own(start_redis: StartRedis, version: str) -> None:
    async def story() -> None:
        async with mesh(start_redis(), version) as m:
            for action in ("services", "actions", "events"):
                for who in (OURS, m.js.node_id):
                    rows = await ask(m, action, {"onlyLocal": True, "withEndpoints": True}, who)
                    assert all(row.get("hasLocal", row.get("local")) is True for row in rows)
                    assert {"v1.py", "v3.js"} & {row.get("fullName") for row in rows} or action != "services"

    run(story())


@both
def test_health_and_options_have_moleculerjs_shapes_and_ours_no_password(start_redis: StartRedis, version: str) -> None:
    async def story() -> None:
        server = start_redis(password="hush")
        async with mesh(server, version) as m:
            js = m.js.node_id
            ours, theirs = [shape(await ask(m, "health", {}, who)) for who in (OURS, js)]
            assert ours == theirs
            ours, theirs = [await ask(m, "options", {}, who) for who in (OURS, js)]
            assert ours.keys() <= theirs.keys() | {"namespace"}
            for key in ("retryPolicy", "circuitBreaker", "bulkhead", "tracking"):
                assert ours[key].keys() == theirs[key].keys()
            for key in ("registry", "transit"):
                assert ours[key].keys() - {"strategyOptions"} <= theirs[key].keys() | {
                    "serviceChangedDebounceTime",
                    "discoverer",
                }
            assert "hush" not in str(ours)
            assert "hush" in str(theirs)

    run(story())


def shape(value: Any) -> Any:
    """Keys and kinds of values."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value[:1]]
    return "number" if isinstance(value, int | float) else type(value).__name__


def test_the_discoverer_is_named_without_where_it_is() -> None:
    options = BrokerOptions(discoverer=RedisDiscoverer("redis://:hush@h/1"))
    told = options_told(Broker("a", "redis://:hush@h", options=options))
    assert told["registry"]["discoverer"] == "Redis"
    assert "hush" not in str(told)
