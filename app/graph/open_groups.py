"""Which groups of a graph are open: kept for each grouping, and for each connection. No Qt."""

from __future__ import annotations

from typing import Final, cast

from app.graph.places import Openness, current_store
from broker.mesh.answers import GroupBy
from broker.mesh.opened import CLOSED, Opened

PLAIN: Final = "service"
"""Nothing is grouped: a card is a service. One by one they can be opened."""


def group_by_of(grouping: str) -> GroupBy:
    """What a card is when its group is closed."""
    return "service" if grouping == "instances" else cast(GroupBy, grouping)


def kept_open(grouping: str) -> Opened | None:
    """What was opened and closed in this grouping; None where nobody has done so yet: all open if they are few."""
    kept = current_store().openness(grouping)
    if kept.by_default is None and not kept.others:
        return CLOSED if grouping == PLAIN else None
    return Opened(bool(kept.by_default), frozenset(kept.others))


def keep_open(grouping: str, opened: Opened) -> None:
    """Remember what is open now."""
    kept: Openness = current_store().openness(grouping)
    kept.by_default, kept.others = opened.by_default, sorted(opened.others)
    current_store().save()
