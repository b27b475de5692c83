"""How the state of a breaker is told everywhere: a sign with a word, its colour, how it is known. No Qt."""

from __future__ import annotations

from typing import Final, Literal

Tone = Literal["ok", "slow", "failed", "held"]

BREAKER_SIGNS: Final[dict[str, tuple[str, Tone]]] = {
    "closed": ("● closed", "ok"),
    "open": ("▬ open", "failed"),
    "half-open": ("◐ half-open", "slow"),
    "held-open": ("✋ held open", "held"),
    "held-closed": ("✋ held closed", "held"),
}
BREAKER_SOURCES: Final = {
    "event": "told by its event",
    "helper": "told by the helper",
    "asked": "asked of the node",
    "guess": "guessed from traffic that stopped",
}


def sign_of(state: str) -> tuple[str, Tone | None]:
    """The sign with its word, and its colour; of a state that nobody knows a question mark without colour."""
    return BREAKER_SIGNS.get(state) or (f"? {state}", None)


def source_of(source: str) -> str:
    """How a state is known."""
    return BREAKER_SOURCES.get(source, f"told by {source}")
