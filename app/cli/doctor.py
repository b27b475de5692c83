"""`meshscope doctor`: checks this machine and a connection, says what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import platformdirs

from app import __version__
from app.cli.group import meshscope
from app.cli.options import as_json
from app.cli.output import print_json
from app.cli.targets import find_target
from broker.native import IS_COMPILED
from broker.transport import CheckResult, ConnectionSettings, check

ENOUGH_DISK = 1 << 30  # the ring of a live session takes 512 MB


@meshscope.command("doctor")
@click.argument("url", metavar="[URL|PROFILE]", required=False, default="")
@click.option("--tls-ca", type=click.Path(exists=True, dir_okay=False), default=None, metavar="FILE")
@as_json
@click.pass_context
def doctor_command(context: click.Context, *, url: str, tls_ca: str | None, json_output: bool) -> None:
    """Check this machine and, with a URL, a connection; say what is wrong and how to mend it."""
    results = list(check_machine())
    if url:
        found = find_target(url, "see", tls_ca=tls_ca or "", file_allowed=False)
        results += asyncio.run(_check_connection(found.connection()))
    if json_output:
        print_json({"checks": results})
    else:
        for result in results:
            click.echo(f"{'ok  ' if result.ok else 'WRONG'}  {result.name}: {result.message}")
            if result.advice and not result.ok:
                click.echo(f"       {result.advice}")
    context.exit(0 if all(result.ok for result in results) else 1)


async def _check_connection(settings: ConnectionSettings) -> list[CheckResult]:
    return await check(settings)


def check_machine() -> Iterator[CheckResult]:
    """What of this machine Meshscope needs, checked one by one."""
    version = sys.version.split()[0]
    yield CheckResult("program", True, f"Meshscope {__version__}, Python {version}", "")
    message = (
        "packets are read by the compiled module" if IS_COMPILED else "packets are read in Python: slower, but whole"
    )
    yield CheckResult("speed", True, message, "")
    has_window = importlib.util.find_spec("PySide6") is not None
    message = "Qt is installed" if has_window else "Qt is not installed; headless commands work without it"
    yield CheckResult("window", True, message, "")
    has_screen = sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    yield CheckResult("screen", True, "there is one" if has_screen else "there is none; the window cannot be shown", "")
    yield _check_folder()


def _check_folder() -> CheckResult:
    folder = Path(platformdirs.user_state_dir("meshscope"))
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        return CheckResult("captures", False, f"{folder} cannot be written", "Set XDG_STATE_HOME to a folder that can.")
    free = shutil.disk_usage(existing).free
    message = f"{free / 1e9:.1f} GB free for the ring of live sessions in {folder}"
    return CheckResult("captures", free > ENOUGH_DISK, message, "A session needs 512 MB; free some space.")
