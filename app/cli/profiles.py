"""`meshscope profiles`: saved connections; their secrets go from a prompt into the system's key store."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final, get_args

import click

from app.cli.errors import SaidNo
from app.cli.group import meshscope
from app.cli.options import as_json
from app.cli.output import print_json, print_table
from app.profile_file import load_profiles
from broker.capture.masking import POLICIES
from broker.operate import secrets
from broker.operate.permissions import PERMISSIONS
from broker.operate.profiles import (
    CIPHER_IV,
    CIPHER_KEY,
    COLOURS,
    HELPER_SECRET,
    PASSWORD,
    VARIABLE,
    Compression,
    Profile,
    Profiles,
    ProfilesError,
    ProfileStore,
)
from broker.protocol.compression import METHODS
from broker.protocol.encryption import DEFAULT_ALGORITHM
from broker.protocol.serializers import SERIALIZERS

SECRETS: Final = {"password": PASSWORD, "helper": HELPER_SECRET, "cipher-key": CIPHER_KEY, "cipher-iv": CIPHER_IV}


class SecretName(click.ParamType[str]):
    """What a profile may keep in the key store."""

    name = "secret"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Its word in a profile."""
        text = str(value)
        if text in SECRETS:
            return SECRETS[text]
        kind, _, name = text.partition(":")
        if kind != "variable" or not name:
            expected = f"{', '.join(SECRETS)} or variable:NAME"
            self.fail(f"'{value}' is no secret of a profile, expected {expected}", param, ctx)
        return f"{VARIABLE}{name}"


@meshscope.group("profiles", invoke_without_command=True)
@click.pass_context
def profiles_command(context: click.Context) -> None:
    """Saved connections: a name for a mesh, and what may be done there."""
    if context.invoked_subcommand is None:
        context.invoke(list_command)


@profiles_command.command("list")
@as_json
def list_command(*, json_output: bool = False) -> None:
    """Print all of them."""
    found = _load().all
    if json_output:
        print_json([asdict(profile) for profile in found])
    elif found:
        print_table(["profile", "url", "starts with", "namespaces", "key store"], map(_row, found))
    else:
        click.echo("No profile is saved. `meshscope profiles add NAME URL` saves one.", err=True)


@profiles_command.command("show")
@click.argument("name")
@as_json
def show_command(*, name: str, json_output: bool) -> None:
    """Print one; of its secrets only which there are."""
    profile = _get(name)
    if json_output:
        print_json(profile)
        return
    for what, value in asdict(profile).items():
        click.echo(f"{what.replace('_', ' '):<17} {_shown(value)}")


@profiles_command.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--production", is_flag=True, help="Red, starts with see, is unlocked when more is needed.")
@click.option("--may", type=click.Choice(PERMISSIONS), default="see", show_default=True, help="What it starts with.")
@click.option("--announce", is_flag=True, help="Become a node in everybody's registry.")
@click.option("--colour", type=click.Choice(COLOURS), default="accent", show_default=True)
@click.option("--namespace", "namespaces", multiple=True, metavar="NS", help="Repeatable; - is the empty one.")
@click.option("--serializer", type=click.Choice(["auto", *SERIALIZERS], case_sensitive=False), default="auto")
@click.option("--compression", type=click.Choice(["auto", *METHODS], case_sensitive=False), default="auto")
@click.option("--cipher", "algorithm", default=DEFAULT_ALGORITHM, metavar="ALGORITHM", help="Of its encryption.")
@click.option(
    "--policy", type=click.Choice(POLICIES), default="masked", show_default=True, help="What of payloads is kept."
)
@click.option("--mask", "mask_names", multiple=True, metavar="NAME", help="Values under it are secret. Repeatable.")
@click.option("--tls-ca", type=click.Path(exists=True, dir_okay=False, resolve_path=True), default=None, metavar="FILE")
@click.option("--ssh", default="", metavar="USER@HOST", help="Where the probe runs.")
@click.option("--variable", "variables", multiple=True, metavar="NAME=VALUE", help="Repeatable. Secret ones: --secret.")
@click.option(
    "--secret",
    "secret_names",
    multiple=True,
    type=SecretName(),
    metavar="WHAT",
    help="Asks for it and puts it into the key store: password, helper, cipher-key, cipher-iv, variable:NAME.",
)
@click.option("--replace", is_flag=True, help="Take the place of the profile of this name.")
def add_command(
    *,
    name: str,
    url: str,
    production: bool,
    namespaces: tuple[str, ...],
    serializer: str,
    compression: str,
    algorithm: str,
    tls_ca: str | None,
    variables: tuple[str, ...],
    secret_names: tuple[str, ...],
    replace: bool,
    **fields: Any,
) -> None:
    """Save a connection. Secrets are asked for; without a terminal they are read from standard input, one a line."""
    before = _load().get(name)
    if before is not None and not replace:
        raise SaidNo(f"There is a profile '{name}' already.", "--replace puts this one in its place.")
    kept = before.secret_names if before is not None else ()
    try:
        profile = Profile(
            name=name,
            url=url,
            is_production=production,
            namespaces=tuple("" if each == "-" else each for each in namespaces),
            serializer="" if serializer == "auto" else serializer,
            compression=_method(compression),
            cipher_algorithm=algorithm,
            tls_ca=tls_ca or "",
            variables=dict(map(_variable, variables)),
            secret_names=tuple(dict.fromkeys((*kept, *secret_names))),
            **fields,
        )
    except ValueError as error:
        raise SaidNo(
            f"{error}.", "A password is given with --secret password." if "password" in str(error) else ""
        ) from error
    for what in secret_names:
        trouble = secrets.write(secrets.account_of(profile, what), _ask_for(what))
        if trouble:
            raise SaidNo(trouble, "Nothing was saved.")
    if before is not None:
        typed_before = tuple(what for what in kept if what not in secret_names)
        secrets.move(dataclasses.replace(before, secret_names=typed_before), profile)
    _change(lambda store: store.save(profile))
    click.echo(f"saved '{name}'", err=True)


