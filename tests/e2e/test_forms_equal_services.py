"""What a form says before sending is what the service says: for 30 schemas as teams write them, and 10,000 values.

The services' schemas are those of ``real_schemas.js``, with functions, patterns and classes. The forms are made from
what INFO carries of them, ``tests/data/forms/info.json``. ``FORMS_SEED`` chooses other values than those of every day,
``FORMS_VALUES`` how many.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from broker.node import Broker, BrokerOptions
from broker.node.errors import MoleculerError
from broker.operate.forms import Field, Form, read_json, write_json
from broker.operate.forms.field import Path as FieldPath
from broker.operate.forms.form import ANYTHING
from broker.operate.forms.judge import names_of
from broker.operate.forms.paths import inserted, put
from broker.operate.forms.templates import never
from broker.operate.forms.texts import fits, shown, typed
from broker.validation import UNDEFINED
from tests.e2e.form_values import values_for
from tests.e2e.npm_validator import NpmValidator, decode, encode
from tests.e2e.redis_server import RedisServer
from tests.interop.mesh import run, until
from tests.interop.peer import Peer

pytestmark = pytest.mark.usefixtures("moleculerjs")

VALUES = int(os.environ.get("FORMS_VALUES", "10000"))
SEED = int(os.environ.get("FORMS_SEED", "3"))
INFO: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "forms" / "info.json").read_text())
NAMESPACES = (f"forms-{number}" for number in itertools.count())

VANISHED = {"bookingMake": {"periodOrder"}, "asyncSignup": {"taken"}}
"""Errors of functions that left no trace in INFO: a form knows nothing of them."""
MADE_THERE = {"orderFind": {"until"}}
"""Fields whose default is a function: INFO says that they must be there."""
NOT_TOLD = {"sharedRules": ("to", "tags")}
"""One rule object at several places is in INFO once."""


def filled_in(form: Form, value: Any) -> Any:
    """What a form gives when a person fills in a value, field by field, from what it starts with."""
    if not isinstance(value, dict | list) and form.field.kind in ("object", "array", "union"):
        return read_json(write_json(value))  # no form for it: raw JSON
    return _fill(form, form.field, form.start(), value, ())


def _fill(form: Form, field: Field, built: Any, part: Any, path: FieldPath) -> Any:
    if field.kind == "union":
        return _fill(form, field.fields[form.alternative_of(field, part)], built, part, path)
    if field.kind in ("object", "record") and isinstance(part, dict):
        built = put(built, path, {})
        for key, inner in part.items():
            within = field.item if field.kind == "record" else field.named(key)
            built = _fill(form, within or ANYTHING, built, inner, (*path, key))
        return built
    if field.kind in ("array", "choices", "tuple") and isinstance(part, list):
        built = put(built, path, [])
        for place, inner in enumerate(part):
            within = field.item if field.kind != "tuple" else dict(enumerate(field.fields)).get(place)
            built = put(built, path, inserted(_at(built, path), place, None))
            built = _fill(form, within or ANYTHING, built, inner, (*path, place))
        return built
    if fits(field.kind, part):
        return put(built, path, typed(field.kind, shown(field.kind, part)))
    return put(built, path, read_json(write_json(part)))


def _at(value: Any, path: FieldPath) -> Any:
    for key in path:
        value = value[key]
    return value


def unsure_at(form: Form, value: Any) -> set[str]:
    """The names of fields of which the form says that only the service can check them."""
    unsure: set[str] = set()
    for name, path in names_of(form.field, value):
        fields = [form.field]
        for key in (None, *path):
            if key is not None:
                fields = [inner for each in fields for inner in _within(each, key)]
            fields = [inner for each in fields for inner in (each, *_alternatives(each))]
            if any(each.unsure for each in fields):
                unsure.add(name)
    return unsure


def _alternatives(field: Field) -> list[Field]:
    return [deep for each in field.fields for deep in (each, *_alternatives(each))] if field.kind == "union" else []


def _within(field: Field, key: str | int) -> list[Field]:
    if field.kind == "object":
        return [each for each in field.fields if each.name == key]
    if field.kind == "tuple" and isinstance(key, int):
        return list(field.fields[key : key + 1])
    return [] if field.item is None else [field.item]


def excuse(name: str, form: Form, value: Any, errors: list[dict[str, Any]], types: list[str]) -> str:
    """Why the service may say something else than the form; empty where it must not."""
    if not errors:
        return "made there" if types and MADE_THERE.get(name) else ""
    for error in errors:
        if error["type"] in VANISHED.get(name, ()):
            return "vanished"
        if str(error.get("field")).split("[")[0] in NOT_TOLD.get(name, ()):
            return "not told"
    unsure = unsure_at(form, value)
    return "only there" if any(error.get("field", "") in unsure for error in errors) else ""


def test_forms_of_30_services_accept_what_the_services_accept_and_refuse_what_they_refuse() -> None:
    print(f"FORMS_SEED={SEED} FORMS_VALUES={VALUES}")  # noqa: T201 - shown when it fails
    rng = random.Random(SEED)
    assert len(INFO) == 30
    verdicts: Counter[str] = Counter()
    with NpmValidator() as npm:
        for name, schema in INFO.items():
            form = Form(schema)
            assert form.broken == ""
            values = []
            for _ in range(-(-VALUES // len(INFO))):
                value = values_for(rng, form.field)
                sent = filled_in(form, value)
                assert write_json(sent) == write_json(value), f"{name}: filled in {value}, the form gives {sent}"
                values.append({} if sent is None else sent)
            rule = {"$$root": True, **form.field.rule}
            told, real = npm.run(
                [
                    {"schema": encode(rule), "values": encode(values), "options": {}},
                    {"real": name, "values": encode(values), "options": {}},
                ]
            )
            for value, by_info, by_service in zip(values, told["results"], real["results"], strict=True):
                mine = form.problems(value, never)
                says = f"{name}\nvalue {value}\nform {mine}\nnpm, as INFO {by_info}\nservice {by_service}"
                if "threw" in by_info:  # a currency that is no text
                    assert mine, says
                else:
                    theirs = [(each["type"], each["message"]) for each in decode(by_info["errors"])]
                    assert theirs == [(each.type, each.message) for each in mine], says
                refused = "threw" in by_service or bool(by_service["errors"])
                if refused == bool(mine):
                    verdicts["refused" if refused else "accepted"] += 1
                    continue
                why = excuse(name, form, value, by_service.get("errors", []), [each.type for each in mine])
                assert why, says
                verdicts[why] += 1
    print(verdicts)  # noqa: T201 - shown when it fails
    assert verdicts["accepted"] > VALUES / 4
    assert verdicts["refused"] > VALUES / 4
    assert verdicts.total() - verdicts["accepted"] - verdicts["refused"] < VALUES / 10


@pytest.mark.parametrize("serializer", ["JSON", "MsgPack"])
def test_info_of_real_nodes_carries_of_these_schemas_what_the_forms_are_made_from(
    shared_redis: RedisServer, serializer: str
) -> None:
    async def story() -> None:
        namespace, rng = next(NAMESPACES), random.Random(SEED)
        about = {"namespace": namespace, "url": shared_redis.url, "serializer": serializer}
        async with AsyncExitStack() as stack:
            peers = [Peer({"version": v, "nodeID": f"js-{v}", **about}, "forms_node.js") for v in ("014", "015")]
            for peer in peers:
                stack.push_async_callback(peer.kill)
            await asyncio.gather(*(peer.start() for peer in peers))
            options = BrokerOptions(protocols=("4", "5"), settle_s=0.05)
            broker = await stack.enter_async_context(
                Broker("py", shared_redis.url, namespace, serializer, options=options)
            )
            await until(lambda: sum(each.name == "forms" for _, each in broker.registry.services()) == 2)
            for node, offered in broker.registry.services():
                if offered.name == "forms":
                    told = {full.split(".")[-1]: each.schema["params"] for full, each in offered.actions.items()}
                    assert told == INFO, node.id
            for name, schema in INFO.items():
                values = [doubles(values_for(rng, Form(schema).field)) for _ in range(3)]
                await _agrees(broker, name, Form(schema), values)

    run(story())


def doubles(value: Any) -> Any:
    """The value with integers that MsgPack cannot carry as JavaScript has them anyway."""
    if isinstance(value, dict):
        return {key: doubles(each) for key, each in value.items()}
    if isinstance(value, list):
        return [doubles(each) for each in value]
    return float(value) if isinstance(value, int) and abs(value) >= 2**63 else value


async def _agrees(broker: Broker, name: str, form: Form, values: list[Any]) -> None:
    """Whether the real nodes refuse and accept what the form does."""
    for value, version in itertools.product(values, ("014", "015")):
        mine = form.problems(value, never)
        try:
            await broker.call(f"js-{version}.forms.{name}", value)
            errors: list[dict[str, Any]] = []
            is_refused = False
        except MoleculerError as error:
            errors = error.data if isinstance(error.data, list) else []
            is_refused = True
        if is_refused != bool(mine):
            assert excuse(name, form, value, errors, [each.type for each in mine]), (name, value, mine, errors)


def test_a_form_leaves_absent_what_is_not_filled_in() -> None:
    form = Form(INFO["orderFind"])
    assert form.start() == {}
    assert put({"id": 5}, ("id",), typed("number", "")) == {}
    assert put({}, ("options", "depth"), UNDEFINED) == {}
