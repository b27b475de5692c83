"""Rows of the table: streams."""

from __future__ import annotations

import asyncio
from typing import Any

from broker.node.errors import MoleculerError
from tests.interop.check import check, is_equal
from tests.interop.mesh import Mesh, until
from tests.interop.services import ROWS, chunks, digest, rows, sha256_of

TEN_MEGABYTES = 10 * 1024 * 1024
READING_S = 0.01
"""How long a slow reader is busy with a chunk."""


@check("answers as streams of 10 MB")
async def answers(mesh: Mesh) -> None:
    expected = {"size": TEN_MEGABYTES, "sha256": sha256_of(TEN_MEGABYTES)}
    is_equal(await digest(await mesh.broker.call("v3.js.give", {"bytes": TEN_MEGABYTES})), expected, "what we got")
    got = (await mesh.js.ask("get", action="v1.py.give", params={"bytes": TEN_MEGABYTES}))["ok"]
    is_equal(got, expected, "what MoleculerJS got")


@check("requests as streams of 10 MB")
async def requests(mesh: Mesh) -> None:
    expected = {"size": TEN_MEGABYTES, "sha256": sha256_of(TEN_MEGABYTES)}
    taken = await mesh.broker.call("v3.js.take", {"name": "n"}, stream=chunks(TEN_MEGABYTES), meta={"m": 1})
    _is_taken(taken, expected, mesh, "what MoleculerJS took")
    taken = (await mesh.js.ask("put", action="v1.py.take", source={"bytes": TEN_MEGABYTES}))["ok"]
    _is_taken(taken, expected, mesh, "what we took")


def _is_taken(taken: dict[str, Any], expected: dict[str, Any], mesh: Mesh, what: str) -> None:
    name, meta = taken.pop("name"), taken.pop("meta")
    is_equal(taken, expected, what)
    if not mesh.column.is_mixed:  # protocol 4 has no params beside a stream
        is_equal(name, "n" if mesh.column.versions[0] == "015" else None, f"{what}: params beside it")
    is_equal(meta["m"], 1, f"{what}: its meta")


@check("a chunk of 3 MB is cut, and whole in the end")
async def big_chunk(mesh: Mesh) -> None:
    size = 3 * 1024 * 1024
    expected, params = {"size": size, "sha256": sha256_of(size)}, {"bytes": size, "chunk": size}
    is_equal(await digest(await mesh.broker.call("v3.js.give", params)), expected, "what we got")
    is_equal((await mesh.js.ask("get", action="v1.py.give", params=params))["ok"], expected, "what MoleculerJS got")
    taken = await mesh.broker.call("v3.js.take", {"name": "n"}, stream=chunks(size, size), meta={"m": 1})
    _is_taken(taken, expected, mesh, "what MoleculerJS took")
    _is_taken((await mesh.js.ask("put", action="v1.py.take", source=params))["ok"], expected, mesh, "what we took")


@check("a slow reader gets every byte")
async def slow_reader(mesh: Mesh) -> None:
    size = 5 * 1024 * 1024
    got = 0
    async for chunk in await mesh.broker.call("v3.js.give", {"bytes": size, "chunk": size}):
        got += len(chunk)
        await asyncio.sleep(READING_S)
    is_equal(got, size, "bytes that we read")
    await until(lambda: mesh.broker.requesting.receiving == 0)


@check("streams of objects")
async def objects(mesh: Mesh) -> None:
    expected = {"rows": ROWS, "right": True}
    is_equal(await digest(await mesh.broker.call("v3.js.give", {"count": ROWS})), expected, "what we got")
    got = (await mesh.js.ask("get", action="v1.py.give", params={"count": ROWS}))["ok"]
    is_equal(got, expected, "what MoleculerJS got")
    taken = await mesh.broker.call("v3.js.take", {"name": "n"}, stream=rows(ROWS), meta={"m": 1})
    _is_taken(taken, expected, mesh, "what MoleculerJS took")
    taken = (await mesh.js.ask("put", action="v1.py.take", source={"count": ROWS}))["ok"]
    _is_taken(taken, expected, mesh, "what we took")


@check("streams that fail")
async def failing(mesh: Mesh) -> None:
    stream = await mesh.broker.call("v3.js.give", {"failing": True})
    got = 0
    try:
        async for _ in stream:
            got += 1
    except MoleculerError as error:
        is_equal((got, error.message, error.type), (ROWS, "torn", "TORN"), "how it ended for us")
    else:
        raise AssertionError("the stream ended without its error")
    said = (await mesh.js.ask("torn", action="v1.py.give"))["ok"]
    assert said["error"] is not None, "the stream ended without its error for MoleculerJS"
    got, error = said["got"], said["error"]
    is_equal((got, error["message"], error["type"]), (ROWS, "torn", "TORN"), "how it ended for MoleculerJS")
