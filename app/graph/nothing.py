"""Why there is nothing to draw, and what to do about it. No Qt."""

from __future__ import annotations

from typing import NamedTuple

from app.widgets.format import count, length


class Nothing(NamedTuple):
    """What an empty graph says.

    Attributes:
        why: In a line.
        advice: What to do.
        can_show_all: Whether everything hidden can be shown again.
    """

    why: str
    advice: str
    can_show_all: bool = False


def why_nothing(known: int, passing: int, seconds: float, *, hides: bool, filters: bool) -> Nothing:
    """What to say.

    Args:
        known: How many cards there would be.
        passing: How many of them the filter of all views leaves.
        seconds: How long the span on screen is.
        hides: Whether the Hide box or a focus is in use.
        filters: Whether the filter of all views is in use.
    """
    if passing and hides:
        return Nothing(f"All {count(passing)} cards are hidden", "The Hide box or the focus leaves nothing over.", True)
    if filters:
        return Nothing("Nothing passes the filter", "Widen the time window, or clear the filter at the top.")
    if seconds < 1:
        return Nothing("Nothing heard yet", "Waiting for the first packets from the bus.")
    services = f"{count(known)} service{'s' if known != 1 else ''} known. " if known else ""
    return Nothing(
        f"No traffic seen in {length(seconds)}",
        f"{services}Calls inside one node are not on the bus. Widen the time window, or wait for traffic; "
        "with the permission to ask, “Ask once” makes every node say what it offers.",
    )
