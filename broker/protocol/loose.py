"""Fields of a packet as what they should be, whatever they are: a wrong one is an empty one."""

from __future__ import annotations

from typing import Any


def as_object(value: object) -> dict[str, Any]:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """A JSON array; an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """A text; "" for anything else."""
    return value if isinstance(value, str) else ""


def as_label(value: object) -> str:
    """A text; numbers, which some nodes give as names and versions, as texts; "" for anything else."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else as_text(value)
