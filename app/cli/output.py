"""What headless commands print: one JSON document, or tables for people."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import click


def plain(value: object) -> Any:
    """Records as JSON takes them: dataclasses and named tuples as objects, tuples as lists, NaN as null."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def print_json(document: object) -> None:
    """One JSON document to standard output, and nothing else."""
    # Names from the bus may hold lone surrogates, which UTF-8 cannot carry: ASCII escapes can.
    click.echo(json.dumps(plain(document), indent=2, ensure_ascii=True))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> None:
    """A table with columns as wide as their widest cell.

    Args:
        headings: One a column.
        rows: Cells, as many a row as there are headings.
        right: Numbers of the columns whose cells line up at the right.
    """
    cells = [list(map(printable, row)) for row in rows]
    to_right = set(right)
    widths = [max([len(heading), *(len(row[i]) for row in cells)]) for i, heading in enumerate(headings)]
    for row in [list(headings), *cells]:
        line = (
            cell.rjust(w) if i in to_right else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        click.echo("  ".join(line).rstrip())


def printable(text: str) -> str:
    """The text with control characters and lone surrogates escaped, so that a name cannot drive a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
