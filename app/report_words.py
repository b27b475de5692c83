"""What became of a command, for people: its tone, and a line for each of its targets."""

from __future__ import annotations

from typing import Final

from app.widgets.controls import Tone
from broker.operate.commands import Report

TONES: Final[dict[str, Tone]] = {"done": "ok", "partly": "slow", "cancelled": "slow", "unknown": "slow"}
SIGNS: Final = {"done": "✓", "partly": "◷", "cancelled": "◷", "unknown": "?"}
MOST_ROWS: Final = 8


def report_tone(report: Report) -> Tone:
    """Of what is said of it: nobody knows is no failure, and no success."""
    return TONES.get(report.outcome, "failed")


def report_rows(report: Report) -> list[str]:
    """A line for each target, those that are not done first; the rest is counted."""
    targets = sorted(report.targets, key=lambda target: target.outcome == "done")
    rows = [
        f"{SIGNS.get(each.outcome, '▲')} {each.target}: {each.message or each.outcome}" for each in targets[:MOST_ROWS]
    ]
    left = len(targets) - len(rows)
    return [*rows, f"… and {left} more: they stand in the audit"] if left > 0 else rows
