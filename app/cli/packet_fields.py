"""What a packet is, by the names that filters speak: headers only, never what it carries."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

from broker.clock import MILLISECOND
from broker.protocol.channels import Channel, parse_channel
from broker.protocol.headers import (
    EventHeader,
    Malformed,
    RequestHeader,
    ResponseHeader,
    read_error,
    read_event,
    read_other,
    read_request,
    read_response,
)

REMEMBERED_REQUESTS = 100_000


class _Asked(NamedTuple):
    """What an answer is joined with: a RES names neither action nor caller."""

    at_ns: int
    action: str
    caller: str


class PacketFields:
    """Reads packets one after another; joins each answer with its request, whose action and caller it does not name."""

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[str, str], _Asked] = OrderedDict()

    def of(self, at_ns: int, name: bytes, body: bytes) -> dict[str, Any] | None:
        """Its fields, durations in ms; None for what is not Moleculer's.

        Args:
            at_ns: When it was received.
            name: Its channel.
            body: What it carried.
        """
        channel = parse_channel(name)
        if channel is None:
            return None
        fields: dict[str, Any] = {
            "namespace": channel.namespace,
            "type": channel.command,
            "target": channel.rest,
            "size": len(body),
        }
        match channel.command:
            case "REQ" | "REQB":
                fields |= self._request(at_ns, channel, read_request(body))
            case "RES":
                fields |= self._response(at_ns, channel, read_response(body))
            case "EVENT" | "EVENTB":
                fields |= _event(read_event(body))
            case _:
                header = read_other(body)
                fields |= _malformed(header) if isinstance(header, Malformed) else {"sender": header.sender}
        fields["node"] = fields.get("sender", channel.rest)
        return fields

    def _request(self, at_ns: int, channel: Channel, header: RequestHeader | Malformed) -> dict[str, Any]:
        if isinstance(header, Malformed):
            return _malformed(header)
        caller = header.caller if isinstance(header.caller, str) else ""
        self._asked[channel.namespace, header.id] = _Asked(at_ns, header.action, caller)
        if len(self._asked) > REMEMBERED_REQUESTS:
            self._asked.popitem(last=False)
        return {"sender": header.sender, "action": header.action, "service": _service(header.action), "caller": caller}

    def _response(self, at_ns: int, channel: Channel, header: ResponseHeader | Malformed) -> dict[str, Any]:
        if isinstance(header, Malformed):
            return _malformed(header)
        fields: dict[str, Any] = {"sender": header.sender, "outcome": "ok" if header.success else "failed"}
        if not header.success:
            error = read_error(header)
            fields["error"] = " ".join(str(part) for part in (error.code, error.type or error.name) if part)
        asked = self._asked.get((channel.namespace, header.id))
        if asked:
            fields |= {"action": asked.action, "service": _service(asked.action), "caller": asked.caller}
            fields["duration"] = (at_ns - asked.at_ns) / MILLISECOND
            if not header.stream:
                del self._asked[channel.namespace, header.id]
        return fields


def _service(action: str) -> str:
    return action.rpartition(".")[0] or action


def _malformed(header: Malformed) -> dict[str, Any]:
    return {"malformed": header.reason, "outcome": "undecodable"}


def _event(header: EventHeader | Malformed) -> dict[str, Any]:
    if isinstance(header, Malformed):
        return _malformed(header)
    caller = header.caller if isinstance(header.caller, str) else ""
    return {"sender": header.sender, "event": header.event, "caller": caller}
