"""Options that commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from app.cli.errors import SaidNo
from app.cli.targets import find_target
from app.cli.unlocking import unlocked
from app.cli.wire_options import WireOptions, wire_options
from broker.mesh.filter import Filter, FilterError, parse
from broker.operate.permissions import PERMISSIONS, Permission

as_json = click.option("--json", "json_output", is_flag=True, help="Print one JSON document and nothing else.")


filter_option = click.option(
    "--filter",
    "expression",
    default="",
    metavar="EXPR",
    help="For instance: 'action ~ \"v2.orders.*\" and outcome = failed'. Sees one packet at a time, headers only.",
)


def parse_filter(expression: str) -> Filter:
    """What a user wrote behind --filter.

    Raises:
        SaidNo: It has a mistake; the message points at it.
    """
    try:
        return parse(expression)
    except FilterError as error:
        pointer = " " * error.position + "^" * max(1, error.length)
        raise SaidNo(f"the filter has a mistake: {error.message}\n  {expression}\n  {pointer}") from error


def target(
    *,
    may: Permission,
    file_allowed: bool = True,
    acts: bool = False,
    opens_window: bool = False,
    can_be_far: bool = True,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command its first argument URL|FILE and the options of everything that connects.

    Args:
        may: The permission that the command needs and starts with.
        file_allowed: Whether a capture serves as well.
        acts: Whether the command is nothing without that permission. It unlocks by itself, when it is about to act.
        opens_window: Whether it opens a window.
        can_be_far: Whether a probe on another machine can do it.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @click.argument("target_text", metavar="URL|PROFILE|FILE" if file_allowed else "URL|PROFILE")
        @click.option("--may", type=click.Choice(PERMISSIONS), default=None, help=_MAY.format(may))
        @click.option("--unlock", "unlocks", is_flag=True, help="Let this command do what a locked profile does not.")
        @click.option("--announce", is_flag=True, help="Become a node in everybody's registry, to be sent events.")
        @click.option(
            "--namespace",
            "namespaces",
            multiple=True,
            metavar="NS",
            help="Listen to this namespace only; repeatable; - is the empty one.",
        )
        @click.option(
            "--tls-ca",
            type=click.Path(exists=True, dir_okay=False),
            default=None,
            metavar="FILE",
            help="The authority that signed the server's certificate.",
        )
        @wire_options
        @functools.wraps(command)
        def with_target(
            target_text: str,
            may: Permission | None,
            unlocks: bool,
            announce: bool,
            namespaces: tuple[str, ...],
            tls_ca: str | None,
            wire: WireOptions,
            **rest: Any,
        ) -> None:
            found = find_target(
                target_text,
                default_may,
                wanted_may=may,
                unlocks=unlocks,
                announce=announce,
                namespaces=namespaces,
                tls_ca=tls_ca or "",
                wire=wire,
                file_allowed=file_allowed,
                acts=acts,
                opens_window=opens_window,
                can_be_far=can_be_far,
            )
            if acts:
                command(target=found, **rest)
                return
            with unlocked(found, rest.get("duration_s")):
                command(target=found, **rest)

        return with_target

    default_may = may
    return decorate


_MAY: Final = (
    "What may be published: see nothing, ask DISCOVER and $node, call calls and events, act everything.  [default: {}]"
)
