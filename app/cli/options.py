"""Options that commands share."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import click

from app.cli.errors import SaidNo
from app.cli.wire_options import WireOptions, wire_options
from broker.mesh.filter import Filter, FilterError, parse

Permission = Literal["see", "ask"]

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


@dataclass(frozen=True, slots=True)
class Target:
    """What a command looks at: a live mesh or a capture.

    Attributes:
        url: The bus, as MoleculerJS takes it; empty for a capture.
        path: The capture; empty for a live mesh.
        may: The permission on a live mesh.
        namespaces: Which ones to listen to; none for all, kept apart. "" is the empty one.
        announce: Whether we become a node in everybody's registry.
        password: From MESHSCOPE_PASSWORD; empty where the URL has it or none is needed.
        tls_ca: File of the authority that signed the server's certificate.
        wire: How packets are written.
    """

    url: str = ""
    path: str = ""
    may: Permission = "see"
    namespaces: tuple[str, ...] = ()
    announce: bool = False
    password: str = ""
    tls_ca: str = ""
    wire: WireOptions = field(default_factory=WireOptions)

    @property
    def is_live(self) -> bool:
        """Whether it is a mesh and not a file."""
        return bool(self.url)


def parse_target(
    text: str,
    may: str,
    namespaces: tuple[str, ...],
    announce: bool,
    tls_ca: str,
    *,
    wire: WireOptions | None = None,
    file_allowed: bool = True,
) -> Target:
    """Tell a URL from a file.

    Raises:
        SaidNo: It is neither, or the file is not there.
    """
    if "://" in text:
        return Target(
            url=text,
            may="ask" if may == "ask" else "see",
            namespaces=tuple("" if name == "-" else name for name in namespaces),
            announce=announce,
            password=os.environ.get("MESHSCOPE_PASSWORD", ""),
            tls_ca=tls_ca,
            wire=wire or WireOptions(),
        )
    if not file_allowed:
        raise SaidNo(f"'{text}' is not a URL.", "Expected the bus of a live mesh, for instance redis://localhost:6379.")
    if not Path(text).exists():
        raise SaidNo(
            f"'{text}' is neither a URL nor a file that is there.",
            "Expected for instance redis://localhost:6379 or checkout.mcap.",
        )
    return Target(path=text, wire=wire or WireOptions())


def target(*, may: Permission, file_allowed: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command its first argument URL|FILE and the options of everything that connects.

    Args:
        may: The permission that the command needs and starts with.
        file_allowed: Whether a capture serves as well.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @click.argument("target_text", metavar="URL|FILE" if file_allowed else "URL")
        @click.option(
            "--may",
            type=click.Choice(["see", "ask"]),
            default=may,
            show_default=True,
            help="see publishes nothing; ask sends DISCOVER once.",
        )
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
            may: str,
            announce: bool,
            namespaces: tuple[str, ...],
            tls_ca: str | None,
            wire: WireOptions,
            **rest: Any,
        ) -> None:
            found = parse_target(
                target_text, may, namespaces, announce, tls_ca or "", wire=wire, file_allowed=file_allowed
            )
            command(target=found, **rest)

        return with_target

    return decorate
