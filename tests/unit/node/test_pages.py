"""What the pages in ``docs/`` show is true."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[3] / "docs"
SHOWN = {
    "node.md": [
        "a_call",
        "a_context",
        "some_events",
        "some_streams",
        "a_schema",
        "a_middleware",
        "the_mesh",
        "measured",
    ],
    "tolerance.md": ["timeouts", "retries", "breakers", "bulkheads", "fallbacks", "caches"],
    "validation.md": ["by_schema", "broken", "by_types"],
}


@pytest.mark.parametrize(("page", "shown"), [(page, each) for page, names in SHOWN.items() for each in names])
def test_the_example_runs_as_shown(page: str, shown: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "page"}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        exec(compile(block, page, "exec"), names)  # noqa: S102 - our own page
    asyncio.run(names[shown]())
