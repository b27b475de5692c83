"""Acts as plain records, JSON or CSV: for other tools, and for those who look later."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from broker.operate.audit import Entry

COLUMNS: Final = (
    "at",
    "at_ns",
    "who",
    "profile",
    "url",
    "namespace",
    "command",
    "target",
    "details",
    "confirm",
    "may",
    "source",
    "outcome",
    "message",
    "ended_ns",
    "id",
)
"""Of a record, in this order; ``at`` is UTC, as ISO 8601 writes it."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def record(entry: Entry) -> dict[str, Any]:
    """An act as plain data: the columns, and a list of its targets."""
    before, after = entry.before, entry.after
    found: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    if before is not None:
        found |= {name: getattr(before, name) for name in COLUMNS if hasattr(before, name)}
    found |= {
        "at": datetime.fromtimestamp(entry.at_ns / 1e9, UTC).isoformat(timespec="milliseconds") if entry.at_ns else "",
        "at_ns": entry.at_ns,
        "outcome": entry.outcome,
        "message": entry.unreadable or entry.message,
        "ended_ns": after.at_ns if after else 0,
        "id": before.id if before else after.id if after else "",
    }
    return found | {"targets": [dict(target) for target in after.targets] if after else []}


def as_json(entries: Iterable[Entry]) -> str:
    """One JSON document with an array of records."""
    return json.dumps([record(entry) for entry in entries], indent=1, ensure_ascii=True) + "\n"


def as_csv(entries: Iterable[Entry]) -> str:
    """A table with a heading; targets are a JSON text. No cell is taken for a formula by who opens it."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow((*COLUMNS, "targets"))
    for entry in entries:
        found = record(entry)
        targets = json.dumps(found["targets"], ensure_ascii=True) if found["targets"] else ""
        table.writerow([_cell(found[name]) for name in COLUMNS] + [targets])
    return text.getvalue()


def _cell(value: object) -> object:
    """A text that a spreadsheet would reckon is quoted."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
