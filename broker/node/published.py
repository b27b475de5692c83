"""Definitions as INFO carries them: what is no plain data is left out, as when MoleculerJS makes JSON of its own."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

_NOTHING: Final = object()


def published(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition without functions, other objects, and itself within itself; in lists null stands in their place."""
    plain: dict[str, Any] = _plain(definition)
    return plain


def _plain(value: Any, within: tuple[int, ...] = ()) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if id(value) in within:
        return _NOTHING
    inside = (*within, id(value))
    if isinstance(value, Mapping):
        pairs = ((str(key), _plain(each, inside)) for key, each in value.items())
        return {key: each for key, each in pairs if each is not _NOTHING}
    if isinstance(value, list | tuple | set | frozenset):
        return [None if each is _NOTHING else each for each in (_plain(item, inside) for item in value)]
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, re.Pattern):
        return {}  # what JSON makes of a regular expression
    to_wire = getattr(value, "to_wire", None)  # a policy
    return _NOTHING if to_wire is None else _plain(to_wire())
