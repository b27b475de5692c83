"""A value as Python writes it."""

from __future__ import annotations

import json
from typing import Any, Final

LINE: Final = 80
"""Longer values have a line for each item."""


def python_text(value: Any, depth: int = 0) -> str:
    """A value of JSON as a Python literal."""
    flat = _flat(value)
    if len(flat) <= LINE or not value or not isinstance(value, dict | list):
        return flat
    pad, end = "    " * (depth + 1), "    " * depth
    if isinstance(value, dict):
        items = [f"{pad}{_text(key)}: {python_text(item, depth + 1)}," for key, item in value.items()]
        return "{\n" + "\n".join(items) + f"\n{end}}}"
    items = [f"{pad}{python_text(item, depth + 1)}," for item in value]
    return "[\n" + "\n".join(items) + f"\n{end}]"


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)}: {_flat(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flat, value)) + "]"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    """In double quotes; JSON's escapes are Python's, but for surrogates, which stay as they are."""
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else repr(text)
