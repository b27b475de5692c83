"""Changes of a part of a JSON value. Nothing is changed in place: the rest is shared with what was before."""

from __future__ import annotations

from typing import Any

from broker.operate.forms.field import Path
from broker.validation import UNDEFINED


def at(value: Any, path: Path) -> Any:
    """What stands at a path; UNDEFINED where nothing does."""
    for key in path:
        if isinstance(key, str) and isinstance(value, dict):
            value = value.get(key, UNDEFINED)
        elif isinstance(key, int) and isinstance(value, list) and 0 <= key < len(value):
            value = value[key]
        else:
            return UNDEFINED
    return value


def put(value: Any, path: Path, part: Any) -> Any:
    """The value with a part set, or with UNDEFINED taken away; objects and lists on the way are made.

    In a list, nothing can be absent but its end: elsewhere null stands in the place of what was taken away.
    """
    if not path:
        return part
    key, rest = path[0], path[1:]
    if isinstance(key, str):
        return _put_key(value if isinstance(value, dict) else {}, key, rest, part)
    items = list(value) if isinstance(value, list) else []
    if part is UNDEFINED and key >= len(items):
        return items
    items += [None] * (key + 1 - len(items))
    inner = put(items[key], rest, part)
    items[key] = None if inner is UNDEFINED else inner
    return items


def _put_key(fields: dict[str, Any], key: str, rest: Path, part: Any) -> dict[str, Any]:
    if part is UNDEFINED and key not in fields:
        return fields
    inner = put(fields.get(key), rest, part)
    if inner is UNDEFINED:
        return {name: each for name, each in fields.items() if name != key}
    return {**fields, key: inner}


def inserted(items: list[Any], place: int, part: Any) -> list[Any]:
    """A list with one item more."""
    return [*items[:place], part, *items[place:]]


def removed(items: list[Any], place: int) -> list[Any]:
    """A list with one item less."""
    return [*items[:place], *items[place + 1 :]]


def moved(items: list[Any], place: int, to: int) -> list[Any]:
    """A list with an item elsewhere; `to` is cut to the list."""
    rest = removed(items, place)
    return inserted(rest, max(0, min(to, len(rest))), items[place])


def renamed(fields: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """An object with another name for a key, at the same place; unchanged if the new one is taken."""
    if new in fields:
        return fields
    return {new if key == old else key: each for key, each in fields.items()}
