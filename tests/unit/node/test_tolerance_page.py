"""What ``docs/tolerance.md`` shows is true."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "tolerance.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("shown", ["timeouts", "retries", "breakers", "bulkheads", "fallbacks", "caches"])
def test_the_example_runs_as_shown(shown):
    names: dict[str, Any] = {"__name__": "page"}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 - our own page
    asyncio.run(names[shown]())
