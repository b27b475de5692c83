"""Which subscriptions an event name matches: Moleculer's wildcards, in Moleculer's order."""

from __future__ import annotations

import re
from functools import lru_cache


def matches(name: str, pattern: str) -> bool:
    """Whether the concrete name is meant by the pattern.

    ``?`` is any one character, ``*`` anything without a dot, ``**`` anything.
    The order of the special cases, and that a dot in a pattern that needs a
    regular expression means any character, are those of MoleculerJS.

    Args:
        name: A concrete event name, such as ``user.created``.
        pattern: What somebody subscribed to, such as ``user.*``.
    """
    if "?" not in pattern:
        first = pattern.find("*")
        if first == -1:
            return name == pattern
        length = len(pattern)
        if length > 2 and pattern.endswith("**") and first > length - 3:
            return name.startswith(pattern[:-2])
        if length > 1 and pattern.endswith("*") and first > length - 2:
            prefix = pattern[:-1]
            # MoleculerJS looks for the dot one character late; so do we
            return name.startswith(prefix) and name.find(".", length) == -1
        if length == 1:
            return "." not in name
        if pattern == "**":
            return True
    return _compiled(pattern).match(name) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern.startswith("$"):
        pattern = "\\" + pattern
    translated = pattern.replace("?", ".").replace("**", "\0").replace("*", "[^.]*").replace("\0", ".*")
    try:
        return re.compile(rf"^{translated}\Z")
    except re.error:  # a pattern of ours is anybody's text: then it means itself
        return re.compile(rf"^{re.escape(pattern)}\Z")
