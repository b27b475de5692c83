"""Files that a call streams from and to."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from app.cli.errors import SaidNo
from app.widgets.format import byte_size
from broker.operate.commands import Progress


@contextlib.contextmanager
def opened(upload: Path | None, download: Path | None) -> Iterator[tuple[BinaryIO | None, BinaryIO | None]]:
    """The files of a call. A new file that stays empty is taken away again.

    Raises:
        SaidNo: One cannot be opened, or the new one is there already.
    """
    with contextlib.ExitStack() as files:
        try:
            source = files.enter_context(upload.open("rb")) if upload is not None else None
            target = files.enter_context(_new(download)) if download is not None else None
        except FileExistsError:
            raise SaidNo(f"{download} is there already.", "Give another name, or move it away.") from None
        except OSError as error:
            raise SaidNo(f"{error.filename} cannot be opened: {error.strerror}.") from error
        try:
            yield source, target
        finally:
            if target is not None and download is not None:
                target.flush()
                if download.stat().st_size == 0:
                    files.callback(download.unlink)


def _new(path: Path) -> BinaryIO:
    """A file that nobody else reads: what comes over the mesh may be anything."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def show_streams(progress: Progress) -> None:
    """How much went and came, on a terminal."""
    if sys.stderr.isatty() and (progress.sent_bytes or progress.received_bytes):
        text = f"sent {byte_size(progress.sent_bytes)}, received {byte_size(progress.received_bytes)}"
        click.echo(f"\r\x1b[K{text}", err=True, nl=False)


def clear_line() -> None:
    """Take it from the terminal."""
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
