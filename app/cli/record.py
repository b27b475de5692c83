"""`meshscope record`: records traffic into a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from app.cli.errors import SaidNo
from app.cli.group import meshscope
from app.cli.options import filter_option, parse_filter, target
from app.cli.packet_fields import PacketFields
from app.cli.sitting import Bar, options_of, run
from app.cli.targets import Target
from app.widgets.format import byte_size
from broker.capture.journal.shelf import JournalShelf
from broker.mesh.filter import Filter
from broker.observe.journal import Batch
from broker.probe.keeping import store_journal
from broker.probe.offline import Progress, listen
from broker.probe.options import SessionOptions

UNITS = {"k": 10**3, "m": 10**6, "g": 10**9}


class Bytes(click.ParamType[int]):
    """A size: 500000, 500k, 64M, 2G."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The size in bytes."""
        if isinstance(value, int):
            return value
        text = str(value).strip().lower().removesuffix("b")
        unit = UNITS.get(text[-1:], 1)
        number = text[:-1] if unit > 1 else text
        try:
            size = int(float(number) * unit)
        except ValueError:
            self.fail(f"'{value}' is no size, expected for instance 500k, 64M or 2G", param, ctx)
        if size <= 0:
            self.fail(f"size is '{value}', expected more than 0", param, ctx)
        return size


@meshscope.command("record")
@target(may="see", file_allowed=False, can_be_far=False)
@click.option("-o", "--output", "path", required=True, metavar="FILE", help="A new .mcap file.")
@click.option(
    "--duration",
    "duration_s",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    metavar="S",
    help="Stop after so many seconds; otherwise at Ctrl+C.",
)
@click.option(
    "--max-size", "max_bytes", type=Bytes(), default=0, metavar="B", help="Stop recording after so many bytes."
)
@click.option("--headers-only", is_flag=True, help="Keep no payloads.")
@filter_option
def record_command(
    *, target: Target, path: str, duration_s: float | None, max_bytes: int, headers_only: bool, expression: str
) -> None:
    """Record traffic into a file. Values under secret names are masked before they reach the disk.

    A profile's policy holds: it may keep headers only, or everything.
    """
    file, wanted = Path(path), parse_filter(expression)
    if file.exists():
        raise SaidNo(f"{path} is there already.", "Give another name, or move it away.")
    policy = "headers" if headers_only else target.policy
    options = options_of(target, record_path=path, record_max_bytes=max_bytes, policy=policy)
    packets, trouble = 0, ""

    def progress(now: Progress) -> None:
        nonlocal packets, trouble
        packets = now.frames
        if now.message and now.message != trouble:
            click.echo(f"meshscope: {now.message}", err=True)
        trouble = now.message

    click.echo(f"recording into {path}; Ctrl+C ends it properly", err=True)
    try:
        passes = None if wanted.is_empty else partial(_passes, wanted, PacketFields())
        run(listen(options, _drop, duration_s=duration_s, progress=progress, wanted=passes))
    finally:
        if file.exists():
            _store_journal(file)
            click.echo(f"{path}: {byte_size(file.stat().st_size)} of {packets:,} packets heard", err=True)


def _store_journal(file: Path) -> None:
    """So that the recording opens at once. It is whole already: Ctrl+C leaves it without."""
    bar = Bar("storing the journal (Ctrl+C leaves it out)")
    try:
        store_journal(file, progress=bar.show, shelf=JournalShelf(SessionOptions().journals()))
    except KeyboardInterrupt:
        pass
    finally:
        bar.clear()


def _passes(wanted: Filter, fields: PacketFields, at_ns: int, channel: bytes, body: bytes) -> bool:
    """Whether a frame is to be recorded."""
    found = fields.of(at_ns, channel, body)
    return found is not None and wanted.matches(found)


def _drop(_batch: Batch) -> None:
    """What is observed is not asked for here."""
