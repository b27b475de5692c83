"""The Python services of a mesh with MoleculerJS: the twins of those in ``peer.js``."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any, Final

from broker.node import Context, action, event, service
from broker.node import errors as node_errors
from broker.node.errors import MoleculerError, MoleculerRetryableError, ValidationError

CHUNK_BYTES = 50_000
ROWS = 2000
PERIOD = 251
PLAIN: Final[dict[str, type[Exception]]] = {"Error": Exception, "TypeError": TypeError}
_SQUARES = bytes(i * i % PERIOD for i in range(PERIOD))


def chunk_of(begin: int, size: int) -> bytes:
    """Byte i of a stream is i*i modulo 251: squares repeat with the modulus."""
    return (_SQUARES * (size // PERIOD + 2))[begin % PERIOD :][:size]


async def chunks(size: int, chunk: int = CHUNK_BYTES) -> AsyncIterator[bytes]:
    """A stream of so many bytes, so many at once."""
    for begin in range(0, size, chunk):
        yield chunk_of(begin, min(chunk, size - begin))


def sha256_of(size: int) -> str:
    """Of the stream of so many bytes."""
    digest = hashlib.sha256()
    for begin in range(0, size, CHUNK_BYTES):
        digest.update(chunk_of(begin, min(CHUNK_BYTES, size - begin)))
    return digest.hexdigest()


def row(i: int) -> dict[str, Any]:
    """One of a stream of objects."""
    return {"i": i, "text": f"row {i} é😀", "none": None}


async def rows(count: int) -> AsyncIterator[dict[str, Any]]:
    """A stream of objects."""
    for i in range(count):
        yield row(i)


async def torn() -> AsyncIterator[dict[str, Any]]:
    """A stream that fails after so many objects that whoever reads it has begun."""
    async for each in rows(ROWS):
        yield each
    raise MoleculerError("torn", 500, "TORN", {"n": 1})


def source(
    bytes: int | None = None, chunk: int = CHUNK_BYTES, count: int = 0, failing: bool = False
) -> AsyncIterator[Any]:
    """As ``peer.js`` makes one."""
    if failing:
        return torn()
    return rows(count) if bytes is None else chunks(bytes, chunk)


async def digest(stream: AsyncIterator[Any]) -> dict[str, Any]:
    """What arrived: size and hash of bytes, or number and correctness of objects."""
    hashed, size, objects = hashlib.sha256(), 0, []
    async for chunk in stream:
        if isinstance(chunk, bytes):
            hashed.update(chunk)
            size += len(chunk)
        else:
            objects.append(chunk)
    if objects:
        return {"rows": len(objects), "right": objects == [row(i) for i in range(len(objects))]}
    return {"size": size, "sha256": hashed.hexdigest()}


def seen(ctx: Context) -> dict[str, Any]:
    """What a context says, under the names of MoleculerJS."""
    return {
        "id": ctx.id,
        "level": ctx.level,
        "requestID": ctx.request_id,
        "parentID": ctx.parent_id,
        "caller": ctx.caller,
        "nodeID": ctx.node_id,
        "meta": ctx.meta,
        "headers": ctx.headers,
        "timeout": None if ctx.timeout_s is None else ctx.timeout_s * 1000,
    }


def error_of(name: str, args: list[Any]) -> BaseException:
    """An error of ours with the name and the arguments of MoleculerJS's."""
    if name in PLAIN:
        return PLAIN[name](*args)
    if name == "ValidationError":
        message, kind, data = args
        return ValidationError(message, type=kind, data=data)
    made: BaseException = getattr(node_errors, name)(*args)
    return made


@service("twin", version=2, settings={"page": 3, "list": [1, {"deep": True}]}, metadata={"team": "both"})
class Twin:
    """The same in both languages, for comparing what registries say of it."""

    @action(
        params={"id": "number|integer|positive", "tags": {"type": "array", "items": "string", "optional": True}},
        cache={"keys": ["id"], "ttl_s": 5},
        timeout_s=2.5,
        description="the same in both languages",
    )
    async def get(self, ctx: Context) -> Any:
        return ctx.params["id"]

    @action(visibility="private")
    async def hidden(self, _ctx: Context) -> int:
        return 1

    @action(visibility="protected")
    async def here(self, _ctx: Context) -> int:
        return 1

    @action("open", visibility="public", rest="GET /open")
    async def opened(self, _ctx: Context) -> int:
        return 1

    @event("twin.changed", group="twins", params={"id": "number"})
    async def on_changed(self, _ctx: Context) -> None: ...

    @event("twin.*")
    async def on_any(self, _ctx: Context) -> None: ...


class Listener:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []

    async def hear(self, ctx: Context) -> None:
        """Keep an event."""
        about = {"name": ctx.event_name, "type": ctx.event_kind, "groups": ctx.event_groups, "data": ctx.params}
        self.heard.append(about | seen(ctx))


@service("py", version=1)
class Py(Listener):
    """What MoleculerJS calls."""

    def __init__(self) -> None:
        super().__init__()
        self.tries: dict[str, int] = {}

    @action()
    async def echo(self, ctx: Context) -> Any:
        return ctx.params

    @action()
    async def where(self, ctx: Context) -> str:
        return ctx.broker.node_id

    @action("seen")
    async def seen_here(self, ctx: Context) -> dict[str, Any]:
        ctx.meta["fromPy"] = True
        return seen(ctx)

    @action()
    async def fail(self, ctx: Context) -> None:
        raise error_of(ctx.params["name"], ctx.params["args"])

    @action(
        params={
            "id": "number|integer|positive",
            "name": {"type": "string", "min": 3, "trim": True, "optional": True},
            "tags": {"type": "array", "items": "string", "optional": True},
            "$$strict": True,
        }
    )
    async def valid(self, ctx: Context) -> Any:
        return ctx.params

    @action()
    async def slow(self, ctx: Context) -> str:
        await asyncio.sleep(ctx.params["ms"] / 1000)
        return "late"

    @action()
    async def flaky(self, ctx: Context) -> int:
        tries = self.tries[ctx.params["key"]] = self.tries.get(ctx.params["key"], 0) + 1
        if tries == 1:
            raise MoleculerRetryableError("not yet", 503, "NOT_YET")
        return tries

    @action()
    async def chain(self, ctx: Context) -> Any:
        ctx.meta["chained"] = ctx.meta.get("chained", 0) + 1
        return await ctx.call(ctx.params["action"], ctx.params.get("params"))

    @action()
    def give(self, ctx: Context) -> AsyncIterator[Any]:
        return source(**ctx.params)

    @action()
    async def take(self, ctx: Context) -> dict[str, Any]:
        return {**await digest(ctx.chunks()), "meta": ctx.meta, "name": (ctx.params or {}).get("name")}

    @event("to.py.*")
    async def on_any(self, ctx: Context) -> None:
        await self.hear(ctx)

    @event("balanced.py", group="workers")
    async def on_balanced(self, ctx: Context) -> None:
        await self.hear(ctx)

    @event("shared.thing", group="shared")
    async def on_shared(self, ctx: Context) -> None:
        await self.hear(ctx)

    @event("deep.py.**")
    async def on_deep(self, ctx: Context) -> None:
        await self.hear(ctx)


def grouped(node_id: str) -> Listener:
    """A service whose subscription is in a group of its node's name."""

    @service("grouped")
    class Grouped(Listener):
        @event("grouped.py", group=node_id)
        async def on_grouped(self, ctx: Context) -> None:
            await self.hear(ctx)

    return Grouped()
