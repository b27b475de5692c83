"""All rows of the table, and how it is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.interop import (
    checks_calls,
    checks_events,
    checks_life,
    checks_registry,
    checks_streams,
    checks_values,
)
from tests.interop.check import checks_of
from tests.interop.columns import Column

__all__ = ["CHECKS", "FAILED", "OK", "render"]

# what hurts a mesh stands last
CHECKS = checks_of(checks_calls, checks_values, checks_streams, checks_events, checks_registry, checks_life)

OK, FAILED, NOT_APPLICABLE = "yes", "NO", "–"


def render(results: Mapping[Column, Mapping[str, str]], columns: Sequence[Column]) -> str:
    """The table as Markdown.

    Args:
        results: By column and title of a check: OK, FAILED; what is missing does not apply.
        columns: In their order.
    """
    width = max(map(len, CHECKS))
    heads = [column.name for column in columns]
    lines = [
        f"| {'both ways, on Redis':<{width}} | " + " | ".join(heads) + " |",
        f"|{'-' * (width + 2)}|" + "|".join("-" * (len(head) + 2) for head in heads) + "|",
    ]
    for title in CHECKS:
        cells = [results[column].get(title, NOT_APPLICABLE) for column in columns]
        row = " | ".join(f"{cell:^{len(head)}}" for cell, head in zip(cells, heads, strict=True))
        lines.append(f"| {title:<{width}} | {row} |")
    return "\n".join(lines)
