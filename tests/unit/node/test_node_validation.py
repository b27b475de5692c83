"""Parameters of actions and data of events, checked by the node."""

import pytest

from broker.node import Broker, BrokerOptions, ValidatorOptions, action, event, service
from broker.node.errors import ServiceSchemaError, ValidationError
from broker.node.published import published
from tests.unit.node.nodes import mesh, story, until


def service_of(params, kind="actions"):
    return {"name": "s", kind: {"a": {"params": params, "handler": lambda _self, ctx: ctx.params}}}


def offered_by(params, options=None, kind="actions"):
    return Broker("a", options=options).services.create(service_of(params, kind))


@story
async def test_wrong_params_are_a_validation_error_that_names_the_caller_and_the_action():
    async with mesh(("a",), ("b", service_of({"id": "number"}))) as (a, _):
        with pytest.raises(ValidationError, match=r"^Parameters validation error!$") as caught:
            await a.call("s.a", {"id": "x"})
        error = caught.value
        assert (error.code, error.type, error.retryable, error.node_id) == (422, "VALIDATION_ERROR", False, "b")
        message = "The 'id' field must be a number."
        wrong = {"type": "number", "message": message, "field": "id", "actual": "x", "nodeID": "a", "action": "s.a"}
        assert error.data == [wrong]


@story
async def test_right_params_are_sanitized_before_the_hooks_see_them():
    seen = []
    hooked = service_of({"name": "string|trim", "page": "number|default:1"})
    hooked["hooks"] = {"before": {"a": lambda _self, ctx: seen.append(dict(ctx.params))}}
    async with mesh(("a", hooked)) as (a,):
        assert await a.call("s.a", {"name": " x "}) == {"name": "x", "page": 1}
        assert seen == [{"name": "x", "page": 1}]


@story
async def test_no_params_are_checked_as_an_empty_object():
    async with mesh(("a", service_of({"id": "number|optional"}))) as (a,):
        assert await a.call("s.a", None) is None


@story
async def test_a_broker_without_validator_checks_nothing():
    async with mesh(("a", service_of({"id": "number"})), validator=False) as (a,):
        assert await a.call("s.a", {"id": "x"}) == {"id": "x"}


@story
async def test_functions_of_a_schema_find_the_context_and_may_be_waited_for():
    async def mine(value, errors, _schema, _path, _parent, run):
        if value != run.meta.meta["user"]:
            errors.append({"type": "foreign", "actual": value})
        return value

    async with mesh(("a", service_of({"$$async": True, "user": {"type": "number", "custom": mine}}))) as (a,):
        assert await a.call("s.a", {"user": 7}, meta={"user": 7}) == {"user": 7}
        with pytest.raises(ValidationError) as caught:
            await a.call("s.a", {"user": 8}, meta={"user": 7})
        assert caught.value.data == [{"field": "user", "type": "foreign", "actual": 8, "nodeID": "a", "action": "s.a"}]


@story
async def test_an_event_whose_data_does_not_fit_is_not_handled():
    heard = []

    @service("mail")
    class Mail:
        @event("order.*", params={"id": "number|convert"})
        async def on_order(self, ctx):
            heard.append(ctx.params)

    async with mesh(("a", Mail())) as (a,):
        await a.emit("order.created", {"id": "x"})
        await a.emit("order.created", {"id": "5"})
        await until(lambda: heard)
    assert heard == [{"id": 5}]


@pytest.mark.parametrize("kind", ["actions", "events"])
def test_a_broken_schema_is_refused_when_the_service_is_added(kind):
    name = "action 's.a'" if kind == "actions" else "event 'a'"
    said = f"^Invalid 'params' of {name} in 's' service! at.x: a rule has the unknown type 'nubmer', expected one of"
    with pytest.raises(ServiceSchemaError, match=said):
        offered_by({"at": {"$$type": "object", "x": "nubmer"}}, kind=kind)


def test_a_broker_is_told_how_to_validate():
    options = BrokerOptions(validator=ValidatorOptions(aliases={"id": {"type": "number", "positive": True}}))
    assert offered_by({"id": "id"}, options)
    with pytest.raises(ServiceSchemaError, match="unknown type 'id'"):
        offered_by({"id": "id"})
    assert offered_by({"id": "id"}, BrokerOptions(validator=ValidatorOptions(param_name="input")))


def test_info_says_of_a_schema_what_is_plain_data_and_nothing_twice_within_itself():
    tree = {"type": "object", "props": {"name": "string", "custom": {"type": "any", "custom": print}}}
    tree["props"]["child"] = tree
    assert published({"t": tree}) == {"t": {"type": "object", "props": {"name": "string", "custom": {"type": "any"}}}}


def test_a_class_says_it_in_its_decorator():
    @service("s")
    class Named:
        @action(params={"id": "strnig"})
        async def get(self, ctx): ...

    with pytest.raises(ServiceSchemaError, match=r"action 's.get' in 's' service! id: a rule has the unknown type"):
        Broker("a").services.create(Named())
