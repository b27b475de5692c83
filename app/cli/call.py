"""`meshscope call`: calls an action once, and prints what came back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import click

from app.cli.acting import Actor, acting
from app.cli.answers import exit_code, print_answer
from app.cli.group import meshscope
from app.cli.options import as_json
from app.cli.sitting import run
from app.cli.stream_files import clear_line, opened, show_streams
from app.cli.texts import JsonText, headers_option, meta_option
from broker.operate.commands import Call, Report

TIMEOUT_MS = 10_000.0

node_option = click.option("--node", "node_id", default="", metavar="ID", help="Who is to answer; balanced otherwise.")
timeout_option = click.option(
    "--timeout",
    "timeout_ms",
    type=click.FloatRange(min=0, min_open=True),
    default=TIMEOUT_MS,
    show_default=True,
    metavar="MS",
    help="After so many milliseconds it counts as unknown.",
)


@meshscope.command("call")
@acting(may="call")
@click.argument("action")
@click.argument("params", type=JsonText(), default="")
@node_option
@meta_option
@headers_option
@timeout_option
@click.option("--retries", type=click.IntRange(min=0, max=20), default=0, metavar="N", help="After a retryable error.")
@click.option(
    "--upload",
    "upload_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help="Sent along as a stream.",
)
@click.option(
    "--download",
    "download_path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help="A new file for a streamed answer, as it came.",
)
@as_json
@click.pass_context
def call_command(
    context: click.Context,
    *,
    actor: Actor,
    action: str,
    params: str,
    node_id: str,
    meta: str,
    headers: str,
    timeout_ms: float,
    retries: int,
    upload_path: Path | None,
    download_path: Path | None,
    json_output: bool,
) -> None:
    """Call an action once. PARAMS is a JSON text; - reads it from standard input, @FILE from a file.

    Data goes to standard output, how it came to standard error. What looks secret is masked.
    """
    uploads = upload_path is not None
    command = Call("", action, params, meta, headers, node_id, timeout_ms, retries, uploads=uploads)
    actor.check(command)
    reports: list[Report] = []

    async def work(upload: BinaryIO | None, download: BinaryIO | None) -> None:
        confirmation = await actor.confirm(command)
        async with actor.sit() as sitting:
            there = replace(command, namespace=await sitting.namespace())
            await sitting.ready(there.namespace)
            reports.append(await sitting.do(there, confirmation, told=show_streams, upload=upload, download=download))

    with opened(upload_path, download_path) as (upload, download):
        run(work(upload, download))
    clear_line()
    (report,) = reports
    print_answer(report, action, actor.target.masks(), json_output=json_output)
    context.exit(exit_code(report))
