"""A node of ours that measures and traces itself: the twin of ``js/watched.js``, driven by the same commands."""

import asyncio
from typing import Any

from broker.node import (
    Broker,
    BrokerOptions,
    BulkheadPolicy,
    CircuitBreakerPolicy,
    Context,
    MemoryCacher,
    MetricsOptions,
    RetryPolicy,
    TracingOptions,
    action,
    event,
    service,
)
from broker.node.context import ABSENT
from broker.node.errors import MoleculerClientError, MoleculerError, MoleculerRetryableError, MoleculerServerError
from broker.node.metrics import EventReporter
from broker.node.tracing import EventExporter


@service("shop", version=2)
class Shop:
    @action()
    async def ok(self, ctx: Context) -> Any:
        return ctx.params

    @action()
    async def nested(self, ctx: Context) -> Any:
        return await ctx.call("math.add", ctx.params, meta={"shop": 1})

    @action()
    async def local(self, ctx: Context) -> Any:
        return await ctx.call("v2.shop.ok", {"id": 3})

    @action()
    async def custom(self, ctx: Context) -> Any:
        with ctx.start_span("compute", tags={"rows": 3}) as span:
            span.log("looked", {"at": "index"})
            total = await ctx.call("math.add", {"a": 1, "b": 2})
        await ctx.call("v2.shop.ok", {"after": True})
        return total

    @action()
    async def tell(self, ctx: Context) -> None:
        await ctx.emit("order.created", {"id": 1})
        await ctx.broadcast("order.seen", {"id": 2})
        await ctx.emit("order.failed", {"id": 3})

    @action()
    async def relay(self, ctx: Context) -> Any:
        return await ctx.call("math.chain", {"action": "v2.shop.ok", "params": {"id": 9}})

    @action()
    async def failing(self, ctx: Context) -> Any:
        return await ctx.call("math.fail")

    @action(tracing={"tags": {"params": ["id"], "meta": ["user"], "response": True}})
    async def tagged(self, _ctx: Context) -> dict[str, int]:
        return {"rows": 1}

    @action(
        tracing={
            "spanName": "look up",
            "tags": lambda ctx, result=ABSENT: {"id": ctx.params["id"], "done": result is not ABSENT},
        }
    )
    async def named(self, _ctx: Context) -> int:
        return 1

    @action(tracing=False)
    async def silent(self, ctx: Context) -> Any:
        return await ctx.call("math.add", {"a": 1, "b": 1})

    @action(bulkhead=BulkheadPolicy(enabled=True, concurrency=1, max_queue_size=1))
    async def guarded(self, _ctx: Context) -> None:
        await asyncio.sleep(0.03)

    @action(fallback=lambda _ctx, _error: "instead")
    async def fallback(self, _ctx: Context) -> None:
        raise MoleculerError("no", 422, "NO")

    @event("order.local")
    async def on_local(self, ctx: Context) -> None:
        ctx.meta["seen"] = True


@service("math")
class Math:
    def __init__(self) -> None:
        self.flaky_calls = 0

    @action()
    async def add(self, ctx: Context) -> Any:
        return ctx.params["a"] + ctx.params["b"]

    @action()
    async def fail(self, _ctx: Context) -> None:
        raise MoleculerClientError("nope", 409, "CONFLICT", {"k": 1})

    @action()
    async def crash(self, _ctx: Context) -> None:
        raise TypeError("odd")

    @action()
    async def broken(self, _ctx: Context) -> None:
        raise MoleculerServerError("broken", 500, "BROKEN")

    @action()
    async def flaky(self, _ctx: Context) -> int:
        self.flaky_calls += 1
        if self.flaky_calls == 1:
            raise MoleculerRetryableError("not yet", 503, "NOT_YET")
        return self.flaky_calls

    @action()
    async def slow(self, _ctx: Context) -> None:
        await asyncio.sleep(0.2)

    @action(cache=True)
    async def cached(self, ctx: Context) -> Any:
        return ctx.params["id"]

    @action()
    async def chain(self, ctx: Context) -> Any:
        return await ctx.call(ctx.params["action"], ctx.params.get("params", {}))


@service("mail")
class Mail:
    @event("order.created", group="mailers")
    async def on_created(self, ctx: Context) -> None:
        await ctx.call("math.add", {"a": 1, "b": 1})

    @event("order.*")
    async def on_any(self, _ctx: Context) -> None: ...

    @event("order.failed")
    async def on_failed(self, _ctx: Context) -> None:
        raise MoleculerError("no mail", 500, "NO_MAIL")


class Watched:
    """One of our nodes, as the tests drive it."""

    def __init__(self, part: str, node_id: str, namespace: str, url: str, protocol: str) -> None:
        self._reporter = EventReporter(interval_s=0)
        self._exporter = EventExporter(interval_s=600)
        options = BrokerOptions(
            protocols=(protocol,),
            heartbeat_interval_s=60,
            heartbeat_timeout_s=180,
            cacher=MemoryCacher(),
            retry=RetryPolicy(enabled=True, retries=1, delay_s=0.01),
            circuit_breaker=CircuitBreakerPolicy(enabled=True, min_request_count=3, threshold=0.5, half_open_s=60),
            metrics=MetricsOptions(reporters=[self._reporter]),
            tracing=TracingOptions(events=True, exporters=[self._exporter]),
        )
        self.broker = Broker(node_id, url, namespace, options=options)
        self._services: list[object] = [Shop()] if part == "one" else [Math(), Mail()]

    async def start(self) -> None:
        """Join."""
        await self.broker.add(*self._services)
        await self.broker.start()

    async def call(self, action_name: str, params: Any, **opts: Any) -> Any:
        """Call, with options as MoleculerJS names them."""
        given: dict[str, Any] = {"timeout_s": opts["timeout"] / 1000} if "timeout" in opts else {}
        given |= {key: opts[key] for key in ("meta", "retries") if key in opts}
        return await self.broker.call(action_name, params, **given)

    async def say(self, how: str, event_name: str, data: Any) -> None:
        """``emit``, ``broadcast`` or ``broadcastLocal``."""
        tell = {"emit": self.broker.emit, "broadcast": self.broker.broadcast}.get(how, self.broker.broadcast_local)
        await tell(event_name, data)

    async def wait(self, names: list[str]) -> None:
        """Until others offer these."""
        await self.broker.wait_for_services(names)

    async def report(self) -> None:
        """Tell spans and metrics now."""
        self._exporter.flush()
        await asyncio.sleep(0)  # so that the snapshot counts it, as MoleculerJS's does
        self._reporter.report()

    async def stop(self) -> None:
        """Leave."""
        await self.broker.stop()
