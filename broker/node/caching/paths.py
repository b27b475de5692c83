"""Values inside params and meta, found by lodash's paths, as MoleculerJS finds the keys of its caches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from broker.node.context import ABSENT

# lodash's own three expressions
_PLAIN: Final = re.compile(r"^\w*\Z", re.ASCII)
_DEEP: Final = re.compile(r"""\.|\[(?:[^[\]]*|(["'])(?:(?!\1)[^\\]|\\.)*?\1)\]""")
_PARTS: Final = re.compile(
    r"""[^.[\]]+|\[(?:(-?\d+(?:\.\d+)?)|(["'])((?:(?!\2)[^\\]|\\.)*?)\2)\]|(?=(?:\.|\[\])(?:\.|\[\]|\Z))"""
)
_ESCAPED: Final = re.compile(r"\\(\\)?")


def value_at(value: Any, path: str) -> Any:
    """What lies at a path such as ``user.id`` or ``rows[0].name``; ABSENT where there is nothing."""
    if not _is_deep(path) or (isinstance(value, Mapping) and path in value):
        return _member(value, path)
    for part in _parts(path):
        if value is None or value is ABSENT:
            return ABSENT
        value = _member(value, part)
    return value


@lru_cache(maxsize=1024)
def _is_deep(path: str) -> bool:
    return not _PLAIN.match(path) and _DEEP.search(path) is not None


@lru_cache(maxsize=1024)
def _parts(path: str) -> tuple[str, ...]:
    parts = [""] if path.startswith(".") else []
    for found in _PARTS.finditer(path):
        number, quote, quoted = found.groups()
        if quote:
            parts.append(_ESCAPED.sub(r"\1", quoted))
        else:
            parts.append(number or found.group())
    return tuple(parts)


def _member(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name, ABSENT)
    if isinstance(value, str) and not value.isascii():
        units = value.encode("utf-16-le", "surrogatepass")  # JavaScript counts these
        value = [units[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(units), 2)]
    if isinstance(value, Sequence):
        if name == "length":
            return len(value)
        if name.isdecimal() and str(int(name)) == name and int(name) < len(value):
            return value[int(name)]
    return ABSENT
