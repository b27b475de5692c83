"""Rows of the table: calls, values, errors, time."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime
from typing import Any

from tests.interop.check import caught, check, in_one_version, is_equal
from tests.interop.mesh import Mesh
from tests.interop.peer import PATIENCE_S
from tests.interop.services import PLAIN, error_of

TIMEOUT_MS = 600_000
OUT_OF_PATIENCE_MS = TIMEOUT_MS - PATIENCE_S * 1000


@check("500 calls at once")
async def many_calls(mesh: Mesh) -> None:
    answers = await asyncio.gather(*(mesh.broker.call("v3.js.echo", {"i": i}) for i in range(500)))
    is_equal([answer["i"] for answer in answers], list(range(500)), "what MoleculerJS answered")
    is_equal((await mesh.js.ask("many", action="v1.py.echo", count=500))["ok"], True, "answers of ours in order")


@check("a chosen node serves")
async def chosen_node(mesh: Mesh) -> None:
    for peer in (mesh.js, mesh.js_2):
        is_equal(await mesh.broker.call("v3.js.where", node_id=peer.node_id), peer.node_id, "served by")
    for ours in (mesh.py, mesh.py_2):
        node_id = ours.broker.node_id
        is_equal(await mesh.js.call("v1.py.where", nodeID=node_id), node_id, "served by")


@check("nested calls carry meta, level, ids, caller, time left")
async def nested(mesh: Mesh) -> None:
    meta: dict[str, Any] = {"user": {"id": 7}}
    chain = {"action": "v1.py.chain", "params": {"action": "v3.js.seen", "params": {"a": 1}}}
    seen = await mesh.broker.call("v3.js.chain", chain, meta=meta, timeout_s=TIMEOUT_MS / 1000)
    is_equal((seen["level"], seen["caller"]), (3, "v1.py"), "level and caller")
    is_equal(meta, {"user": {"id": 7}, "chained": 2, "fromJs": True}, "meta that came back")
    assert str(seen["nodeID"]).startswith("py."), f"who called last: {seen['nodeID']}"
    assert OUT_OF_PATIENCE_MS < seen["timeout"] < TIMEOUT_MS, f"time left: {seen['timeout']} ms"
    chain = {"action": "v3.js.chain", "params": {"action": "v1.py.seen"}}
    said = await mesh.js.ask("call", action="v1.py.chain", params=chain, opts={"meta": {"m": 1}, "timeout": TIMEOUT_MS})
    seen = said["ok"]
    is_equal((seen["level"], seen["caller"]), (3, "v3.js"), "level and caller")
    is_equal(said["meta"], {"m": 1, "chained": 2, "fromPy": True}, "meta that came back")
    assert str(seen["nodeID"]).startswith("js."), f"who called last: {seen['nodeID']}"
    assert OUT_OF_PATIENCE_MS < seen["timeout"] < TIMEOUT_MS, f"time left: {seen['timeout']} ms"
    assert seen["parentID"] not in (None, seen["requestID"]), "the parent is the context between"


@check("headers belong to one call", lambda column: column.versions == ("015", "015"))
async def headers(mesh: Mesh) -> None:
    is_equal((await mesh.broker.call("v3.js.seen", {}, headers={"h": "1"}))["headers"], {"h": "1"}, "headers there")
    is_equal((await mesh.js.call("v1.py.seen", {}, headers={"h": "2"}))["headers"], {"h": "2"}, "headers here")
    nested = await mesh.broker.call("v3.js.chain", {"action": "v1.py.seen"}, headers={"h": "1"})
    is_equal(nested["headers"], {}, "headers one call further")


@check("values, Buffers, nulls, dates, unicode")
async def values(mesh: Mesh) -> None:
    is_equal(
        (await mesh.js.ask("echo", action="v1.py.echo"))["ok"], [], "values that came back to MoleculerJS otherwise"
    )
    binary = b"\x00\x01\xfe\xff"
    moment = datetime(2026, 11, 25, 12, 30, 15, 250_000, UTC)
    is_exact = mesh.column.serializer != "JSON"
    sent: dict[str, Any] = {
        "values": [1, -1.5, 2**53 - 1, True, False, None, "", "é 😀 \x00 \u2028", [], {}, [[None]], {"a": {"b": [{}]}}],
        "bytes": binary if is_exact else {"type": "Buffer", "data": list(binary)},
    }
    is_equal(await mesh.broker.call("v3.js.echo", sent), sent, "values that came back to us")
    if mesh.column.serializer in ("JSONExt", "MsgPack", "CBOR"):
        is_equal(await mesh.broker.call("v3.js.echo", {"at": moment}), {"at": moment}, "a moment that came back")
    for value in (None, 7, "text", [1, 2], False):
        is_equal(await mesh.broker.call("v3.js.echo", value), value, "params that are no object")
        is_equal(await mesh.js.call("v1.py.echo", value), value, "params that are no object")
    assert not any(math.isnan(each) for each in await mesh.broker.call("v3.js.echo", [1, 2]))


ABOUT = {"action": "v3.js.fail", "nodeID": "far-1"}
ERRORS: tuple[tuple[str, list[Any]], ...] = (
    ("MoleculerError", ["a", 500, "A", {"k": [1, None]}]),
    ("MoleculerRetryableError", ["b", 503, "B", {"x": None}]),
    ("MoleculerServerError", ["c", 502, "C", {"deep": {"er": True}}]),
    ("MoleculerClientError", ["d", 409, "CONFLICT", None]),
    ("ValidationError", ["Parameters validation error!", None, [{"type": "number", "field": "id"}]]),
    ("ServiceNotFoundError", [ABOUT]),
    ("ServiceNotAvailableError", [ABOUT]),
    ("RequestTimeoutError", [ABOUT]),
    ("RequestSkippedError", [ABOUT]),
    ("RequestRejectedError", [ABOUT]),
    ("QueueIsFullError", [{**ABOUT, "size": 5, "limit": 5}]),
    ("MaxCallLevelError", [{"nodeID": "far-1", "level": 10}]),
    ("Error", ["plain"]),
    ("TypeError", ["boom"]),
)
FIELDS = ("name", "message", "code", "type", "data", "retryable")


@check("errors of every class")
async def errors(mesh: Mesh) -> None:
    for name, args in ERRORS:
        made = (await mesh.js.ask("made", name=name, args=args))["ok"]
        expected = {field: made.get(field) for field in FIELDS} | {"retryable": bool(made.get("retryable"))}
        ours = await caught(
            mesh.broker.call("v3.js.fail", {"name": name, "args": args}, retries=0, node_id=mesh.js.node_id)
        )
        got = {"name": ours.name, **{field: getattr(ours, field) for field in FIELDS[1:]}}
        is_equal(got, expected, f"{name} raised by MoleculerJS")
        is_equal(type(ours).__name__, "RemoteError" if name in PLAIN else name, f"class of {name} here")
        is_equal(ours.node_id, mesh.js.node_id, f"origin of {name}")
        theirs = await mesh.js.refused(
            "v1.py.fail", {"name": name, "args": args}, retries=0, nodeID=mesh.broker.node_id
        )
        python_name = type(error_of(name, args)).__name__
        got = {field: theirs.get(field) for field in FIELDS} | {"retryable": bool(theirs.get("retryable"))}
        is_equal(got, expected | {"name": python_name}, f"{name} raised by us")
        is_equal(theirs["nodeID"], mesh.broker.node_id, f"origin of {name}")


@check("an error keeps its origin through a chain")
async def chained_errors(mesh: Mesh) -> None:
    fault = {"name": "MoleculerClientError", "args": ["d", 409, "CONFLICT", {"k": 1}]}
    refused = await mesh.js.refused("v1.py.chain", {"action": "v3.js.fail", "params": fault}, retries=0)
    assert refused["nodeID"].startswith("js."), f"origin: {refused['nodeID']}"
    is_equal((refused["code"], refused["data"]), (409, {"k": 1}), "the error at the far end")
    error = await caught(mesh.broker.call("v3.js.chain", {"action": "v1.py.fail", "params": fault}, retries=0))
    assert str(error.node_id).startswith("py."), f"origin: {error.node_id}"
    is_equal((error.code, error.data), (409, {"k": 1}), "the error at the far end")


@check("validation errors", in_one_version)
async def validation(mesh: Mesh) -> None:
    for wrong in ({"id": -1}, {"id": "x", "name": "ab", "tags": [1]}, {}, {"id": 1, "more": True}):
        at_js = await mesh.js.refused("v3.js.valid", wrong, nodeID=mesh.js_2.node_id)
        at_py = await mesh.js.refused("v1.py.valid", wrong, nodeID=mesh.broker.node_id)
        for error in (at_js, at_py):
            error.pop("nodeID")
            for each in error["data"]:
                each.pop("nodeID", None), each.pop("action", None)
        is_equal(at_py, at_js, f"the error for {wrong}")
    is_equal(await mesh.js.call("v1.py.valid", {"id": 1, "name": "  abc "}), {"id": 1, "name": "abc"}, "sanitized here")
    is_equal(
        await mesh.broker.call("v3.js.valid", {"id": 1, "name": " abc"}), {"id": 1, "name": "abc"}, "sanitized there"
    )


@check("unknown actions")
async def unknown(mesh: Mesh) -> None:
    error = await caught(mesh.broker.call("v3.js.nothing"))
    is_equal((error.name, error.type), ("ServiceNotFoundError", "SERVICE_NOT_FOUND"), "asked by us")
    refused = await mesh.js.refused("v1.py.nothing")
    is_equal((refused["name"], refused["type"]), ("ServiceNotFoundError", "SERVICE_NOT_FOUND"), "asked by MoleculerJS")


@check("timeouts")
async def timeouts(mesh: Mesh) -> None:
    error = await caught(mesh.broker.call("v3.js.slow", {"ms": 600_000}, timeout_s=0.2, retries=0))
    is_equal((error.name, error.code), ("RequestTimeoutError", 504), "asked by us")
    refused = await mesh.js.refused("v1.py.slow", {"ms": 600_000}, timeout=200, retries=0)
    is_equal((refused["name"], refused["code"]), ("RequestTimeoutError", 504), "asked by MoleculerJS")


@check("retries, elsewhere each time")
async def retries(mesh: Mesh) -> None:
    is_equal(await mesh.js.call("v1.py.flaky", {"key": "a"}), 2, "the third attempt of MoleculerJS")
    is_equal([ours.py.tries["a"] for ours in (mesh.py, mesh.py_2)].count(1), 1, "attempts at our nodes: two and one")
    is_equal(await mesh.broker.call("v3.js.flaky", {"key": "b"}), 2, "our third attempt")
