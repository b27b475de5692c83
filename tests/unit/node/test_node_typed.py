"""Handlers with typed signatures: what they are given, what they give back, and what others are told of them."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from broker.node import Broker, Context, Email, PositiveInt, action, event, rule, service
from broker.node.errors import ServiceSchemaError, ValidationError
from tests.unit.node.nodes import mesh, story, until

Even = Annotated[int, msgspec.Meta(multiple_of=2)]
Iban = Annotated[str, rule(type="string", min=15, alphanum=True)]


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Item:
    id: PositiveInt
    count: int = 1


class Order(msgspec.Struct, rename="camel"):
    items: list[Item]
    paid_at: datetime.datetime | None = None


class Tree(msgspec.Struct):
    name: str
    children: list[Tree] = []


@service("shop", version=1)
class Shop:
    def __init__(self) -> None:
        self.seen: list[Any] = []

    @action()
    async def get(self, ctx: Context, id: PositiveInt, color: Color = Color.RED, *, deep: bool = False) -> Order:
        self.seen.append((id, color, deep, ctx.node_id))
        return Order([Item(id)], datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC))

    @action()
    def create(self, _ctx: Context, order: Order, mail: Email | None, tags: set[str] = set()) -> list[Item]:  # noqa: B006
        self.seen.append((order, mail, tags))
        return order.items

    @action()
    async def pair(self, _ctx: Context, of: tuple[int, Literal["a", "b"]], even: Even = 2) -> Any:
        return [*of, even]

    @action()
    async def walk(self, _ctx: Context, tree: Tree) -> int:
        return 1 + len(tree.children)

    @action()
    async def all(self, _ctx: Context) -> dict[str, Color]:
        return {"a": Color.BLUE}

    @event("paid.*")
    async def on_paid(self, ctx: Context, id: int, amount: float = 0.5) -> None:
        self.seen.append((ctx.event_name, id, amount))


@story
async def test_a_handler_is_given_arguments_of_its_types_and_gives_plain_data():
    shop = Shop()
    async with mesh(("a",), ("b", shop)) as (a, b):
        expected = {"items": [{"id": 7, "count": 1}], "paidAt": "2026-01-02T00:00:00.000Z"}
        assert await a.call("v1.shop.get", {"id": 7.0, "color": None, "more": 1}) == expected
        assert shop.seen.pop() == (7, Color.RED, False, "a")
        assert (await b.call("v1.shop.get", {"id": 7, "color": "blue", "deep": True}))["items"] == expected["items"]
        assert shop.seen.pop() == (7, Color.BLUE, True, "b")
        order = {"items": [{"id": 1, "count": None}], "paidAt": "2026-01-02"}
        assert await a.call("v1.shop.create", {"order": order, "mail": None, "tags": ["x", "x"]}) == [
            {"id": 1, "count": 1}
        ]
        assert shop.seen.pop() == (Order([Item(1)], datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)), None, {"x"})
        assert await a.call("v1.shop.pair", {"of": [1, "a"]}) == [1, "a", 2]
        assert await a.call("v1.shop.all") == {"a": "blue"}


@story
async def test_what_does_not_fit_is_the_validation_error_of_the_equivalent_schema():
    async with mesh(("a",), ("b", Shop())) as (a, _):
        for params, wrong in (
            ({"id": 0, "color": "green"}, [("numberPositive", "id", 0), ("enumValue", "color", "green")]),
            (None, [("required", "id", None)]),
        ):
            with pytest.raises(ValidationError, match="Parameters validation error!") as caught:
                await a.call("v1.shop.get", params)
            assert [(each["type"], each["field"], each.get("actual")) for each in caught.value.data] == wrong
            assert {(each["nodeID"], each["action"]) for each in caught.value.data} == {("a", "v1.shop.get")}
        with pytest.raises(ValidationError) as caught:
            await a.call("v1.shop.create", {"order": {"items": [{"id": "x"}]}, "mail": "nobody"})
        assert [each["field"] for each in caught.value.data] == ["order.items[0].id", "mail"]


@story
async def test_what_no_schema_says_is_a_validation_error_all_the_same():
    async with mesh(("a", Shop())) as (a,):
        with pytest.raises(ValidationError) as caught:
            await a.call("v1.shop.pair", {"of": [1, "a"], "even": 3})
        message = "The 'even' field: Expected `int` that's a multiple of 2."
        about = {"nodeID": "a", "action": "v1.shop.pair"}
        assert caught.value.data == [{"type": "typed", "message": message, "field": "even"} | about]


@story
async def test_without_validator_types_are_kept_all_the_same():
    async with mesh(("a", Shop()), validator=False) as (a,):
        assert await a.call("v1.shop.pair", {"of": [1.0, "a"]}) == [1, "a", 2]
        with pytest.raises(ValidationError):
            await a.call("v1.shop.get", {"id": "7"})


@story
async def test_a_type_may_hold_itself():
    async with mesh(("a", Shop())) as (a,):
        assert await a.call("v1.shop.walk", {"tree": {"name": "x", "children": [{"name": "y"}]}}) == 2
        with pytest.raises(ValidationError) as caught:
            await a.call("v1.shop.walk", {"tree": {"name": "x", "children": [{"name": "y", "children": [{}]}]}})
        assert [each["field"] for each in caught.value.data] == ["tree.children[0].children[0].name"]


@story
async def test_an_event_handler_is_given_arguments_too():
    shop = Shop()
    async with mesh(("a", shop)) as (a,):
        await a.emit("paid.card", {"id": "x"})
        await a.emit("paid.card", {"id": 5})
        await until(lambda: shop.seen)
        assert shop.seen == [("paid.card", 5, 0.5)]


def test_info_says_the_equivalent_schema():
    offered = Broker("a").services.create(Shop()).to_wire()
    assert offered["actions"]["v1.shop.get"]["params"] == {
        "id": {"type": "number", "integer": True, "positive": True},
        "color": {"type": "enum", "values": ["red", "blue"], "optional": True, "default": "red"},
        "deep": {"type": "boolean", "optional": True, "default": False},
    }
    item = {
        "id": {"type": "number", "integer": True, "positive": True},
        "count": {"type": "number", "integer": True, "optional": True, "default": 1},
    }
    assert offered["actions"]["v1.shop.create"]["params"] == {
        "order": {
            "type": "object",
            "props": {
                "items": {"type": "array", "items": {"type": "object", "props": item}},
                "paidAt": {"type": "date", "convert": True, "nullable": True, "optional": True},
            },
        },
        "mail": {"type": "email", "nullable": True},
        "tags": {"type": "array", "items": {"type": "string"}, "optional": True, "default": []},
    }
    assert "params" not in offered["actions"]["v1.shop.all"]
    assert set(offered["events"]["paid.*"]["params"]) == {"id", "amount"}


def refused(handler):
    with pytest.raises(ServiceSchemaError) as caught:
        Broker("a").services.create({"name": "s", "actions": {"a": handler}})
    return str(caught.value)


def test_a_signature_that_says_no_types_is_refused_with_advice():
    where = "Invalid signature of 'a' action in 's' service! "

    def unannotated(_self, _ctx, id): ...
    def many(_self, _ctx, **params: int): ...
    def foreign(_self, _ctx, id: Unheard): ...  # noqa: F821
    def odd(_self, _ctx, ok: int, point: dict[str, complex]): ...
    def two(_self, _ctx, either: Item | Tree): ...
    def keyed(_self, _ctx, by: dict[int, str]): ...

    assert refused(unannotated) == where + "id: has no type, expected an annotation such as int or str | None"
    assert refused(many) == where + "takes **params: 'int', expected parameters by name, each with a type"
    assert refused(foreign).startswith(where + "annotated with 'Unheard', which is not at the top of")
    assert refused(odd).startswith(where + "point: complex has no rule that says the same")
    assert refused(two).startswith(where + "Type unions may not contain more than one dict-like type")
    assert refused(keyed).startswith(where + "by: a dict with keys of int, expected texts")


def test_a_schema_beside_a_signature_is_what_is_published_and_checked():
    @service("s")
    class Own:
        @action(params={"iban": "string|min:15|trim"})
        async def pay(self, _ctx: Context, iban: Iban) -> str:
            return iban

    offered = Broker("a").services.create(Own()).to_wire()
    assert offered["actions"]["s.pay"]["params"] == {"iban": "string|min:15|trim"}
