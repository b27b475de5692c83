"""A node of ours that runs the helper, calls others again and again, and remembers what it sent.

The twin of ``js/helper_node.js``: the same options, the same commands line by line, the same answers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from typing import Any

from broker.agent.helper import Helper
from broker.node import Broker, BrokerOptions, CircuitBreakerPolicy, Context, RetryPolicy, action, service
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.errors import MoleculerError, MoleculerServerError
from broker.node.middleware import Middleware

_LEVELS = {"WARNING": "warn", "ERROR": "error"}


def say(message: dict[str, Any]) -> None:
    """One line for who drives us."""
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()


class Remembering(Middleware):
    """Notes each request that is sent to another node."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def remote_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        if action.name.startswith("$"):
            return call

        async def handler(ctx: Context) -> Any:
            entry = {"action": action.name, "target": ctx.node_id, "at_ms": time.time() * 1000, "outcome": ""}
            self.sent.append(entry)
            try:
                result = await call(ctx)
            except Exception as error:
                entry["outcome"] = name_of(error)
                raise
            entry["outcome"] = "ok"
            return result

        return handler


def name_of(error: Exception) -> str:
    """As MoleculerJS names it."""
    return error.name if isinstance(error, MoleculerError) else type(error).__name__


class Said(logging.Handler):
    """Keeps what the helper logs."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[dict[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append({"level": _LEVELS.get(record.levelname, "info"), "text": record.getMessage()})


class Node:
    """The node, and what it is asked to do."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.remembering = Remembering()
        self.said = Said()
        self.results: list[str] = []
        self.is_failing = False
        self._traffic: list[asyncio.Task[None]] = []
        logging.getLogger("broker.agent").setLevel(logging.INFO)
        logging.getLogger("broker.agent").addHandler(self.said)
        self.broker = Broker(
            options["nodeID"],
            options["url"],
            options["namespace"],
            options=BrokerOptions(
                protocols=("4",) if options["version"] == "014" else ("5",),
                circuit_breaker=CircuitBreakerPolicy(enabled=True).overlaid(options["breaker"]),
                retry=RetryPolicy(enabled=True, retries=0, delay_s=0.001, factor=1.0),
                middlewares=[self.remembering],
                heartbeat_interval_s=1.0,
                heartbeat_timeout_s=120.0,
                settle_s=0.05,
            ),
        )

    async def start(self) -> None:
        """Join the mesh."""
        os.environ.pop("MESHSCOPE_SECRET", None)
        if self.options["secret"] and self.options["secretIn"] != "settings":
            os.environ["MESHSCOPE_SECRET"] = self.options["secret"]
        if self.options["serves"]:
            await self.broker.add(bank_of(self))
        await self.broker.add(self._helper())
        await self.broker.start()

    def _helper(self) -> Helper:
        return Helper(self.options["secret"]) if self.options["secretIn"] == "settings" else Helper()

    async def _call_again(self, name: str, gap_ms: float, retries: int, timeout_ms: float) -> None:
        while True:
            try:
                await self.broker.call(name, {}, retries=retries, timeout_s=timeout_ms / 1000)
            except Exception as error:  # noqa: BLE001 - any is an outcome
                self.results.append(name_of(error))
            else:
                self.results.append("ok")
            await asyncio.sleep(gap_ms / 1000)

    async def rest(self) -> None:
        """No more calls."""
        for task in self._traffic:
            task.cancel()
        await asyncio.gather(*self._traffic, return_exceptions=True)
        self._traffic = []

    async def do(self, asked: dict[str, Any]) -> Any:
        """One command; gives what it answers."""
        match asked["do"]:
            case "call":
                node_id = (asked.get("opts") or {}).get("nodeID")
                return await self.broker.call(asked["action"], asked.get("params"), node_id=node_id)
            case "traffic":
                await self.rest()
                self.remembering.sent, self.results = [], []
                self._traffic = [
                    asyncio.create_task(
                        self._call_again(
                            asked["action"], asked.get("gap_ms", 2), asked.get("retries", 0), asked.get("timeout", 2000)
                        )
                    )
                    for _ in range(asked.get("workers", 3))
                ]
            case "rest":
                await self.rest()
            case "sent":
                return self.remembering.sent[asked.get("after") or 0 :]
            case "results":
                return self.results
            case "said":
                return self.said.lines
            case "failing":
                self.is_failing = asked["on"]
            case "removeHelper":
                await self.broker.remove("$meshscope")
            case "addHelper":
                await self.broker.add(self._helper())
            case "stop":
                await self.rest()
                await self.broker.stop()
        return True


def bank_of(node: Node) -> object:
    """The bank that a node serves."""

    @service("bank", version=2)
    class Bank:
        @action()
        async def transfer(self, _ctx: Context) -> str:
            if node.is_failing:
                raise MoleculerServerError("the vault is shut", 500, "SHUT")
            return node.broker.node_id

        @action(circuit_breaker=CircuitBreakerPolicy(enabled=False))
        async def plain(self, _ctx: Context) -> str:
            return node.broker.node_id

    return Bank()


async def main() -> None:
    """Obey line by line until we are told to stop, or nobody is there any more."""
    node = Node(json.loads(sys.argv.pop()))  # so that $node.health does not show the secret among them
    await node.start()
    say({"ready": True})
    lines = asyncio.StreamReader(limit=2**26)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    running: set[asyncio.Task[None]] = set()

    async def obey(asked: dict[str, Any]) -> None:
        try:
            say({"n": asked["n"], "ok": await node.do(asked)})
        except Exception as error:  # noqa: BLE001 - told to who drives us
            say({"n": asked["n"], "error": {"name": name_of(error), "message": str(error)}})

    while line := await lines.readline():
        asked = json.loads(line)
        if asked["do"] == "stop":
            await obey(asked)
            return
        task = asyncio.create_task(obey(asked))
        running.add(task)
        task.add_done_callback(running.discard)


if __name__ == "__main__":
    asyncio.run(main())
