"""Services as plain dictionaries: bound functions, methods, hooks, mixins, life."""

import asyncio

import pytest

from broker.node import Broker, BrokerOptions, Context, action, service
from broker.node.errors import MoleculerClientError, ServiceNotFoundError, ServiceSchemaError
from broker.node.middleware import Middleware
from tests.unit.node.nodes import QUICK, story


async def get(self, ctx: Context) -> str:
    return self.greet(ctx.params["name"])


def greet(self, name: str) -> str:
    return f"{self.settings['word']} {name}"


GREETER = {
    "name": "greeter",
    "version": 2,
    "settings": {"word": "Hello", "key": "k", "$secureSettings": ["key"]},
    "actions": {"get": get, "off": False, "own": {"visibility": "private", "handler": get}},
    "methods": {"greet": greet},
}


def made(*schemas):
    broker = Broker("a", options=BrokerOptions(**QUICK))
    return broker, [broker.services.create(schema) for schema in schemas]


@story
async def test_functions_of_a_schema_are_methods_of_the_service():
    broker, (greeter,) = made(GREETER)
    async with broker:
        assert await broker.call("v2.greeter.get", {"name": "you"}) == "Hello you"
        assert await greeter.instance.actions.own({"name": "me"}) == "Hello me"
        with pytest.raises(ServiceNotFoundError):
            await broker.call("v2.greeter.own", {"name": "me"})
        assert [*greeter.to_wire()["actions"]] == ["v2.greeter.get"]
        assert greeter.to_wire()["settings"] == {"word": "Hello"}


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({}, "Service name can't be empty!"),
        ({"name": "x", "actions": {"a": 5}}, "Invalid action definition in 'a' action in 'x' service!"),
        ({"name": "x", "actions": {"a": {}}}, "Missing action handler on 'a' action in 'x' service!"),
        ({"name": "x", "events": {"a": {}}}, "Missing event handler on 'a' event in 'x' service!"),
        ({"name": "x", "methods": {"name": get}}, "Invalid method name 'name' in 'x' service!"),
        ({"name": "x", "methods": {"a": {}}}, "Missing method handler on 'a' method in 'x' service!"),
    ],
)
def test_a_schema_that_is_wrong_is_refused_as_moleculerjs_does(schema, text):
    with pytest.raises(ServiceSchemaError, match=text):
        made(schema)


def hooked(said: list[str]) -> dict:
    def say(word):
        return lambda _self, _ctx, *_: said.append(word)

    async def keep(self, _ctx, result):
        said.append(f"{self.name} keeps {result}")
        return result

    return {
        "name": "posts",
        "hooks": {
            "before": {"*": "all", "find|get": [say("some 1"), "some"], "f*": say("star"), "x*": say("never")},
            "after": {"*": keep, "fi?d": lambda _self, _ctx, result: result + 1},
            "error": {"*": lambda _self, _ctx, error: {"mended": str(error)}},
        },
        "actions": {
            "find": {
                "hooks": {
                    "before": ["unknown", say("own")],
                    "after": lambda _self, _ctx, result: result * 10,
                    "error": fail_anew,
                },
                "handler": lambda _self, ctx: ctx.params["n"] if ctx.params["n"] else fail(),
            }
        },
        "methods": {"all": say("all"), "some": say("some 2")},
    }


def fail() -> None:
    raise MoleculerClientError("first")


def fail_anew(_self, _ctx, error) -> None:
    raise MoleculerClientError(f"second after {error}")


@story
async def test_hooks_run_from_the_outside_in_and_back():
    said: list[str] = []
    broker, _ = made(hooked(said))
    async with broker:
        assert await broker.call("posts.find", {"n": 4}) == 41
        assert said == ["all", "some 1", "some 2", "star", "own", "posts keeps 41"]


@story
async def test_an_error_passes_the_error_hooks_until_one_gives_a_result():
    broker, _ = made(hooked([]))
    async with broker:
        assert await broker.call("posts.find", {"n": 0}) == {"mended": "second after first"}


@story
async def test_hooks_of_a_class_are_its_methods_by_name():
    @service("posts", hooks={"before": {"*": "check"}})
    class Posts:
        async def check(self, ctx: Context) -> None:
            ctx.params["checked"] = True

        @action(hooks={"after": ["twice"]})
        async def get(self, ctx: Context) -> list:
            return [ctx.params["checked"]]

        def twice(self, _ctx: Context, result: list) -> list:
            return result * 2

    broker, _ = made(Posts())
    async with broker:
        assert await broker.call("posts.get") == [True, True]


@story
async def test_mixins_complete_a_schema_and_life_goes_through_all_in_turn():
    said: list[str] = []

    def says(word):
        return lambda self: said.append(f"{word} {self.full_name}")

    async def stop(_self) -> None:
        await asyncio.sleep(0)
        said.append("stopped last made")

    base = {
        "settings": {"a": 1, "deep": {"x": 1, "list": [1, 2]}},
        "actions": {"gone": get, "get": {"cache": True, "handler": get}},
        "methods": {"greet": lambda _self, name: f"base {name}"},
        "created": says("base created"),
        "started": says("base started"),
        "stopped": says("base stopped"),
        "events": {"x": lambda _self, _ctx: said.append("base x")},
    }
    schema = {
        "name": "s",
        "mixins": [{"mixins": [base], "metadata": {"by": "middle"}, "started": says("middle started")}],
        "settings": {"b": 2, "deep": {"y": 2, "list": [3]}},
        "actions": {"gone": False, "get": {"timeout": 100}},
        "created": [says("own created")],
        "started": says("own started"),
        "stopped": stop,
        "merged": lambda _self, schema: schema["settings"].update(merged=True),
        "events": {"x": lambda _self, _ctx: said.append("own x")},
    }
    broker, (made_service,) = made(schema)
    async with broker:
        assert await broker.call("s.get", {"name": "you"}) == "base you"
        await broker.emit("x")
    assert made_service.settings == {"a": 1, "b": 2, "deep": {"x": 1, "y": 2, "list": [3, 2]}, "merged": True}
    assert made_service.metadata == {"by": "middle"}
    (wire,) = made_service.to_wire()["actions"].values()
    assert wire == {"cache": True, "timeout": 100, "rawName": "get", "name": "s.get"}
    assert said == [
        *("base created s", "own created s", "base started s", "middle started s", "own started s"),
        *("base x", "own x", "stopped last made", "base stopped s"),
    ]


@story
async def test_methods_pass_the_middlewares_with_their_arguments():
    class Loud(Middleware):
        def local_method(self, call, service, method):
            return lambda *args: call(*args).upper() + f" ({service.name}.{method.name})"

    broker = Broker("a", options=BrokerOptions(**QUICK, middlewares=[Loud()]))
    await broker.add(GREETER)
    async with broker:
        assert await broker.call("v2.greeter.get", {"name": "you"}) == "HELLO YOU (greeter.greet)"


@story
async def test_a_class_that_says_so_has_its_own_actions():
    @service("posts")
    class Posts:
        actions: dict

        @action(visibility="private")
        async def inner(self, ctx: Context) -> str:
            return f"{ctx.params['n']} by {ctx.caller}, level {ctx.level}"

        @action()
        async def outer(self, ctx: Context) -> str:
            return await self.actions.inner({"n": 1}, parent=ctx)

    broker, _ = made(Posts())
    async with broker:
        assert await broker.call("posts.outer") == "1 by posts, level 2"
