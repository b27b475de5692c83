"""`meshscope emit` and `meshscope broadcast`: send an event, to one node of each group or to all."""

from __future__ import annotations

import click

from app.cli.acting import Actor, acting
from app.cli.group import meshscope
from app.cli.options import as_json
from app.cli.sending import send
from app.cli.texts import JsonText, headers_option, meta_option
from broker.operate.commands import Broadcast, Emit

groups_option = click.option("--groups", default="", metavar="A,B", help="Only to these groups.")


@meshscope.command("emit")
@acting(may="call")
@click.argument("event")
@click.argument("data", type=JsonText(), default="")
@groups_option
@meta_option
@headers_option
@as_json
@click.pass_context
def emit_command(
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
    """Send an event to one node of each group that listens. DATA is a JSON text, - or @FILE."""
    context.exit(send(actor, Emit("", event, data, meta, headers, _names(groups)), json_output=json_output))


@meshscope.command("broadcast")
@acting(may="act")
@click.argument("event")
@click.argument("data", type=JsonText(), default="")
@groups_option
@meta_option
@headers_option
@as_json
@click.pass_context
def broadcast_command(
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
    """Send an event to every node that listens. DATA is a JSON text, - or @FILE."""
    context.exit(send(actor, Broadcast("", event, data, meta, headers, _names(groups)), json_output=json_output))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
