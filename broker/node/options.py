"""Settings of fault tolerance: per broker, and per action where an action says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from broker.node.errors import MoleculerError


def is_retryable(error: Exception) -> bool:
    """MoleculerJS's default check of its retry policy: the error says so."""
    return bool(getattr(error, "retryable", False))


def is_server_error(error: Exception) -> bool:
    """MoleculerJS's default check of its circuit breaker: a code of 500 or more. Plain errors have none."""
    code = error.code if isinstance(error, MoleculerError) else None
    if isinstance(code, str):  # off the wire it may be anything, and JavaScript compares "503" as a number
        return code.isdecimal() and int(code) >= 500
    return isinstance(code, int | float) and code >= 500


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When and how often a failed call is made again.

    Attributes:
        enabled: Whether at all.
        retries: How often, after the first attempt.
        delay_s: Before the first retry; each further one waits ``factor`` times as long.
        max_delay_s: No wait is longer.
        factor: See ``delay_s``.
        check: Whether this error is worth another attempt.
    """

    enabled: bool = False
    retries: int = 5
    delay_s: float = 0.1
    max_delay_s: float = 1.0
    factor: float = 2.0
    check: Callable[[Exception], bool] = is_retryable

    def wait_s(self, attempt: int) -> float:
        """How long to wait before an attempt, the first retry being 1, in seconds."""
        return min(self.delay_s * self.factor ** (attempt - 1), self.max_delay_s)

    def overlaid(self, said: object) -> RetryPolicy:
        """With what an action's ``retryPolicy`` says otherwise; a whole policy takes this one's place."""
        return said if isinstance(said, RetryPolicy) else _overlaid(self, said, _RETRY_KEYS)

    def to_wire(self) -> dict[str, object]:
        """As an action publishes it in INFO."""
        return _to_wire(self, _RETRY_KEYS)


@dataclass(frozen=True, slots=True)
class CircuitBreakerPolicy:
    """When a circuit opens, and for how long.

    Attributes:
        enabled: Whether at all.
        threshold: It opens when this share of the counted calls failed, 0..1.
        min_request_count: It is judged only from this many counted calls on.
        window_s: The counters are set to zero this often.
        half_open_s: An open circuit is tried again after this long.
        check: Whether this error counts as a failure; others are not counted at all.
    """

    enabled: bool = False
    threshold: float = 0.5
    min_request_count: int = 20
    window_s: float = 60.0
    half_open_s: float = 10.0
    check: Callable[[Exception], bool] = is_server_error

    def overlaid(self, said: object) -> CircuitBreakerPolicy:
        """With what an action's ``circuitBreaker`` says otherwise; a whole policy takes this one's place."""
        return said if isinstance(said, CircuitBreakerPolicy) else _overlaid(self, said, _BREAKER_KEYS)

    def to_wire(self) -> dict[str, object]:
        """As an action publishes it in INFO."""
        return _to_wire(self, _BREAKER_KEYS)


@dataclass(frozen=True, slots=True)
class BulkheadPolicy:
    """How many executions of one action, or of one event's handler, run at once on this node.

    Attributes:
        enabled: Whether at all.
        concurrency: So many run at once.
        max_queue_size: So many more may wait their turn, others are refused; 0 is no limit.
    """

    enabled: bool = False
    concurrency: int = 10
    max_queue_size: int = 100

    def overlaid(self, said: object) -> BulkheadPolicy:
        """With what a ``bulkhead`` of an action or event says otherwise; a whole policy takes this one's place."""
        return said if isinstance(said, BulkheadPolicy) else _overlaid(self, said, _BULKHEAD_KEYS)

    def to_wire(self) -> dict[str, object]:
        """As an action publishes it in INFO."""
        return _to_wire(self, _BULKHEAD_KEYS)


_P = TypeVar("_P", RetryPolicy, CircuitBreakerPolicy, BulkheadPolicy)

# wire key: (field, wire units in one of ours). MoleculerJS mixes seconds (windowTime) and milliseconds.
_RETRY_KEYS: Final[Mapping[str, tuple[str, int]]] = {
    "enabled": ("enabled", 1),
    "retries": ("retries", 1),
    "delay": ("delay_s", 1000),
    "maxDelay": ("max_delay_s", 1000),
    "factor": ("factor", 1),
}
_BREAKER_KEYS: Final[Mapping[str, tuple[str, int]]] = {
    "enabled": ("enabled", 1),
    "threshold": ("threshold", 1),
    "minRequestCount": ("min_request_count", 1),
    "windowTime": ("window_s", 1),
    "halfOpenTime": ("half_open_s", 1000),
}
_BULKHEAD_KEYS: Final[Mapping[str, tuple[str, int]]] = {
    "enabled": ("enabled", 1),
    "concurrency": ("concurrency", 1),
    "maxQueueSize": ("max_queue_size", 1),
}


def _overlaid(policy: _P, said: object, keys: Mapping[str, tuple[str, int]]) -> _P:
    """The policy with every key that was said in its right type; what is odd is left as it was."""
    if not isinstance(said, Mapping):
        return policy
    changes: dict[str, Any] = {}
    for key, (name, scale) in keys.items():
        value = said.get(key)
        if name == "enabled":
            if isinstance(value, bool):
                changes[name] = value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            changes[name] = value / scale if scale != 1 else value
    if callable(check := said.get("check")):  # never off the wire: one of our own schemas
        changes["check"] = check
    return replace(policy, **changes) if changes else policy


def _to_wire(
    policy: RetryPolicy | CircuitBreakerPolicy | BulkheadPolicy, keys: Mapping[str, tuple[str, int]]
) -> dict[str, object]:
    return {key: getattr(policy, name) * scale for key, (name, scale) in keys.items() if name != "enabled"} | {
        "enabled": policy.enabled
    }
