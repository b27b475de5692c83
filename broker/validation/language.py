"""The short forms of schemas, and how parts of schemas are laid over each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from broker.validation.javascript.numbers import SPACES, number_of_text
from broker.validation.javascript.values import UNDEFINED


def clone(value: Any, known: dict[int, Any] | None = None) -> Any:
    """A copy of a schema that may be changed; what was one object twice, or within itself, still is."""
    known = {} if known is None else known
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, Mapping):
        copied: dict[Any, Any] = {}
        known[id(value)] = copied
        copied.update({key: clone(each, known) for key, each in value.items()})
        return copied
    if isinstance(value, list | tuple):
        items: list[Any] = []
        known[id(value)] = items
        items.extend(clone(each, known) for each in value)
        return items
    return value


def lay_under(target: dict[str, Any], source: Mapping[str, Any] | None) -> dict[str, Any]:
    """Add to a rule what it does not say itself; objects within are laid under each other too."""
    for key, value in (source or {}).items():
        if isinstance(value, dict) and value:
            inner = target.get(key)
            if not inner:
                inner = target[key] = {}
            if isinstance(inner, dict):
                lay_under(inner, value)
        elif target.get(key, UNDEFINED) is UNDEFINED:
            target[key] = value
    return target


def read_shorthand(text: str) -> tuple[str, dict[str, Any]]:
    """``"string|min:3|no-empty"`` as a type and its options."""
    name, *parts = (part.strip(SPACES) for part in text.split("|"))
    options: dict[str, Any] = {}
    for part in parts:
        key, colon, value = part.partition(":")
        if colon:
            options[key.strip(SPACES)] = _value(value.strip(SPACES))
        elif part.startswith("no-"):
            options[part[3:]] = False
        else:
            options[part] = True
    return name, options


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    number = number_of_text(text)
    return text if number != number else number  # noqa: PLR0124 - NaN
