"""What a call is to be: its texts read, and who is to answer it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from broker.node.definitions import ActionDefinition, ServiceDefinition
from broker.node.endpoints import ActionEndpoint
from broker.node.nodes import NodeEntry
from broker.operate.commands import Call, Report
from broker.probe.hands import CannotAct, Hands
from broker.probe.json_texts import object_of, value_of
from broker.probe.unannounced import Unannounced


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call with its texts read."""

    action: str
    params: Any
    meta: dict[str, Any]
    headers: dict[str, Any]
    node_id: str
    timeout_s: float
    retries: int


def read_call(command: Call) -> Wanted:
    """What a command wants.

    Raises:
        CannotAct: One of its texts is none.
    """
    if not command.action:
        raise CannotAct(Report("failed", "No action is named. Nothing was sent.", "Choose one."))
    try:
        return Wanted(
            command.action,
            value_of("params", command.params),
            object_of("meta", command.meta),
            object_of("headers", command.headers),
            command.node_id,
            max(0.0, command.timeout_ms / 1000),
            max(0, command.retries),
        )
    except ValueError as error:
        raise CannotAct(Report("failed", f"{error}. Nothing was sent.", "Write it as JSON.")) from None


async def endpoint_of(hands: Hands, node: Unannounced, wanted: Wanted) -> ActionEndpoint | str:
    """Who is called: the name for one chosen by the balancer, otherwise the very endpoint.

    Raises:
        CannotAct: Nobody offers it, and no node was chosen.
    """
    actions = node.broker.registry.actions

    def is_offered() -> bool:
        endpoints = actions.get(wanted.action)
        if endpoints is None:
            return False
        return any(each.node.id == wanted.node_id or not wanted.node_id for each in endpoints.endpoints)

    if not is_offered() and wanted.node_id not in node.broker.registry.nodes:
        hands.ask(node.namespace)
        await node.until(is_offered, hands.patience_s())
    if wanted.node_id:
        return _on_node(node, wanted)
    if not is_offered():
        raise CannotAct(_unknown_action(wanted.action, list(actions)))
    return wanted.action


def _on_node(node: Unannounced, wanted: Wanted) -> ActionEndpoint:
    """An endpoint that retries stay on, whether it was introduced or not: its node says if it is not there."""
    broker = node.broker
    endpoints = broker.registry.actions.get(wanted.action)
    known = next((each for each in endpoints.endpoints if each.node.id == wanted.node_id), None) if endpoints else None
    entry = broker.registry.nodes.get(wanted.node_id) or NodeEntry(wanted.node_id, available=False)
    schema = dict(known.action.schema) if known is not None else {}
    # what is private is not looked for among others when it is tried again
    action = ActionDefinition(wanted.action, schema | {"visibility": "private"})
    service = known.service if known is not None else ServiceDefinition("", None, wanted.action.rpartition(".")[0])
    handler = broker.middlewares.wrap("remote_action", broker.requesting.request, service, action)
    return ActionEndpoint(entry, service, action, handler)


def _unknown_action(action: str, known: list[str]) -> Report:
    near = get_close_matches(action, known, 3, 0.5)
    if near:
        advice = f"Did you mean {' or '.join(near)}? To send it all the same, choose a node."
    elif known:
        advice = f"{len(known)} actions are known, none with a name like it. To send it all the same, choose a node."
    else:
        advice = "No node has described itself yet. To send it all the same, choose a node."
    return Report("failed", f"No node offers the action '{action}'. Nothing was sent.", advice)
