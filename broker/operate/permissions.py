"""Four steps of permission, one word everywhere: profile, bar, command line, audit."""

from __future__ import annotations

from typing import Final, Literal, get_args

Permission = Literal["see", "ask", "call", "act"]
"""Each includes those before it: see publishes nothing; ask sends DISCOVER, PING and ``$node.*``;
call calls and emits; act sets breakers, broadcasts, benches and replays."""

PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)


def allows(given: Permission, needed: Permission) -> bool:
    """Whether who has the one may do what needs the other."""
    return PERMISSIONS.index(given) >= PERMISSIONS.index(needed)


def permission(text: str) -> Permission:
    """A permission by its word.

    Raises:
        ValueError: There is no such word.
    """
    for known in PERMISSIONS:
        if text == known:
            return known
    raise ValueError(f"permission is '{text}', expected one of {', '.join(PERMISSIONS)}")