@profiles_command.command("remove")
@click.argument("name")
def remove_command(*, name: str) -> None:
    """Forget one, and take its secrets out of the key store."""
    profile = _get(name)
    stays = [what for what in profile.secret_names if not secrets.remove(secrets.account_of(profile, what))]
    _change(lambda store: store.remove(name))
    click.echo(f"removed '{name}'", err=True)
    if stays:
        click.echo(f"meshscope: the key store did not give up: {', '.join(stays)}", err=True)


@profiles_command.command("mask")
@click.option(
    "--add", "added", multiple=True, metavar="NAME", help="Values under it are secret everywhere. Repeatable."
)
@click.option("--remove", "removed", multiple=True, metavar="NAME", help="No longer. Repeatable.")
@as_json
def mask_command(*, added: tuple[str, ...], removed: tuple[str, ...], json_output: bool) -> None:
    """Print the names whose values are secret in every mesh, beside those that always are; or change them."""
    names = _load().mask_names
    if added or removed:
        wanted = tuple(name for name in dict.fromkeys((*names, *added)) if name not in removed)
        names = _change(lambda store: store.set_mask_names(wanted)).mask_names
    if json_output:
        print_json(names)
    else:
        click.echo("\n".join(names) if names else "none beside those that always are")


def _load() -> Profiles:
    try:
        return load_profiles()
    except ProfilesError as error:
        raise SaidNo(str(error)) from error


def _get(name: str) -> Profile:
    profile = _load().get(name)
    if profile is None:
        raise SaidNo(f"There is no profile '{name}'.", "`meshscope profiles` lists those there are.")
    return profile


def _change(change: Callable[[ProfileStore], Profiles]) -> Profiles:
    try:
        return change(ProfileStore())
    except ProfilesError as error:
        raise SaidNo(str(error)) from error


def _method(text: str) -> Compression:
    """A method of compression by its word; empty to find it by itself."""
    return next((each for each in get_args(Compression) if each == text), "")


def _variable(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise click.BadParameter(f"'{text}' is no variable, expected NAME=VALUE")
    return name, value


def _ask_for(what: str) -> str:
    """A secret, from whoever sits there, or the next line of standard input."""
    if sys.stdin.isatty():
        answer: str = click.prompt(what, hide_input=True, err=True)
        return answer
    line = sys.stdin.readline().rstrip("\n")
    if not line:
        raise SaidNo(f"Standard input holds no line for the {what}.")
    return line


def _row(profile: Profile) -> tuple[str, ...]:
    may = f"{profile.may} · PRODUCTION" if profile.is_production else profile.may
    names = ", ".join(name or "-" for name in profile.namespaces) or "all"
    return (profile.name, profile.url, may, names, ", ".join(profile.secret_names) or "nothing")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(each) or "-" for each in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{key}={each}" for key, each in value.items()) or "–"
    return str(value) or "–"
