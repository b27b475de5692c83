"""`meshscope tail`: packets as they pass, one a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from app.cli.group import meshscope
from app.cli.options import as_json, filter_option, parse_filter, target
from app.cli.output import printable
from app.cli.packet_fields import PacketFields
from app.cli.sitting import deliver_frames
from app.cli.targets import Target
from app.widgets.format import call_ms, clock_time
from broker.mesh.filter import Filter
from broker.protocol.frame import RawFrame


class Tail:
    """Turns frames into lines; a FrameSink.

    Only headers are read: what a packet carries is never printed.
    """

    def __init__(self, wanted: Filter, *, as_json: bool) -> None:
        self._wanted = wanted
        self._as_json = as_json
        self._fields = PacketFields()

    def feed(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Print those of the frames that the filter wants."""
        for name, body in frames:
            fields = self._fields.of(at_ns, name, body)
            if fields is not None and self._wanted.matches(fields):
                self._print(at_ns, fields)
        sys.stdout.flush()

    def _print(self, at_ns: int, fields: dict[str, Any]) -> None:
        if self._as_json:
            click.echo(json.dumps({"at_ns": at_ns, **fields}))
            return
        what = fields.get("action") or fields.get("event") or fields.get("malformed", "")
        ending = [f"{fields['size']} B"]
        if "duration" in fields:
            ending.insert(0, call_ms(fields["duration"]))
        if "outcome" in fields:
            ending.insert(0, fields.get("error") or fields["outcome"])
        way = f"{fields.get('sender', '?')} → {fields['target'] or 'all'}"
        line = f"{clock_time(at_ns)}  {fields['type']:<10}  {way:<32}  {what:<32}  {'  '.join(ending)}"
        click.echo(printable(line))


@meshscope.command("tail")
@target(may="see", can_be_far=False)
@filter_option
@as_json
def tail_command(*, target: Target, expression: str, json_output: bool) -> None:
    """Print packets as they pass, one a line, until Ctrl+C (or the end of the file)."""
    deliver_frames(target, Tail(parse_filter(expression), as_json=json_output))
