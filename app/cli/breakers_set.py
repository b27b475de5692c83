"""`meshscope breakers URL trip|hold|release|reset`: sets circuit breakers through the helpers of their nodes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from app.cli.acting import Actor, acting
from app.cli.breakers import breakers
from app.cli.breaking import Wanted, set_breakers
from app.cli.options import as_json
from broker.agent.signature import HoldState, Verb
from broker.operate.audit import who
from broker.operate.breaking.wish import LONGEST_HOLD_S, LONGEST_REASON, Scope, Wish

HOLD_S: Final = 300.0
LISTEN_S: Final = 5.0


def _setting(command: Callable[..., None]) -> Callable[..., None]:
    """Options that all four share: whose breakers, of what, and why."""

    @acting(may="act")
    @click.option(
        "--caller", default="", metavar="NODE", help="Only this node's breakers; those of all callers otherwise."
    )
    @click.option("--endpoint", default="", metavar="NODE:ACTION", help="Of this action on this node.")
    @click.option("--action", default="", metavar="ACTION", help="Of this action on every node.")
    @click.option("--service", default="", metavar="NAME", help="Of all actions of a service; with --node on that one.")
    @click.option("--node", "node_id", default="", metavar="NODE", help="Of all actions on this node.")
    @click.option(
        "--include-callee",
        "with_callee",
        is_flag=True,
        help="Also the endpoint's own breaker, which stops everybody, callers without a helper too.",
    )
    @click.option("--reason", default="", metavar="TEXT", help=f"For people; up to {LONGEST_REASON} letters.")
    @click.option(
        "--listen",
        "listen_s",
        type=click.FloatRange(min=0, max=300),
        default=LISTEN_S,
        show_default=True,
        metavar="S",
        help="Calls of so many seconds are counted, to say what it will hit.",
    )
    @click.option("--undo", "undoes", is_flag=True, help="Take back what was done if not every target does it.")
    @as_json
    @functools.wraps(command)
    def with_wanted(
        actor: Actor,
        caller: str,
        endpoint: str,
        action: str,
        service: str,
        node_id: str,
        with_callee: bool,
        reason: str,
        listen_s: float,
        undoes: bool,
        json_output: bool,
        **rest: Any,
    ) -> None:
        scope = _scope(caller, endpoint, action, service, node_id, with_callee)
        wanted = Wanted(actor, scope, reason, listen_s, undoes=undoes, json_output=json_output)
        command(wanted=wanted, **rest)

    return with_wanted


def _scope(caller: str, endpoint: str, action: str, service: str, node_id: str, with_callee: bool) -> Scope:
    if endpoint:
        on, colon, name = endpoint.rpartition(":")
        if not (colon and on and name):
            raise click.UsageError(
                f"--endpoint is '{endpoint}', expected NODE:ACTION, for instance pay-1:payments.charge."
            )
        if action or service or node_id:
            raise click.UsageError("--endpoint says node and action: leave --action, --service and --node out.")
        node_id, action = on, name
    if action and service:
        raise click.UsageError("Both --action and --service are given, expected one of them.")
    return Scope(caller, node_id, action, service, with_callee)


def _go(context: click.Context, wanted: Wanted, verb: Verb, state: HoldState | None = None, for_s: float = 0.0) -> None:
    wish = Wish(verb, "", wanted.scope, state or "", for_s, wanted.reason, who())
    if problem := wish.problem():
        raise click.UsageError(problem)
    context.exit(set_breakers(wanted, wish))


@breakers.command("trip")
@_setting
@click.pass_context
def trip(context: click.Context, *, wanted: Wanted) -> None:
    """Open breakers now; Moleculer tries them again by itself, as if they had opened by themselves."""
    _go(context, wanted, "trip")


@breakers.command("hold")
@_setting
@click.option("--state", type=click.Choice(("open", "closed")), default="open", show_default=True, help="What is kept.")
@click.option(
    "--for",
    "for_s",
    type=click.FloatRange(min=0.001, max=LONGEST_HOLD_S),
    default=HOLD_S,
    show_default=True,
    metavar="S",
    help="After so many seconds it ends by itself, whoever is still there.",
)
@click.pass_context
def hold(context: click.Context, *, wanted: Wanted, state: HoldState, for_s: float) -> None:
    """Keep breakers open (nothing is sent) or closed (everything is), until the time is over."""
    _go(context, wanted, "hold", state, for_s)


@breakers.command("release")
@_setting
@click.option("--mine", is_flag=True, help="All holds of yours, on every node.")
@click.pass_context
def release(context: click.Context, *, wanted: Wanted, mine: bool) -> None:
    """End holds; the breakers decide again."""
    if mine:
        if wanted.scope != Scope():
            raise click.UsageError("--mine means all of yours: leave out what else is named.")
        context.exit(set_breakers(wanted, Wish("release", "", Scope(), reason=wanted.reason, by=who()), mine=True))
    _go(context, wanted, "release")


@breakers.command("reset")
@_setting
@click.pass_context
def reset(context: click.Context, *, wanted: Wanted) -> None:
    """Close breakers, let them count from zero, and end what holds them."""
    _go(context, wanted, "reset")
