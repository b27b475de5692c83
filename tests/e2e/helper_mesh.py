"""Meshes whose nodes run Meshscope's helper: callers, two banks that they call, an operator, and a tap on the bus.

Scenarios know nodes by `HelperNode` only, so that nodes in any language can play in them: `MESHES` names the casts.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from broker.agent.signature import BreakerCommand, Endpoint, sign
from broker.node import Broker, BrokerOptions
from broker.operate.commands import HELPER_BREAKERS, HELPER_COMMAND
from tests.e2e.bare_tap import BareTap
from tests.e2e.redis_server import RedisServer
from tests.interop.mesh import until, until_true
from tests.interop.peer import Peer

SECRET = "a secret that never crosses the bus"
HALF_OPEN_MS = 1000
TRANSFER, PLAIN = "v2.bank.transfer", "v2.bank.plain"
"""An action with a breaker, and one whose breaker is disabled."""
_NAMESPACES = (f"helper.mesh-{number}" for number in itertools.count())


@dataclass(frozen=True)
class NodeOptions:
    """How a node is to be.

    Attributes:
        serves: Whether it offers the bank.
        secret: None for a node without.
        secret_in: Where it has it from.
    """

    node_id: str
    namespace: str
    url: str
    serves: bool
    secret: str | None
    secret_in: Literal["environment", "settings"] = "environment"


@dataclass(frozen=True)
class Sent:
    """One request of a node's traffic, as that node saw it.

    Attributes:
        target: The node that it went to.
        at_ms: When, by the node's own clock, in ms since the epoch.
        outcome: "ok", or the name of its error; empty while it is open.
    """

    action: str
    target: str
    at_ms: float
    outcome: str


class HelperNode(Protocol):
    """A node that runs the helper. Its breakers half-open after `HALF_OPEN_MS` and need five calls to open.

    Attributes:
        node_id: Its name.
    """

    node_id: str

    async def start(self) -> None:
        """Start it, or start it again, and wait until it is in the mesh."""
        ...

    async def stop(self) -> None:
        """Let it leave gracefully."""
        ...

    async def kill(self) -> None:
        """End it without a farewell, if it runs."""
        ...

    async def call(self, action: str, params: Any = None, **opts: Any) -> Any:
        """Let it call an action; options as MoleculerJS names them."""
        ...

    async def traffic(self, action: str, *, retries: int = 0, workers: int = 3) -> None:
        """Make it call an action all the time, from now on, 2 s at most each; forgets the traffic before."""
        ...

    async def rest(self) -> None:
        """End its traffic."""
        ...

    async def sent(self, after: int = 0) -> list[Sent]:
        """Its requests, without the first ones; each attempt is one, and what stays inside the node is none."""
        ...

    async def results(self) -> list[str]:
        """How each call of its traffic ended after all attempts: "ok" or the name of an error."""
        ...

    async def failing(self, on: bool) -> None:
        """Let its bank fail with a code of 500, or answer again."""
        ...

    async def said(self) -> list[tuple[str, str]]:
        """What its helper wrote into the log: level ("info", "warn", …) and text."""
        ...

    async def remove_helper(self) -> None:
        """Take the helper service out of the running node."""
        ...

    async def add_helper(self) -> None:
        """Put it in again."""
        ...


class JsHelperNode(Peer):
    """A MoleculerJS node: ``js/helper_node.js``."""

    def __init__(self, version: str, options: NodeOptions) -> None:
        super().__init__(
            {
                "version": version,
                "nodeID": options.node_id,
                "namespace": options.namespace,
                "url": options.url,
                "serves": options.serves,
                "secret": options.secret,
                "secretIn": options.secret_in,
                "breaker": {"minRequestCount": 5, "threshold": 0.5, "halfOpenTime": HALF_OPEN_MS, "windowTime": 60},
            },
            "helper_node.js",
        )

    async def traffic(self, action: str, *, retries: int = 0, workers: int = 3) -> None:
        await self.ask("traffic", action=action, retries=retries, workers=workers)

    async def rest(self) -> None:
        await self.ask("rest")

    async def sent(self, after: int = 0) -> list[Sent]:
        return [Sent(**each) for each in (await self.ask("sent", after=after))["ok"]]

    async def results(self) -> list[str]:
        return list((await self.ask("results"))["ok"])

    async def failing(self, on: bool) -> None:
        await self.ask("failing", on=on)

    async def said(self) -> list[tuple[str, str]]:
        return [(each["level"], each["text"]) for each in (await self.ask("said"))["ok"]]

    async def remove_helper(self) -> None:
        await self.ask("removeHelper")

    async def add_helper(self) -> None:
        await self.ask("addHelper")


class PyHelperNode(JsHelperNode):
    """A node of ours, driven in the same way: ``helper_node.py``."""

    def command(self) -> tuple[str, ...]:
        return sys.executable, str(Path(__file__).with_name("helper_node.py")), json.dumps(self._options)


MakeNode = Callable[[NodeOptions], HelperNode]


@dataclass(frozen=True)
class Cast:
    """Who plays: nodes of one kind, and the protocol that they speak."""

    make: MakeNode
    protocol: str


MESHES: dict[str, Cast] = {
    "MoleculerJS 0.14": Cast(lambda options: JsHelperNode("014", options), "4"),
    "MoleculerJS 0.15": Cast(lambda options: JsHelperNode("015", options), "5"),
}
PYTHON_CALLS = {
    "Python calls MoleculerJS 0.15": Cast(
        lambda options: (JsHelperNode if options.serves else PyHelperNode)("015", options), "5"
    ),
}
PYTHON_SERVES = {
    "MoleculerJS 0.14 calls Python": Cast(
        lambda options: (PyHelperNode if options.serves else JsHelperNode)("014", options), "4"
    ),
}


@dataclass
class HelperMesh:
    """``shop-1`` and ``shop-2`` call ``bank-1`` and ``bank-2``; all four run the helper, bank-2 without a secret.

    Attributes:
        operator: A node of ours that sends commands, and offers and hears nothing.
        tap: All frames on the bus since before the first node.
    """

    cast: Cast
    redis: RedisServer
    namespace: str = field(default_factory=lambda: next(_NAMESPACES))

    def __post_init__(self) -> None:
        def node(node_id: str, *, serves: bool, secret: str | None = SECRET, **more: Any) -> HelperNode:
            return self.cast.make(NodeOptions(node_id, self.namespace, self.redis.url, serves, secret, **more))

        self.shop_1 = node("shop-1", serves=False)
        self.shop_2 = node("shop-2", serves=False)
        self.bank_1 = node("bank-1", serves=True, secret_in="settings")
        self.bank_2 = node("bank-2", serves=True, secret=None)
        self.nodes = {each.node_id: each for each in (self.shop_1, self.shop_2, self.bank_1, self.bank_2)}
        self.operator = self.new_operator("operator-1")
        self.tap = BareTap(self.redis.url)

    def new_operator(self, node_id: str) -> Broker:
        """A node of ours that may send commands; it does not run yet."""
        options = BrokerOptions(protocols=(self.cast.protocol,), settle_s=0.05, heartbeat_interval_s=1)
        return Broker(node_id, self.redis.url, self.namespace, options=options)

    async def start(self) -> None:
        """Start all, and wait until the callers know the banks."""
        self.tap.__enter__()
        await asyncio.gather(*(each.start() for each in self.nodes.values()))
        await self.operator.start()
        await self._until_helpers_are_known()
        for shop in (self.shop_1, self.shop_2):
            await until_true(lambda shop=shop: self._knows_both_banks(shop))  # type: ignore[misc]

    async def end(self) -> None:
        """End all."""
        await self.operator.stop()
        await asyncio.gather(*(each.kill() for each in self.nodes.values()))
        self.tap.__exit__(None, None, None)

    async def calm(self) -> None:
        """As if nothing had happened: no traffic, all breakers closed, nothing held."""
        await self._until_helpers_are_known()  # one that was put in again is, when the node's next INFO came
        for each in (self.shop_1, self.shop_2):
            await each.rest()
        for each in (self.bank_1, self.bank_2):
            await each.failing(False)
        for owner in ("shop-1", "shop-2", "bank-1"):
            for breaker in (await self.listed(owner))["breakers"]:
                await self.done(owner, "reset", breaker["node"], breaker["action"])

    async def _until_helpers_are_known(self) -> None:
        await until(lambda: self.nodes.keys() <= self._known_helpers())

    def _known_helpers(self) -> set[str]:
        return {node.id for node, offered in self.operator.registry.services() if offered.name == "$meshscope"}

    async def _knows_both_banks(self, shop: HelperNode) -> bool:
        listed = (await self.listed(shop.node_id))["breakers"]
        return {"bank-1", "bank-2"} <= {each["node"] for each in listed}

    # what an operator does

    async def listed(self, owner: str) -> dict[str, Any]:
        """The list of a helper."""
        answer: dict[str, Any] = await self.operator.call(HELPER_BREAKERS, {}, node_id=owner, timeout_s=30.0)
        return answer

    async def breaker(self, owner: str, node: str, action: str = TRANSFER) -> dict[str, Any]:
        """One breaker of it."""
        found = [b for b in (await self.listed(owner))["breakers"] if (b["node"], b["action"]) == (node, action)]
        assert len(found) == 1, f"{owner} lists {node}:{action} {len(found)} times"
        breaker: dict[str, Any] = found[0]
        return breaker

    async def command(self, owner: str, verb: Any, node: str, action: str = TRANSFER, **fields: Any) -> BreakerCommand:
        """A command as an operator makes it."""
        given: dict[str, Any] = {
            "verb": verb,
            "namespace": self.namespace,
            "node": owner,
            "instance": (await self.listed(owner))["instance"],
            "endpoint": Endpoint(node, action),
            "nonce": secrets.token_hex(16),
            "time_ms": int(time.time() * 1000),
            "reason": "a test",
            "by": "user@host",
        }
        return BreakerCommand(**(given | fields))

    async def tell(self, owner: str, params: Any) -> dict[str, Any]:
        """Send a command that is signed already, or is none."""
        answer: dict[str, Any] = await self.operator.call(HELPER_COMMAND, params, node_id=owner, timeout_s=30.0)
        return answer

    async def told(self, owner: str, verb: Any, node: str, action: str = TRANSFER, **fields: Any) -> dict[str, Any]:
        """Sign a command, send it, and give the answer."""
        return await self.tell(owner, sign(SECRET, await self.command(owner, verb, node, action, **fields)).params())

    async def done(self, owner: str, verb: Any, node: str, action: str = TRANSFER, **fields: Any) -> dict[str, Any]:
        """The same; it must be done. Gives the breaker."""
        answer = await self.told(owner, verb, node, action, **fields)
        assert (answer["outcome"], answer["cause"]) == ("done", ""), answer
        breaker: dict[str, Any] = answer["breaker"]
        return breaker

    async def hold(self, owner: str, node: str, state: str = "open", *, for_s: float = 600.0) -> dict[str, Any]:
        """Hold a breaker; gives it."""
        return await self.done(owner, "hold", node, state=state, for_ms=int(for_s * 1000))

    # what the bus and the nodes say

    def packets(self, since: int = 0) -> list[Packet]:
        """What crossed the bus, from a place in the tap's frames on."""
        prefix = f"MOL-{self.namespace}."
        frames = [(channel.decode(), body) for channel, body in self.tap.frames[since:]]
        return [Packet(name.removeprefix(prefix), json.loads(body)) for name, body in frames if name.startswith(prefix)]

    def requests(self, sender: str, target: str, packets: list[Packet]) -> int:
        """How many requests of a node to another's bank these are."""
        return sum(
            packet.channel == f"REQ.{target}"
            and packet.body["sender"] == sender
            and packet.body["action"].startswith("v2.bank.")
            for packet in packets
        )

    async def heard(self, wanted: Callable[[Packet], bool], since: int = 0) -> int:
        """Wait for a packet on the bus; gives its place among `packets`."""
        place = -1

        def is_there() -> bool:
            nonlocal place
            place = next((i for i, packet in enumerate(self.packets(since)) if wanted(packet)), -1)
            return place >= 0

        await until(is_there)
        return place

    async def sends(self, shop: HelperNode, target: str, count: int = 20, *, after: int = 0) -> None:
        """Wait until a node has sent so many requests to another."""

        async def has() -> bool:
            return sum(each.target == target for each in await shop.sent(after)) >= count

        await until_true(has)

    def mark(self) -> int:
        """This moment, as a place in the tap's frames."""
        return len(self.tap.frames)


