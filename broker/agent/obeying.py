"""What becomes of a signed command at one helper."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from broker.agent.holds import Hold, HoldBook
from broker.agent.listing import Listing, Row
from broker.agent.signature import BreakerCommand, CountedCause, Refusal, RefusedCause, Verifier
from broker.node.middleware import CircuitBreaker

log = logging.getLogger(__name__)

WARN_EVERY_S: Final = 10.0
"""For each cause: anybody on the bus can make us write."""
LONGEST_HOLD_MS: Final = 24 * 3600 * 1000
Cause = RefusedCause | Literal["", "no-secret", "disabled", "unknown-endpoint", "expired", "too-long"]

Outcome = Literal["done", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it, when it was not refused at the door.

    Attributes:
        message: For people.
        cause: Why it was refused; empty when it was not.
        has_failed: Whether it could not be done for a reason that has no word.
    """

    message: str
    cause: Cause = ""
    has_failed: bool = False


@dataclass(slots=True)
class Refused:
    """Commands that were refused at the door.

    Attributes:
        counts: How many, by cause.
        warned_ms: When a cause was logged last, in ms since the epoch.
    """

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(get_args(CountedCause), 0))
    warned_ms: dict[str, int] = field(default_factory=dict)

    def note(self, refusal: Refusal, now_ms: int) -> None:
        """Count it, and write it down unless that was done a moment ago."""
        if refusal.cause in self.counts:
            self.counts[refusal.cause] += 1
        last_ms = self.warned_ms.get(refusal.cause)
        if last_ms is None or now_ms - last_ms >= WARN_EVERY_S * 1000:
            self.warned_ms[refusal.cause] = now_ms
            log.warning("a command for breakers was refused (%s): %s", refusal.cause, refusal.message)


class Obeying:
    """Carries out commands for the breakers of one node."""

    def __init__(self, verifier: Verifier, breakers: CircuitBreaker, holds: HoldBook, listing: Listing) -> None:
        """Begin.

        Args:
            verifier: Takes what is signed.
            breakers: Of the node.
            holds: Of the node.
            listing: Finds its endpoints.
        """
        self.refused = Refused()
        self._verifier = verifier
        self._breakers = breakers
        self._holds = holds
        self._listing = listing

    def take(self, params: object, now_ms: int) -> dict[str, Any]:
        """Verify a command and do it.

        Args:
            params: As they came.
            now_ms: Of the node's clock.

        Returns:
            The answer, as the wire has it.
        """
        command = self._verifier.verify(params, now_ms)
        if isinstance(command, Refusal):
            self.refused.note(command, now_ms)
            return _answer("refused", command.cause, command.message, None)
        done = self._do(command, now_ms)
        log.info(
            "breaker of %s on %s: %s by %s (%s): %s",
            command.endpoint.action,
            command.endpoint.node,
            command.verb,
            one_line(command.by, 200),
            one_line(command.reason, 500),
            done.message,
        )
        outcome: Outcome = "failed" if done.has_failed else "refused" if done.cause else "done"
        return _answer(outcome, done.cause, done.message, self._listing.row(command.endpoint))

    def _do(self, command: BreakerCommand, now_ms: int) -> Done:
        match command.verb:
            case "trip":
                return self._trip(command)
            case "hold":
                return self._hold(command, now_ms)
            case "release":
                return self._release(command)
            case "reset":
                return self._reset(command)

    def _trip(self, command: BreakerCommand) -> Done:
        endpoint = self._listing.endpoint(command.endpoint)
        if endpoint is None:
            return _unknown(command)
        if not self._breakers.policy_of(endpoint.action).enabled:
            return Done(f"the circuit breaker of {command.endpoint} is not enabled here: hold it instead", "disabled")
        circuit = self._breakers.trip(endpoint, _by("tripped", command))
        hold = self._holds.of(command.endpoint)
        beneath = f"; it stays held {hold.state} until that ends" if hold is not None else ""
        return Done(f"open, tried again in {circuit.policy.half_open_s:g} s{beneath}")

    def _hold(self, command: BreakerCommand, now_ms: int) -> Done:
        if command.for_ms < 1:
            return Done(f"a hold of {command.for_ms:,} ms is over already, expected 1 ms to 24 h", "expired")
        if command.for_ms > LONGEST_HOLD_MS:
            return Done(f"a hold of {command.for_ms / 3_600_000:.1f} h is too long, expected 24 h at most", "too-long")
        if self._listing.endpoint(command.endpoint) is None or not command.state:
            return _unknown(command)
        until_ms = now_ms + command.for_ms
        by, reason = one_line(command.by, 200), one_line(command.reason, 500)
        hold_id = secrets.token_hex(8)
        self._holds.begin(Hold(hold_id, command.endpoint, command.state, by, reason, now_ms, until_ms))
        return Done(f"held {command.state} for {command.for_ms / 1000:g} s")

    def _release(self, command: BreakerCommand) -> Done:
        hold = self._holds.of(command.endpoint)
        if hold is None:
            return Done("nothing was held")
        if command.hold not in ("", hold.id):
            return Done(f"another hold, by {hold.by or 'somebody'}, has taken its place", has_failed=True)
        self._holds.end(command.endpoint)
        return Done(f"no longer held {hold.state}")

    def _reset(self, command: BreakerCommand) -> Done:
        endpoint = self._listing.endpoint(command.endpoint)
        held = self._holds.of(command.endpoint) is not None
        if endpoint is None and not held:
            return _unknown(command)
        self._holds.end(command.endpoint)
        if endpoint is not None:
            self._breakers.reset(endpoint, _by("reset", command))
        return Done("closed, counting from zero" + ("; no longer held" if held else ""))


def _unknown(command: BreakerCommand) -> Done:
    return Done(f"this node knows no endpoint {command.endpoint} whose breaker may be set", "unknown-endpoint")


def _by(what: str, command: BreakerCommand) -> str:
    said = f"{what} by {one_line(command.by, 200) or 'somebody'}"
    return f"{said}: {one_line(command.reason, 500)}" if command.reason else said


def one_line(text: str, length: int) -> str:
    """What goes into a log or a list is one line, and short."""
    return "".join(each if each.isprintable() else " " for each in text[:length])


def _answer(outcome: Outcome, cause: Cause, message: str, breaker: Row | None) -> dict[str, Any]:
    return {"outcome": outcome, "cause": cause, "message": message, "breaker": breaker}
