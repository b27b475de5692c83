"""`meshscope bench`: calls one action again and again, and prints rate, percentiles and their shape."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import click

from app.cli.acting import Actor, acting
from app.cli.answers import exit_code, print_report, report_document
from app.cli.call import node_option, timeout_option
from app.cli.group import meshscope
from app.cli.options import as_json
from app.cli.output import print_json, printable
from app.cli.sitting import run
from app.cli.stream_files import clear_line
from app.cli.texts import JsonText, meta_option
from app.widgets.format import duration_ms
from broker.operate.bench_figures import bars, percentiles_ms
from broker.operate.commands import Bench, BenchResult, Call, Progress, Report
from broker.operate.masks import Masks
from broker.probe.benching import LONGEST_S, MOST_CALLS, MOST_IN_FLIGHT

BARS = 16
BAR_WIDTH = 40


@meshscope.command("bench")
@acting(may="act")
@click.argument("action")
@click.argument("params", type=JsonText(), default="")
@click.option(
    "--time",
    "for_s",
    type=click.FloatRange(min=0, min_open=True, max=LONGEST_S),
    default=None,
    metavar="S",
    help="For so many seconds.  [default: 5]",
)
@click.option("--count", type=click.IntRange(min=1, max=MOST_CALLS), default=None, metavar="N", help="So many calls.")
@click.option(
    "--concurrency",
    type=click.IntRange(min=1, max=MOST_IN_FLIGHT),
    default=1,
    show_default=True,
    metavar="N",
    help="Calls in flight at once.",
)
@node_option
@meta_option
@timeout_option
@as_json
@click.pass_context
def bench_command(
    context: click.Context,
    *,
    actor: Actor,
    action: str,
    params: str,
    for_s: float | None,
    count: int | None,
    concurrency: int,
    node_id: str,
    meta: str,
    timeout_ms: float,
    json_output: bool,
) -> None:
    """Call one action again and again: rate and percentiles. With --time and --count, what ends first."""
    if for_s is None and count is None:
        for_s = 5.0
    command = Bench(Call("", action, params, meta, "", node_id, timeout_ms), count or 0, for_s or 0.0, concurrency)
    actor.check(command)
    reports: list[Report] = []

    async def work() -> None:
        size = " or ".join(([f"{count:,} calls"] if count else []) + ([f"{for_s:g} s"] if for_s else []))
        at = f" on {node_id}" if node_id else ""
        confirmation = await actor.confirm(command, about=[f"{action}{at}: {size}, {concurrency} at once"])
        async with actor.sit() as sitting:
            there = replace(command, call=replace(command.call, namespace=await sitting.namespace()))
            await sitting.ready(there.call.namespace)
            reports.append(await sitting.do(there, confirmation, told=_show))

    run(work())
    (report,) = reports
    clear_line()
    result = report.bench or BenchResult()
    masks = actor.target.masks()
    if json_output:
        print_json({**report_document(report), "action": action, "bench": bench_document(result, masks)})
    else:
        print_report(report)
        for word, times in result.error_words.items():
            click.echo(printable(f"  {times:,} × {masks.text(word)}"), err=True)
        print_bench(result)
    context.exit(exit_code(report))


def bench_document(result: BenchResult, masks: Masks) -> dict[str, Any]:
    """What was measured, as plain data; durations in ms."""
    return {
        "calls": result.calls,
        "errors": result.errors,
        "timeouts": result.timeouts,
        "seconds": result.seconds,
        "rate": result.calls / result.seconds if result.seconds else 0.0,
        **{f"{name}_ms": value for name, value in percentiles_ms(result).items()},
        "max_ms": result.max_ms,
        "error_words": {masks.text(word): times for word, times in result.error_words.items()},
        "histogram": [bar._asdict() for bar in bars(result, 64)],
    }


def print_bench(result: BenchResult) -> None:
    """Percentiles, and on a terminal their shape."""
    if not result.calls:
        return
    found = percentiles_ms(result)
    click.echo("  ".join(f"{name} {duration_ms(value or 0.0)}" for name, value in found.items()), nl=False)
    click.echo(f"  max {duration_ms(result.max_ms)}")
    if not sys.stdout.isatty():
        return
    shape = bars(result, BARS)
    most = max(bar.calls for bar in shape)
    for bar in shape:
        blocks = "█" * max(round(bar.calls / most * BAR_WIDTH), 1 if bar.calls else 0)
        click.echo(f"{duration_ms(bar.to_ms):>10}  {blocks:<{BAR_WIDTH}}  {bar.calls:,}")


def _show(progress: Progress) -> None:
    if sys.stderr.isatty() and progress.bench is not None:
        bar = "█" * round(max(0.0, progress.done) * 24)
        click.echo(f"\rcalling {bar:<24} {progress.bench.calls:,} answers", err=True, nl=False)
