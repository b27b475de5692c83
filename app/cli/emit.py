"""`meshscope emit` and `meshscope broadcast`: send an event, to one node of each group or to all."""

from __future__ import annotations

import click

from app.cli.acting import Actor, acting
from app.cli.group import meshscope
from app.cli.options import as_json
from app.cli.sending import send
from app.cli.texts import JsonText, headers_option, meta_option
from broker.operate.commands import Broadcast, Emit
from broker.operate.permissions import Permission


def _sends(name: str, command: type[Emit | Broadcast], may: Permission, to: str) -> click.Command:
    """A command that sends an event.

    Args:
        name: Of the command.
        command: How the event is sent.
        may: What it needs.
        to: Who gets it, for its help.
    """

    @meshscope.command(name, help=f"Send an event to {to}. DATA is a JSON text, - or @FILE.")
    @acting(may=may)
    @click.argument("event")
    @click.argument("data", type=JsonText(), default="")
    @click.option("--groups", default="", metavar="A,B", help="Only to these groups.")
    @meta_option
    @headers_option
    @as_json
    @click.pass_context
    def sends(
        context: click.Context,
        *,
        actor: Actor,
        event: str,
        data: str,
        groups: str,
        meta: str,
        headers: str,
        json_output: bool,
    ) -> None:
        context.exit(send(actor, command("", event, data, meta, headers, _names(groups)), json_output=json_output))

    return sends


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


emit_command = _sends("emit", Emit, "call", "one node of each group that listens")
broadcast_command = _sends("broadcast", Broadcast, "act", "every node that listens")
