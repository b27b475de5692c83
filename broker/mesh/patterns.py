"""Patterns with ``*`` and ``?`` in linear time: patterns come from people and from the wire."""

from __future__ import annotations

from collections.abc import Callable


def glob(pattern: str) -> Callable[[str], bool]:
    """A test of texts, in any case: of the whole text where the pattern has ``*`` or ``?``, else of any part of it."""
    folded = pattern.casefold()
    if "*" not in folded and "?" not in folded:
        return lambda text: folded in text.casefold()
    if "?" in folded:
        return lambda text: _matches(folded, text.casefold())
    first, *middle, last = folded.split("*")

    def passes(text: str) -> bool:
        lower = text.casefold()
        if not (lower.startswith(first) and lower.endswith(last) and len(lower) >= len(first) + len(last)):
            return False
        at, end = len(first), len(lower) - len(last)
        for part in middle:
            at = lower.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return passes


def _matches(pattern: str, text: str) -> bool:
    """Whether a text is all that a pattern says. Goes back to the last star only, so never long."""
    at = star = 0
    starred = None
    position = 0
    while position < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, starred, at = at, position, at + 1
        elif at < len(pattern) and pattern[at] in ("?", text[position]):
            at, position = at + 1, position + 1
        elif starred is not None:
            starred += 1
            at, position = star + 1, starred
        else:
            return False
    return pattern[at:].strip("*") == ""


def dotted(pattern: str, name: str) -> bool:
    """Moleculer's pattern against a name: ``**`` is anything, ``*`` anything without a dot, ``?`` and ``.`` any one.

    Steps through both at once with all places in the pattern that are
    possible, so its time is their product. Moleculer gives the pattern to a
    regex, where other characters may mean something too; here they do not.
    """
    parts = _parts(pattern)
    places = _closed(parts, {0})
    for letter in name:
        stepped = set()
        for place in places:
            if place == len(parts):
                continue
            part = parts[place]
            if part == "**" or (part == "*" and letter != "."):
                stepped.add(place)
            elif part in ("?", ".") or part == letter:
                stepped.add(place + 1)
        places = _closed(parts, stepped)
        if not places:
            return False
    return len(parts) in places


def _parts(pattern: str) -> list[str]:
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        length = 2 if pattern.startswith("**", at) else 1
        parts.append(pattern[at : at + length])
        at += length
    return parts


def _closed(parts: list[str], places: set[int]) -> set[int]:
    """These places, and those behind stars that may stand for nothing."""
    found = set(places)
    for place in sorted(places):
        behind = place
        while behind < len(parts) and parts[behind] in ("*", "**"):
            behind += 1
            found.add(behind)
    return found
