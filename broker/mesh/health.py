"""Health of a set of calls: grey, green, amber, red, by thresholds that a user can read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from broker.mesh.answers import Figures, Health

SLOW_FACTOR: Final = 2.0
SLOW_CALLS: Final = 50


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where colours begin; shares of all calls, 0 to 1.

    Attributes:
        server_slow, server_failed: Errors that are the callee's fault, timeouts and missing answers.
        client_slow, client_failed: Errors that are the caller's fault: codes 400 to 499.
        factor: Slow when p99 is more than so many times that of the window before,
        calls: with at least so many completed calls behind it in both windows.
    """

    server_slow: float = 0.001
    server_failed: float = 0.05
    client_slow: float = 0.10
    client_failed: float = 0.20
    factor: float = SLOW_FACTOR
    calls: int = SLOW_CALLS


THRESHOLDS: Final = Thresholds()
_ORDER: Final[tuple[Health, ...]] = ("none", "ok", "slow", "failed")


def health(
    figures: Figures, before: Figures | None = None, *, client_errors: int = 0, thresholds: Thresholds = THRESHOLDS
) -> Health:
    """How a set of calls is.

    Args:
        figures: The set.
        before: The same set in the window before.
        client_errors: How many of its errors have a code from 400 to 499.
        thresholds: Where colours begin.

    Returns:
        ``none`` without calls; ``failed`` (red) and ``slow`` (amber) by the thresholds; otherwise ``ok``.
    """
    if not figures.calls:
        return "none"
    if not figures.failed:  # as most are
        return "slow" if is_slower(figures, before, thresholds) else "ok"
    client = min(client_errors, figures.errors) / figures.calls
    server = figures.error_share - client
    if server >= thresholds.server_failed or client >= thresholds.client_failed:
        return "failed"
    if server > thresholds.server_slow or client >= thresholds.client_slow:
        return "slow"
    return "slow" if is_slower(figures, before, thresholds) else "ok"


def worst(healths: Iterable[Health]) -> Health:
    """The worst of some; ``none`` without any."""
    return max(healths, key=_ORDER.index, default="none")


def is_slower(figures: Figures, before: Figures | None, thresholds: Thresholds = THRESHOLDS) -> bool:
    """Whether p99 rose by more than the factor, with enough calls behind both figures."""
    if before is None or min(figures.completed, before.completed) < thresholds.calls:
        return False
    return figures.p99_ms > thresholds.factor * before.p99_ms
