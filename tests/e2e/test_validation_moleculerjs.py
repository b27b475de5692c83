"""What is wrong with parameters is told by our node as by a MoleculerJS node, and the other way round."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest

from broker.node import Context, Email, PositiveInt, action, event, service
from broker.node.errors import ValidationError
from tests.e2e.redis_server import RedisServer
from tests.interop.mesh import mesh, run, until
from tests.interop.peer import RefusedError

pytestmark = pytest.mark.usefixtures("moleculerjs")

PARAMS: dict[str, Any] = {  # as peer.js has them
    "$$strict": True,
    "id": "number|integer|positive|convert",
    "name": {
        "type": "string",
        "trim": True,
        "min": 2,
        "messages": {"stringMin": "'{actual}' is short for {field}"},
    },
    "tags": "string[]|optional|max:2",
    "at": {"$$type": "object|optional", "x": "number", "y": "number|default:7"},
}
BAD: list[Any] = [
    {},
    None,
    {"id": "0x", "name": " a ", "tags": ["a", 5, None], "at": {"x": "1"}, "more": 1, "1": {}},
    {"id": -1.5, "name": None, "tags": [1, 2, 3], "at": []},
]
GOOD = {"id": "12", "name": " Ada ", "tags": [], "at": {"x": 0}}
SANITIZED = {"id": 12, "name": "Ada", "tags": [], "at": {"x": 0, "y": 7}}


@dataclasses.dataclass
class Point:
    """Somewhere."""

    x: float
    name: str | None = None


@service("checks", version=1)
class Checks:
    """The same action and event as those of peer.js."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    @action(params=PARAMS)
    async def checked(self, ctx: Context) -> Any:
        return ctx.params

    @action()
    async def typed(self, _ctx: Context, count: PositiveInt, point: Point, mail: Email | None = None) -> Point:
        return Point(point.x * count, mail)

    @event("checked.py", params={"id": "number|convert"})
    async def on_checked(self, ctx: Context) -> None:
        self.heard.append(ctx.params)


def told(error: dict[str, Any] | ValidationError, action_name: str, origin: str | None) -> dict[str, Any]:
    """An error without what names the place where it arose, which is checked."""
    if isinstance(error, ValidationError):
        names = {"name": error.name, "message": error.message, "code": error.code, "type": error.type}
        error = names | {"data": error.data, "retryable": error.retryable, "nodeID": error.node_id}
    assert error.get("nodeID") == origin
    assert {each["action"] for each in error["data"]} == {action_name}
    rest = [{key: value for key, value in each.items() if key != "action"} for each in error["data"]]
    return {**{key: error[key] for key in ("name", "message", "code", "type", "retryable")}, "data": rest}


@pytest.mark.parametrize("serializer", ["JSON", "MsgPack"])
@pytest.mark.parametrize("version", ["014", "015"])
def test_moleculerjs_is_told_by_our_action_what_it_is_told_by_its_own(
    shared_redis: RedisServer, version: str, serializer: str
) -> None:
    async def story() -> None:
        async with mesh(shared_redis, version, serializer=serializer) as m:
            await m.broker.add(Checks())
            await m.js.ask("wait", services=["v1.checks"])
            for params in BAD:
                errors = []
                for name, origin in (("v1.checks.checked", "py.node-1"), ("v3.js.checked", None)):
                    with pytest.raises(RefusedError) as refused:
                        await m.js.ask("call", action=name, params=params)
                    errors.append(told(refused.value.error, name, origin))
                assert errors[0] == errors[1]
                assert (errors[0]["code"], errors[0]["type"]) == (422, "VALIDATION_ERROR")
                assert {each["nodeID"] for each in errors[0]["data"]} == {m.js.node_id}
            assert await m.js.call("v1.checks.checked", GOOD) == SANITIZED

    run(story())


@pytest.mark.parametrize("version", ["014", "015"])
def test_we_are_told_by_moleculerjs_what_we_are_told_by_our_own(shared_redis: RedisServer, version: str) -> None:
    async def story() -> None:
        async with mesh(shared_redis, version) as m:
            await m.broker.add(Checks())
            for params in BAD:
                errors = []
                for name, origin in (("v1.checks.checked", None), ("v3.js.checked", m.js.node_id)):
                    with pytest.raises(ValidationError) as refused:
                        await m.broker.call(name, copy.deepcopy(params))
                    errors.append(told(refused.value, name, origin))
                assert errors[0] == errors[1]
            assert await m.broker.call("v3.js.checked", GOOD) == SANITIZED

    run(story())


def test_events_that_do_not_fit_are_not_handled_on_either_side(shared_redis: RedisServer) -> None:
    async def story() -> None:
        async with mesh(shared_redis, "015") as m:
            checks = Checks()
            await m.broker.add(checks)
            await m.js.ask("wait", services=["v1.checks"])
            for data in ({"id": "x"}, {"id": "5"}):
                await m.js.ask("emit", event="checked.py", data=data)
                await m.broker.emit("checked.thing", data)
            await until(lambda: checks.heard)
            assert checks.heard == [{"id": 5}]
            assert [each["data"] for each in await m.js.heard(1)] == [{"id": 5}]

    run(story())


@pytest.mark.parametrize("version", ["014", "015"])
def test_moleculerjs_sees_a_typed_signature_as_a_schema_and_is_told_by_it(
    shared_redis: RedisServer, version: str
) -> None:
    async def story() -> None:
        async with mesh(shared_redis, version) as m:
            await m.broker.add(Checks())
            await m.js.ask("wait", services=["v1.checks"])
            actions = await m.js.call("$node.actions", {})
            (seen,) = [each["action"]["params"] for each in actions if each["name"] == "v1.checks.typed"]
            number = {"type": "number"}
            point = {"x": number, "name": {"type": "string", "nullable": True, "optional": True}}
            assert seen == {
                "count": {**number, "integer": True, "positive": True},
                "point": {"type": "object", "props": point},
                "mail": {"type": "email", "nullable": True, "optional": True},
            }
            good = {"count": 2, "point": {"x": 1.5}, "mail": "a@b.co"}
            assert await m.js.call("v1.checks.typed", good) == {"x": 3.0, "name": "a@b.co"}
            with pytest.raises(RefusedError) as refused:
                await m.js.call("v1.checks.typed", {"count": 0, "point": {}, "mail": "nobody"})
            error = told(refused.value.error, "v1.checks.typed", "py.node-1")
            assert (error["name"], error["code"], error["type"]) == ("ValidationError", 422, "VALIDATION_ERROR")
            wrong = [(each["type"], each["field"]) for each in error["data"]]
            assert wrong == [("numberPositive", "count"), ("required", "point.x"), ("email", "mail")]

    run(story())
