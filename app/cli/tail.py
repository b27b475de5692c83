"""`meshscope tail`: packets as they pass, one a line."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from app.cli.errors import SaidNo
from app.cli.group import meshscope
from app.cli.options import Target, as_json, target
from app.cli.output import printable
from app.cli.sitting import deliver_frames
from app.widgets.format import clock_time, duration_ms
from broker.clock import MILLISECOND
from broker.mesh.filter import Filter, FilterError, parse
from broker.protocol.channels import Channel, parse_channel
from broker.protocol.frame import RawFrame
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


class Tail:
    """Turns frames into lines; a FrameSink.

    Only headers are read: what a packet carries is never printed.
    """

    def __init__(self, wanted: Filter, *, as_json: bool) -> None:
        self._wanted = wanted
        self._as_json = as_json
        self._asked: OrderedDict[tuple[str, str], _Asked] = OrderedDict()

    def feed(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Print those of the frames that the filter wants."""
        for name, body in frames:
            channel = parse_channel(name)
            if channel is None:
                continue
            fields = self._fields(at_ns, channel, body)
            if self._wanted.matches(fields):
                self._print(at_ns, fields)
        sys.stdout.flush()

    def _fields(self, at_ns: int, channel: Channel, body: bytes) -> dict[str, Any]:
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

    def _print(self, at_ns: int, fields: dict[str, Any]) -> None:
        if self._as_json:
            click.echo(json.dumps({"at_ns": at_ns, **fields}))
            return
        what = fields.get("action") or fields.get("event") or fields.get("malformed", "")
        ending = [f"{fields['size']} B"]
        if "duration" in fields:
            ending.insert(0, duration_ms(fields["duration"]))
        if "outcome" in fields:
            ending.insert(0, fields.get("error") or fields["outcome"])
        way = f"{fields.get('sender', '?')} → {fields['target'] or 'all'}"
        line = f"{clock_time(at_ns)}  {fields['type']:<10}  {way:<32}  {what:<32}  {'  '.join(ending)}"
        click.echo(printable(line))


def _service(action: str) -> str:
    return action.rpartition(".")[0] or action


def _malformed(header: Malformed) -> dict[str, Any]:
    return {"malformed": header.reason, "outcome": "undecodable"}


def _event(header: EventHeader | Malformed) -> dict[str, Any]:
    if isinstance(header, Malformed):
        return _malformed(header)
    caller = header.caller if isinstance(header.caller, str) else ""
    return {"sender": header.sender, "event": header.event, "caller": caller}


@meshscope.command("tail")
@target(may="see")
@click.option(
    "--filter", "expression", default="", metavar="EXPR", help="For instance: 'duration > 200ms or outcome = failed'."
)
@as_json
def tail_command(*, target: Target, expression: str, json_output: bool) -> None:
    """Print packets as they pass, one a line, until Ctrl+C (or the end of the file)."""
    try:
        wanted = parse(expression)
    except FilterError as error:
        pointer = " " * error.position + "^" * max(1, error.length)
        raise SaidNo(f"the filter has a mistake: {error.message}\n  {expression}\n  {pointer}") from error
    deliver_frames(target, Tail(wanted, as_json=json_output))
