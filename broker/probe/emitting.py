"""One event for an operator: to one node of each group, or to every node that listens."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from broker.node.context import ABSENT
from broker.operate.commands import Broadcast, Emit, Report, TargetReport
from broker.probe.calling import MAY_HAVE_RUN, Refusal
from broker.probe.hands import CannotAct, Hands
from broker.probe.json_texts import object_of, value_of
from broker.probe.unannounced import Unannounced
from broker.protocol.packets import Event
from broker.transport.base import TransportError


async def tell(hands: Hands, command: Emit | Broadcast, refusal: Refusal) -> Report:
    """Emit or broadcast, once.

    Args:
        hands: Who sends.
        command: What.
        refusal: Why nothing may be sent any more; empty while it may.

    Returns:
        A row for each node to which it was sent; whether it was handled there, Moleculer does not tell.

    Raises:
        CannotAct: Nothing was sent.
    """
    if not command.event:
        raise CannotAct(Report("failed", "No event is named. Nothing was sent.", "Name one."))
    try:
        data = value_of("data", command.data)
        meta, headers = object_of("meta", command.meta), object_of("headers", command.headers)
    except ValueError as error:
        raise CannotAct(Report("failed", f"{error}. Nothing was sent.", "Write it as JSON.")) from None
    node = await hands.node(command.namespace)
    await hands.settled(node)
    await hands.is_ready(refusal)
    send = node.broker.emit if isinstance(command, Emit) else node.broker.broadcast
    groups = list(command.groups) or None
    try:
        with node.attempts.collecting() as sent:
            await send(command.event, None if data is ABSENT else data, groups=groups, meta=meta, headers=headers)
    except (TypeError, ValueError) as error:
        raise CannotAct(Report("failed", f"It cannot be written: {error}. Nothing was sent.")) from None
    if not sent:
        raise CannotAct(_nobody(node, command))
    return await _told(hands, node, command, sent)


async def _told(hands: Hands, node: Unannounced, command: Emit | Broadcast, sent: list[tuple[Event, str]]) -> Report:
    try:
        await hands.publisher.confirm()
    except TransportError as error:
        rows = tuple(TargetReport(target, "unknown") for _, target in sent)
        return Report("unknown", f"The connection was lost while it was sent: {error.message}", MAY_HAVE_RUN, rows)
    rows = tuple(sorted((TargetReport(to, "done", _groups(node, event, to)) for event, to in sent), key=_name))
    word = "Emitted" if isinstance(command, Emit) else "Broadcast"
    nodes = "1 node" if len(rows) == 1 else f"{len(rows)} nodes"
    return Report("done", f"{word} to {nodes}. Moleculer does not tell whether it was handled.", "", rows)


def _name(row: TargetReport) -> str:
    return row.target


def _groups(node: Unannounced, event: Event, target: str) -> str:
    """For which groups a node got it."""
    groups = event.groups if isinstance(event.groups, list) else None
    if groups is None:
        lists = node.broker.registry.lists_for(event.event)
        groups = [each.group for each in lists if any(one.node.id == target for one in each.endpoints)]
    return f"group{'s' * (len(groups) > 1)} {', '.join(dict.fromkeys(groups))}"


def _nobody(node: Unannounced, command: Emit | Broadcast) -> Report:
    known: dict[str, Any] = dict.fromkeys(pattern for pattern, _ in node.broker.registry.event_lists)
    near = get_close_matches(command.event, list(known), 3, 0.5)
    among = f" in {', '.join(command.groups)}" if command.groups else ""
    advice = f"Did you mean {' or '.join(near)}?" if near else "See who subscribes to what in the Events view."
    return Report("failed", f"Nobody{among} listens to '{command.event}'. Nothing was sent.", advice)
