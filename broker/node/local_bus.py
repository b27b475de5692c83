"""The broker's own bus: what is told within a node to whoever wants to hear it, without services."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from broker.node.matching import matches

log = logging.getLogger(__name__)

Hear = Callable[[Any], None]
"""Given what belongs to the event."""


class LocalBus:
    """Every event whose name begins with ``$`` passes here, at once and in order."""

    def __init__(self) -> None:
        self._heard: dict[str, list[Hear]] = {}

    def on(self, pattern: str, hear: Hear) -> None:
        """From now on call this for every event that matches."""
        self._heard.setdefault(pattern, []).append(hear)

    def off(self, pattern: str, hear: Hear) -> None:
        """Not any more."""
        kept = [each for each in self._heard.get(pattern, ()) if each != hear]
        if kept:
            self._heard[pattern] = kept
        else:
            self._heard.pop(pattern, None)

    def emit(self, event: str, data: Any) -> None:
        """Tell everybody who wants to hear; what one of them raises is logged."""
        for pattern in [each for each in self._heard if matches(event, each)]:
            for hear in list(self._heard.get(pattern, ())):
                try:
                    hear(data)
                except Exception:
                    log.exception("a listener for %s failed", event)
