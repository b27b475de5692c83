"""One circuit breaker: MoleculerJS's states, and what leads from one to the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from broker.node.endpoints import ActionEndpoint
from broker.node.options import CircuitBreakerPolicy
from broker.node.timers import Timer, Timers

State = Literal["close", "open", "half_open", "half_open_wait"]
Happening = Literal["opened", "half-opened", "closed"]

Tell = Callable[["Circuit", Happening], None]
"""(circuit, what happened to it)"""


class Circuit:
    """The breaker of one endpoint.

    ::

        close ── too many failed ──► open ── half_open_s ──► half_open ── next call ──► half_open_wait
          ▲                           ▲                          ▲                        │  │  │
          │                           │                          └──── half_open_s ───────┘  │  │
          │                           └──────────────────── too many failed ─────────────────┘  │
          └──────────────────────────────────── the call succeeded ────────────────────────────┘

    Attributes:
        endpoint: What it protects; its ``state`` is what the balancer looks at.
        policy: By which it is judged.
        state: As MoleculerJS names it.
        count: Calls counted in this window.
        failures: Those of them that failed.
        since_s: When its state changed last, in seconds of the timers' clock; None if it never did.
        until_s: When it will be tried again by itself; None while nothing is to happen.
        reason: Of the last change, for people.
    """

    __slots__ = (
        "_tell",
        "_timer",
        "_timers",
        "count",
        "endpoint",
        "failures",
        "policy",
        "reason",
        "since_s",
        "state",
        "until_s",
    )

    def __init__(self, endpoint: ActionEndpoint, policy: CircuitBreakerPolicy, timers: Timers, tell: Tell) -> None:
        self.endpoint = endpoint
        self.policy = policy
        self.state: State = "close"
        self.count = 0
        self.failures = 0
        self._timers = timers
        self._tell = tell
        self._timer: Timer | None = None
        self.since_s: float | None = None
        self.until_s: float | None = None
        self.reason = ""

    def begin(self) -> None:
        """A call starts. The first one after half-opening is the probe; until it ends nobody else may call."""
        if self.state == "half_open":
            self._enter("half_open_wait", "one call tries it")
            self._half_open_later()  # should the probe never end

    def succeeded(self) -> None:
        """A call was answered."""
        self.count += 1
        if self.state == "half_open_wait":
            self._close("the trial call was answered")
        else:
            self._judge()

    def failed(self) -> None:
        """A call failed in a way that counts."""
        self.count += 1
        self.failures += 1
        self._judge()

    @property
    def rate(self) -> float:
        """The share of the counted calls that failed, 0..1."""
        return self.failures / self.count if self.count else 0.0

    def new_window(self) -> bool:
        """A new window begins.

        Returns:
            Whether the circuit was used in the last one; if not, MoleculerJS forgets it, whatever its state.
        """
        used = self.count > 0
        self.count = self.failures = 0
        return used

    @property
    def is_timed(self) -> bool:
        """Whether something will still happen by itself."""
        return self._timer is not None

    def stop(self) -> None:
        """No timer is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self.until_s = None

    def trip(self, reason: str) -> None:
        """Somebody opens it by hand; it will be tried again as if it had opened by itself.

        Args:
            reason: For people.
        """
        self._enter("open", reason)
        self._half_open_later()
        self._tell(self, "opened")

    def reset(self, reason: str) -> None:
        """Somebody closes it by hand and lets it count from zero.

        Args:
            reason: For people.
        """
        if self.state == "close":
            self.count = self.failures = 0
        else:
            self._close(reason)

    def _judge(self) -> None:
        policy = self.policy  # what is judged was counted: the count is above 0
        if self.count >= policy.min_request_count and self.failures / self.count >= policy.threshold:
            self._open()

    def _open(self) -> None:
        if self.state != "open":
            self.trip(f"{self.failures:,} of {self.count:,} failed")

    def _half_open_later(self) -> None:
        self.stop()
        self._timer = self._timers.call_later(self.policy.half_open_s, self._half_open)
        self.until_s = self._timers.now_s() + self.policy.half_open_s

    def _half_open(self) -> None:
        self._timer = self.until_s = None
        self._enter("half_open", f"open for {self.policy.half_open_s:g} s")
        self._tell(self, "half-opened")

    def _close(self, reason: str) -> None:
        self.stop()
        self._enter("close", reason)
        self.count = self.failures = 0
        self._tell(self, "closed")

    def _enter(self, state: State, reason: str) -> None:
        """The one place where a circuit says whether its endpoint may be chosen."""
        self.state = state
        self.since_s, self.reason = self._timers.now_s(), reason
        self.endpoint.allow(state in ("close", "half_open"))
