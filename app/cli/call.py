"""`meshscope call`: calls an action once, and prints what came back."""

from __future__ import annotations

from dataclasses import replace

import click

from app.cli.acting import Actor, acting
from app.cli.answers import exit_code, print_answer
from app.cli.group import meshscope
from app.cli.options import as_json
from app.cli.sitting import run
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
    json_output: bool,
) -> None:
    """Call an action once. PARAMS is a JSON text; - reads it from standard input, @FILE from a file.

    Data goes to standard output, how it came to standard error. What looks secret is masked.
    """
    command = Call("", action, params, meta, headers, node_id, timeout_ms, retries)
    actor.check(command)
    reports: list[Report] = []

    async def work() -> None:
        confirmation = await actor.confirm(command)
        async with actor.sit() as sitting:
            there = replace(command, namespace=await sitting.namespace())
            reports.append(await sitting.do(there, confirmation))

    run(work())
    (report,) = reports
    print_answer(report, action, actor.target.masks(), json_output=json_output)
    context.exit(exit_code(report))
