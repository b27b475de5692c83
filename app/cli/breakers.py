"""`meshscope breakers URL [list|…]`: reads circuit breakers; what sets them registers here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from app.cli.group import meshscope
from app.cli.listing import look_duration
from app.cli.options import as_json, target
from app.cli.output import print_json, print_table
from app.cli.sitting import gather
from app.cli.targets import Target
from broker.mesh.breaker_export import breakers_as_plain
from broker.mesh.breaker_states import Breaker, Coverage, breakers_at, coverage, with_settings

DEFAULT: Final = "list"
SOURCES: Final = {"": "nobody told", "helper": "helper", "event": "event", "asked": "asked", "guess": "a guess"}


class AfterTarget(click.Group):
    """A group whose subcommand is written behind its subject: ``meshscope breakers URL list``; left out, it is list."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the subcommand's name in front, where click looks for it."""
        place = next((index for index in (1, 0) if len(args) > index and args[index] in self.commands), None)
        if place is not None:
            args = [args[place], *args[:place], *args[place + 1 :]]
        elif args and args[0] not in ("-h", "--help"):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As it is written."""
        formatter.write_usage(ctx.command_path, f"URL [{'|'.join(self.list_commands(ctx))}] [OPTIONS]")


@meshscope.group("breakers", cls=AfterTarget)
def breakers() -> None:
    """Reads and sets circuit breakers; without a word it lists them."""


def _limit(one: Breaker) -> str:
    if one.is_enabled is False:
        return "never: off"
    return "" if one.threshold is None else f"{one.threshold:.0%} of {one.min_count or 0:g}"


COLUMNS: Final[dict[str, Callable[[Breaker], str]]] = {
    "caller": lambda one: one.key.owner,
    "endpoint": lambda one: one.key.endpoint,
    "namespace": lambda one: one.key.namespace or "-",
    "state": lambda one: one.state.replace("-", " ") if one.is_held else one.state,
    "told by": lambda one: SOURCES.get(one.source, one.source),
    "counted": lambda one: "" if one.failures is None or one.count is None else f"{one.failures} of {one.count} failed",
    "opens at": _limit,
    "held by": lambda one: one.by,
    "reason": lambda one: one.reason,
}


@breakers.command("list")
@target(may="ask")
@look_duration
@click.option("--all", "shows_all", is_flag=True, help="List also closed ones that have counted no call.")
@as_json
def list_breakers(*, target: Target, duration_s: float, shows_all: bool, json_output: bool) -> None:
    """How every breaker stands, and how that is known."""
    snapshot, span = gather(target, duration_s=duration_s, asks_breakers=True)
    found = [with_settings(snapshot, one, span.to_ns) for one in breakers_at(snapshot, span.to_ns)]
    helpers = coverage(snapshot, span.to_ns)
    if json_output:
        document: dict[str, Any] = {"breakers": breakers_as_plain(found)}
        print_json(document)
        return
    shown = [one for one in found if shows_all or one.state != "closed" or one.count]
    if shown:
        shown.sort(key=lambda one: (one.state == "closed", one.key))
        print_table(list(COLUMNS), [[cell(one) for cell in COLUMNS.values()] for one in shown])
    if len(shown) < len(found):
        click.echo(f"{len(found) - len(shown):,} closed ones that have counted no call: --all lists them.", err=True)
    click.echo(_covered(helpers, is_empty=not found), err=True)


def _covered(helpers: Coverage, *, is_empty: bool) -> str:
    """Where what is told comes from, and what to do where little is."""
    told = f"Helper on {len(helpers.helpers)} of {helpers.nodes} nodes."
    if is_empty:
        told = f"No breaker has been heard of. {told}"
    if len(helpers.helpers) < helpers.nodes:
        told += " The others are known by their events, by asking, or by a guess; meshscope helper prints the helper."
    return told
