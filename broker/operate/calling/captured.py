"""A captured request as a template: what a REQ carried, ready to be changed and sent by us."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final, NamedTuple

from broker.operate.calling.loose_json import quoted
from broker.operate.calling.masked import MASKED, USUAL, mask_captured
from broker.operate.calling.request import DEFAULT_TIMEOUT_MS, Request
from broker.operate.masks import Masks
from broker.protocol.codec import decode_body
from broker.protocol.malformed import Malformed

NOT_KEPT: Final = "The capture does not hold what this call carried: bodies were not kept, or the ring has moved on."
BLANKED: Final = "This capture keeps headers only: parameters and meta are to be filled in."
STREAMED: Final = "The call sent a stream: its chunks are not part of the template; choose a file to send."


class Template(NamedTuple):
    """What a call's packet gives.

    Attributes:
        request: To begin with.
        notes: What is not as it was, for people.
    """

    request: Request
    notes: tuple[str, ...] = ()


def template_of(namespace: str, action: str, body: bytes | None, *, masks: Masks = USUAL) -> Template:
    """A request from the body of a REQ.

    Args:
        namespace: Of the call.
        action: As the timeline knows it.
        body: Of the REQ frame; None when it was not kept.
        masks: What is secret.
    """
    bare = Request("call", action, namespace)
    if body is None:
        return Template(bare, (NOT_KEPT,))
    wire = decode_body(body)
    if isinstance(wire, Malformed) or not isinstance(wire, dict):
        why = wire.reason if isinstance(wire, Malformed) else "it is no object"
        return Template(bare, (f"What this call carried cannot be read: {why}.",))
    masked = {name: mask_captured(wire.get(name), masks) for name in ("params", "meta", "headers")}
    timeout = wire.get("timeout")
    is_told = isinstance(timeout, int | float) and not isinstance(timeout, bool) and timeout > 0
    request = Request(
        "call",
        str(wire.get("action") or action),
        namespace,
        params=_text(masked["params"]),
        meta=_text(_own(masked["meta"])),
        headers=_text(masked["headers"]),
        timeout_ms=float(timeout or 0) if is_told else DEFAULT_TIMEOUT_MS,
    )
    return Template(request, tuple(_notes(wire, masked)))


def _notes(wire: dict[str, Any], masked: dict[str, Any]) -> list[str]:
    notes = []
    if wire.get("stream"):
        notes.append(STREAMED)
    if masked["params"] == MASKED or masked["meta"] == MASKED:
        notes.append(BLANKED)
    elif any(MASKED in json.dumps(value, ensure_ascii=False, default=str) for value in masked.values()):
        notes.append("Values that looked secret were masked in the capture: fill them in, or use secret variables.")
    return notes


def _own(meta: Any) -> Any:
    """Meta without what belongs to one attempt."""
    return {key: item for key, item in meta.items() if not str(key).startswith("$")} if isinstance(meta, dict) else meta


def _text(value: Any) -> str:
    if value is None or value == {}:
        return ""
    return quoted(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def _plain(value: Any) -> Any:
    """As JSON can write it: a buffer as Node writes one, a moment as its text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return {"type": "Buffer", "data": list(value)}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
