"""What differs between two answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, Literal, NamedTuple

MOST_CHANGES: Final = 1_000
MOST_LETTERS: Final = 200
MOST_DEPTH: Final = 60

_ABSENT: Final = object()


class Change(NamedTuple):
    """One place at which two values differ.

    Attributes:
        path: Where: ``lines[1].sku``; empty for the whole.
        kind: What became of it.
        before, after: JSON texts, cut after 200 letters; "" where there is none.
    """

    path: str
    kind: Literal["added", "removed", "changed"]
    before: str
    after: str


class Difference(NamedTuple):
    """All that differs.

    Attributes:
        changes: In the order of the newer value; what was removed comes after its neighbours.
        left_out: Whether there are more than are told.
    """

    changes: tuple[Change, ...]
    left_out: bool = False


def difference(before: Any, after: Any, most: int = MOST_CHANGES) -> Difference:
    """What is to be changed in one value of JSON to get another.

    Items of lists are compared by place, but for what was put in or taken out between a common beginning and a
    common end.
    """
    found = list(islice(_changes(before, after, "", 0), most + 1))
    return Difference(tuple(found[:most]), len(found) > most)


def _changes(before: Any, after: Any, path: str, depth: int) -> Iterator[Change]:
    if before is after or (type(before) is type(after) and before == after and not _is_container(after)):
        return
    if depth < MOST_DEPTH and isinstance(before, dict) and isinstance(after, dict):
        yield from _of_objects(before, after, path, depth)
    elif depth < MOST_DEPTH and isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path, depth)
    elif not _same(before, after):
        kind: Literal["added", "removed", "changed"] = "changed"
        if before is _ABSENT:
            kind = "added"
        elif after is _ABSENT:
            kind = "removed"
        yield Change(path, kind, _short(before), _short(after))


def _of_objects(before: dict[str, Any], after: dict[str, Any], path: str, depth: int) -> Iterator[Change]:
    for key in (*after, *(key for key in before if key not in after)):
        inner = f"{path}.{key}" if path else str(key)
        yield from _changes(before.get(key, _ABSENT), after.get(key, _ABSENT), inner, depth + 1)


def _of_lists(before: list[Any], after: list[Any], path: str, depth: int) -> Iterator[Change]:
    least = min(len(before), len(after))
    begin = 0
    while begin < least and _same(before[begin], after[begin]):
        begin += 1
    end = 0
    while end < least - begin and _same(before[-1 - end], after[-1 - end]):
        end += 1
    old, new = before[begin : len(before) - end], after[begin : len(after) - end]
    for number in range(max(len(old), len(new))):
        one = old[number] if number < len(old) else _ABSENT
        other = new[number] if number < len(new) else _ABSENT
        yield from _changes(one, other, f"{path}[{begin + number}]", depth + 1)


def _same(one: Any, other: Any) -> bool:
    """As JSON has it: 1 and 1.0 are one number, true is none."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    try:
        return bool(one == other) and _truths(one) == _truths(other)
    except RecursionError:
        return False


def _truths(value: Any) -> Any:
    """A list or an object with its booleans told from numbers; anything else as nothing."""
    if isinstance(value, dict):
        return {key: _truths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_truths(item) for item in value]
    return isinstance(value, bool)


def _is_container(value: Any) -> bool:
    return isinstance(value, dict | list)


def _short(value: Any) -> str:
    if value is _ABSENT:
        return ""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):
        return "…"
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"