@dataclass(frozen=True)
class Packet:
    """One packet: the rest of its channel's name, as ``REQ.bank-1``, and what it says."""

    channel: str
    body: dict[str, Any]

    def is_event(self, name: str, sender: str) -> bool:
        """Whether it is this event of this node."""
        return self.channel.startswith("EVENT") and (self.body["event"], self.body["sender"]) == (name, sender)

    def is_answer_to(self, operator: str, hold_id: str) -> bool:
        """Whether it is the report of a hold."""
        return self.channel == f"RES.{operator}" and hold_id in json.dumps(self.body.get("data"))

    def is_command(self, verb: str) -> bool:
        """Whether it is a command to a helper."""
        if not self.channel.startswith("REQ.") or self.body["action"] != HELPER_COMMAND:
            return False
        return bool(json.loads(self.body["params"]["command"])["verb"] == verb)


@dataclass
class Stage:
    """A mesh that plays one story after the other, on one loop."""

    mesh: HelperMesh
    runner: asyncio.Runner

    def play(self, story: Callable[[HelperMesh], Coroutine[Any, Any, None]]) -> None:
        """Play a story from calm to calm, or fail where it hangs."""

        async def limited() -> None:
            async with asyncio.timeout(120.0):
                await self.mesh.calm()
                await story(self.mesh)

        self.runner.run(limited())


@contextmanager
def on_stage(cast: Cast, redis: RedisServer) -> Iterator[Stage]:
    """A mesh that runs while the block does."""
    mesh = HelperMesh(cast, redis)
    with asyncio.Runner() as runner:
        try:
            runner.run(mesh.start())
            yield Stage(mesh, runner)
        finally:
            runner.run(mesh.end())
