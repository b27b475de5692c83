"""A caller and a callee of ours for measuring: the twin of ``tests/e2e/js/load.js``, with the same words.

``python -m bench.node_load caller|callee URL NAMESPACE CONCURRENCY [bare|full]``
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

from broker.node import (
    Broker,
    BrokerOptions,
    CircuitBreakerPolicy,
    Context,
    MetricsOptions,
    TracingOptions,
    action,
    service,
)

PARAMS = {"id": 7, "text": "x" * 200}


@service("load")
class Load:
    """What is called."""

    @action(params={"id": "number|integer|positive", "text": "string"})
    async def echo(self, ctx: Context) -> Any:
        return ctx.params


def _options(equipment: str) -> BrokerOptions:
    is_full = equipment == "full"
    return BrokerOptions(
        validator=is_full,
        metrics=MetricsOptions(enabled=is_full),
        tracing=TracingOptions(enabled=is_full),
        circuit_breaker=CircuitBreakerPolicy(enabled=is_full),
    )


class Caller:
    """Keeps calls in flight.

    Attributes:
        calls: Answered so far.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._wanted = 0
        self._working: set[asyncio.Task[None]] = set()
        self.calls = 0

    def keep(self, count: int) -> None:
        """So many from now on."""
        self._wanted = count
        while len(self._working) < count:
            task = asyncio.create_task(self._keep_calling())
            self._working.add(task)
            task.add_done_callback(self._working.discard)

    async def _keep_calling(self) -> None:
        while len(self._working) <= self._wanted:
            await self._broker.call("load.echo", PARAMS)
            self.calls += 1


async def main(role: str, url: str, namespace: str, concurrency: str, equipment: str = "bare") -> None:
    """Run until the standard input ends."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with Broker(f"load-{role}", url, namespace, options=_options(equipment)) as broker:
        caller = Caller(broker)
        if role == "callee":
            await broker.add(Load())
        else:
            await broker.wait_for_services("load")
            caller.keep(int(concurrency))
        print(json.dumps({"ready": True}), flush=True)
        while line := await lines.readline():
            if text := line.strip():
                caller.keep(int(text))
            print(json.dumps({"calls": caller.calls, "ms": time.perf_counter() * 1000}), flush=True)
        caller.keep(0)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
