"""The example of docs/wire.md makes a node that can talk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from broker.node import Broker

PAGE = Path(__file__).parents[2] / "docs" / "wire.md"


def test_the_example_makes_a_node() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    made: dict[str, Any] = {}
    exec(compile(example, str(PAGE), "exec"), made)  # noqa: S102 - our own page
    assert isinstance(made["broker"], Broker)
    assert [type(each).__name__ for each in made["options"].middlewares] == [
        "TransmitEncryption",
        "TransmitCompression",
    ]
