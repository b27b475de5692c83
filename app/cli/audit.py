"""`meshscope audit`: what was done from this machine, by whom, and with what result."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from app.cli.errors import SaidNo
from app.cli.group import meshscope
from app.cli.options import as_json
from app.cli.output import print_json, print_table
from app.widgets.format import date_time
from broker.operate.audit import Audit, AuditError, Entry, Page
from broker.operate.audit_export import as_csv, record
from broker.operate.audit_export import as_json as to_json

HEADINGS = ("when", "who", "where", "what", "target", "confirmed", "outcome", "message")

limit = click.option("--limit", type=click.IntRange(min=1), default=None, metavar="N", help="Only the newest N.")
of_profile = click.option("--profile", default="", metavar="NAME", help="Only what was done in this profile.")


@meshscope.group("audit", invoke_without_command=True)
@click.pass_context
def audit_command(context: click.Context) -> None:
    """What was done from this machine: call, emit, broadcast, bench, breakers, unlocking. The newest first."""
    if context.invoked_subcommand is None:
        context.invoke(list_command)


@audit_command.command("list")
@limit
@of_profile
@as_json
def list_command(*, limit: int | None = None, profile: str = "", json_output: bool = False) -> None:
    """Print it: a table, or one JSON document."""
    page = _read()
    entries = _wanted(page, profile, limit)
    if json_output:
        print_json([record(entry) for entry in entries])
        return
    if not entries:
        click.echo("Nothing was done from this machine yet.", err=True)
        return
    print_table(HEADINGS, map(_row, entries))
    if page.left_out_bytes:
        click.echo(f"the oldest {page.left_out_bytes:,} bytes of {Audit().path} were not read", err=True)


@audit_command.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--to", "kind", type=click.Choice(["json", "csv"]), default=None, help="By the file's ending if left out."
)
@limit
@of_profile
def export_command(*, file: Path, kind: str | None, limit: int | None, profile: str) -> None:
    """Write it into a new file, as JSON or CSV."""
    entries = _wanted(_read(), profile, limit)
    text = as_csv(entries) if (kind or file.suffix.lstrip(".")) == "csv" else to_json(entries)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise SaidNo(f"{file} is there already.", "Give another name, or move it away.") from None
    except OSError as error:
        raise SaidNo(f"{file} cannot be written: {error.strerror}.") from error
    click.echo(f"{file}: {len(entries):,} acts", err=True)


def _read() -> Page:
    try:
        return Audit().read()
    except AuditError as error:
        raise SaidNo(str(error)) from error


def _wanted(page: Page, profile: str, limit: int | None) -> Sequence[Entry]:
    found = [
        entry for entry in page.entries if not profile or (entry.before is not None and entry.before.profile == profile)
    ]
    return found[:limit]


def _row(entry: Entry) -> Sequence[str]:
    before = entry.before
    if before is None:
        return ("–", "–", "–", "–", "–", "–", entry.outcome, entry.unreadable[:80] or entry.message)
    where = before.profile or before.url
    where = f"{where} · {before.namespace}" if before.namespace else where
    what = f"{before.target}  {before.details}".strip()
    return (
        date_time(before.at_ns),
        before.who,
        where,
        before.command,
        what if len(what) <= 80 else f"{what[:79]}…",
        before.confirm,
        entry.outcome,
        entry.message if entry.after else "no outcome was written",
    )
