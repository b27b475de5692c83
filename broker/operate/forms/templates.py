"""Variables in values: a text that holds one is not judged until the variable is filled in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

TEMPLATE: Final = re.compile(r"\{\{.+?\}\}")
"""One variable."""

IsTemplate = Callable[[str], bool]


def is_template(text: str) -> bool:
    """Whether a text is, or contains, a variable: ``{{name}}``."""
    return "{{" in text and TEMPLATE.search(text) is not None


def never(_text: str) -> bool:
    """For texts that are what they are."""
    return False
