"""Asking for breakers: helpers for their lists, nodes without one for what they may call. Answers become frames."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from broker.clock import SECOND
from broker.observe.journal import StateChange
from broker.operate.commands import (
    HELPER_BREAKERS,
    HELPER_SERVICE,
    AskBreakers,
    Call,
    OutcomeWord,
    Report,
    TargetReport,
)
from broker.probe.calling import Refusal, call
from broker.probe.hands import CannotAct, Hands

ROUND_NS: Final = 10 * SECOND
"""How often somebody is asked who was not heard meanwhile."""
HEARD_NS: Final = 15 * SECOND
"""A helper that told its list so lately need not be asked."""
REPEAT_NS: Final = 30 * SECOND
"""What a node without helper says is written down again after so long, though it is the same."""
TIMEOUT_MS: Final = 3_000.0
AT_ONCE: Final = 8
MOST_A_ROUND: Final = 40
MOST_NODES: Final = 10_000

_NODE_SERVICE: Final = "$node"
_NODE_ACTIONS: Final = "$node.actions"
_ALL_ENDPOINTS: Final = json.dumps({"withEndpoints": True, "skipInternal": True})

Note = Callable[[dict[str, Any]], None]
"""Takes what is to be a frame."""


@dataclass(slots=True)
class _Node:
    """What is known of a node that can be asked."""

    has_helper: bool
    heard_ns: int = 0  # its helper told its list
    asked_ns: int = 0
    noted_ns: int = 0
    noted: str = ""


class BreakerAsker:
    """Keeps who can be asked, asks, and writes answers down."""

    def __init__(self, note: Note, now_ns: Callable[[], int]) -> None:
        """
        Args:
            note: Takes each answer as what an ``@asked`` frame says.
            now_ns: Tells the time.
        """
        self._note = note
        self._now_ns = now_ns
        self._nodes: dict[tuple[str, str], _Node] = {}
        self._task: asyncio.Task[None] | None = None

    def learn(self, changes: Iterable[StateChange]) -> None:
        """Take in what was observed of nodes and helpers."""
        for change in changes:
            key = (change.namespace, change.key)
            if change.kind == "node":
                self._learn_node(key, change.value or {})
            elif change.kind == "helper" and change.value is not None and key in self._nodes:
                self._nodes[key].heard_ns = change.at_ns

    def _learn_node(self, key: tuple[str, str], value: dict[str, Any]) -> None:
        services = value.get("services") or ()
        has_helper = HELPER_SERVICE in services
        if value.get("state") != "online" or value.get("ours") or not (has_helper or _NODE_SERVICE in services):
            self._nodes.pop(key, None)
        elif key in self._nodes:
            self._nodes[key].has_helper = has_helper
        elif len(self._nodes) < MOST_NODES:
            self._nodes[key] = _Node(has_helper)

    # by itself

    def tick(self, hands: Hands | None, refusal: Refusal) -> None:
        """Several times a second: ask who is due, in the background, if it may be done.

        Args:
            hands: Who sends; None while there is no connection for it.
            refusal: Why nothing may be sent; empty while it may.
        """
        if hands is None or (self._task is not None and not self._task.done()) or refusal():
            return
        due = self._due()
        if due:
            self._task = asyncio.create_task(self._round(hands, due, refusal), name="asking for breakers")

    async def end(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _due(self) -> list[tuple[str, str]]:
        now_ns = self._now_ns()
        due = [
            (node.asked_ns, key)
            for key, node in self._nodes.items()
            if now_ns >= node.asked_ns + ROUND_NS and not (node.has_helper and now_ns < node.heard_ns + HEARD_NS)
        ]
        return [key for _, key in sorted(due)[:MOST_A_ROUND]]

    async def _round(self, hands: Hands, keys: Sequence[tuple[str, str]], refusal: Refusal) -> None:
        await self._ask_all(hands, keys, refusal)

    # because somebody wants it

    async def ask(self, hands: Hands, command: AskBreakers, refusal: Refusal) -> Report:
        """Ask now, and report a row for each node."""
        known = [key for key in self._nodes if key[0] == command.namespace]
        keys = [(command.namespace, node_id) for node_id in command.node_ids] or known
        if not keys:
            return Report("failed", "No node is known that could be asked.", "Wait until nodes have been heard.")
        rows = await self._ask_all(hands, keys, refusal)
        done = sum(row.outcome == "done" for row in rows)
        outcome: OutcomeWord = "done" if done == len(rows) else "partly" if done else "failed"
        return Report(outcome, f"{done} of {len(rows)} nodes told of their breakers.", targets=tuple(rows))

    async def _ask_all(self, hands: Hands, keys: Sequence[tuple[str, str]], refusal: Refusal) -> list[TargetReport]:
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(key: tuple[str, str]) -> TargetReport:
            async with slots:
                return await self._ask_one(hands, key, refusal)

        return list(await asyncio.gather(*map(one, keys)))

    async def _ask_one(self, hands: Hands, key: tuple[str, str], refusal: Refusal) -> TargetReport:
        namespace, node_id = key
        known = self._nodes.get(key)
        node = known or _Node(has_helper=True)
        node.asked_ns = self._now_ns()
        about = {"namespace": namespace, "node": node_id}
        if node.has_helper:
            report = await self._call(hands, Call(namespace, HELPER_BREAKERS, "{}", node_id=node_id), refusal)
            if report.outcome == "done" and report.answer is not None:
                self._note({"what": "helper", **about, "list": json.loads(report.answer.data or "null")})
                return TargetReport(node_id, "done")
            if known is not None or report.outcome != "failed":
                return TargetReport(node_id, report.outcome, report.message)
        # one that has not described itself yet may have none
        report = await self._call(hands, Call(namespace, _NODE_ACTIONS, _ALL_ENDPOINTS, node_id=node_id), refusal)
        if report.outcome != "done" or report.answer is None:
            return TargetReport(node_id, report.outcome, report.message)
        said = endpoints_of(json.loads(report.answer.data or "null"))
        self._note_endpoints(node, {"what": "endpoints", **about, **said})
        return TargetReport(node_id, "done")

    @staticmethod
    async def _call(hands: Hands, wanted: Call, refusal: Refusal) -> Report:
        try:
            return await call(hands, replace(wanted, timeout_ms=TIMEOUT_MS), refusal, is_urgent=False)
        except CannotAct as cannot:
            return cannot.report

    def _note_endpoints(self, node: _Node, said: dict[str, Any]) -> None:
        """Write down what is new, and now and then that it is still so."""
        text, now_ns = json.dumps(said), self._now_ns()
        if text != node.noted or now_ns >= node.noted_ns + REPEAT_NS:
            node.noted, node.noted_ns = text, now_ns
            self._note(said)


def endpoints_of(answer: object) -> dict[str, list[list[str]]]:
    """What ``$node.actions`` says of endpoints, in short: those that the node does not call, and the others."""
    found: dict[str, list[list[str]]] = {"open": [], "closed": []}
    for action in answer if isinstance(answer, list) else ():
        name = action.get("name") if isinstance(action, dict) else None
        endpoints = action.get("endpoints") if isinstance(action, dict) else None
        for endpoint in endpoints if isinstance(name, str) and isinstance(endpoints, list) else ():
            if not isinstance(endpoint, dict) or not isinstance(endpoint.get("nodeID"), str):
                continue
            if endpoint.get("available") is not False and isinstance(endpoint.get("state"), bool):
                found["closed" if endpoint["state"] else "open"].append([endpoint["nodeID"], str(name)])
    return found
