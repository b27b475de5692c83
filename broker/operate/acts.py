"""What an act is called and about, in words: for questions, and for the audit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from broker.operate.commands import (
    HELPER_COMMAND,
    AskBreakers,
    AskOnce,
    Bench,
    Broadcast,
    Call,
    Command,
    Emit,
    Lock,
    Unlock,
    command_word,
)
from broker.operate.masks import Masks

MOST_LETTERS = 500
"""Of what a command carries, in the audit."""


@dataclass(frozen=True, slots=True)
class Told:
    """An act, fit for the audit: nothing secret is in it.

    Attributes:
        word: What is done: call, emit, broadcast, bench, unlock, or a breaker's verb.
        namespace: Of the mesh.
        target: What it is done to.
        details: How; one line.
    """

    word: str
    namespace: str
    target: str
    details: str


def act_name(command: Command) -> str:
    """What an act is about, by the name that is typed to confirm it: the action's, the event's, the node's."""
    match command:
        case Call(action=action) if action == HELPER_COMMAND:
            return _helper(command).get("name") or command.node_id or action
        case Call():
            return command.action
        case Bench():
            return command.call.action
        case Emit() | Broadcast():
            return command.event
    return ""


def tell(command: Command, masks: Masks, *, shows_payload: bool = True) -> Told:
    """An act in words.

    Args:
        command: What is done.
        masks: What is secret.
        shows_payload: Whether what it carries is told, masked and cut.
    """
    word = command_word(command)
    match command:
        case Call(action=action) if action == HELPER_COMMAND:
            return _tell_breaker(command, masks)
        case Call():
            carried = _carried(masks, shows_payload, params=command.params, meta=command.meta)
            retries = f"{command.retries} retries" if command.retries else ""
            stream = "with a stream from a file" if command.uploads else ""
            target = command.action + (f" on {command.node_id}" if command.node_id else "")
            return Told(word, command.namespace, target, _line(carried, retries, stream))
        case Bench():
            call = command.call
            size = f"{command.count} calls" if command.count else f"{command.for_s:g} s"
            carried = _carried(masks, shows_payload, params=call.params, meta=call.meta)
            target = call.action + (f" on {call.node_id}" if call.node_id else "")
            return Told(word, call.namespace, target, _line(f"{size}, {command.concurrency} at once", carried))
        case Emit() | Broadcast():
            groups = f"groups {', '.join(command.groups)}" if command.groups else ""
            carried = _carried(masks, shows_payload, data=command.data, meta=command.meta)
            return Told(word, command.namespace, command.event, _line(groups, carried))
        case Unlock():
            return Told(word, "", command.may, f"for {command.for_s:g} s")
        case Lock():
            return Told(word, "", "", "")
        case AskOnce():
            return Told(word, "", "all nodes", "one DISCOVER")
        case AskBreakers():
            return Told(word, command.namespace, ", ".join(command.node_ids) or "all nodes", "")
    return Told(word, "", "", "")


def _helper(command: Call) -> dict[str, Any]:
    """What is inside a signed command, as far as it can be read; ``name`` is its action."""
    try:
        inside = json.loads(json.loads(command.params)["command"])
    except (ValueError, KeyError, TypeError):
        return {}
    if not isinstance(inside, dict):
        return {}
    endpoint = inside.get("endpoint")
    if isinstance(endpoint, dict):
        inside["name"] = str(endpoint.get("action", ""))
        inside["at"] = str(endpoint.get("node", ""))
    return inside


def _tell_breaker(command: Call, masks: Masks) -> Told:
    inside = _helper(command)
    state = f"{inside['state']}" if inside.get("verb") == "hold" and inside.get("state") else ""
    for_ms = inside.get("for_ms") if inside.get("verb") == "hold" else None
    lasts = f"for {for_ms / 1000:g} s" if isinstance(for_ms, int | float) and not isinstance(for_ms, bool) else ""
    reason = f"reason: {masks.text(str(inside['reason']))}" if inside.get("reason") else ""
    endpoint = f"{inside.get('at', '')}:{inside.get('name', '')}" if inside.get("name") else "a breaker"
    target = f"{endpoint} seen by {command.node_id or inside.get('node', '')}"
    return Told(str(inside.get("verb", "breaker")), command.namespace, target, _line(state, lasts, reason))


def _carried(masks: Masks, shows: bool, **texts: str) -> str:
    if not shows:
        return ""
    parts = (f"{what} {_cut(masks.json_text(text))}" for what, text in texts.items() if text)
    return " · ".join(parts)


def _cut(text: str) -> str:
    text = " ".join(line.strip() for line in text.splitlines())  # as forms write it, it has many
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}… ({len(text)} letters)"


def _line(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
