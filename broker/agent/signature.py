"""Commands for breakers as they cross the bus: one JSON text, and the HMAC-SHA256 of its bytes under a shared secret.

The bus has no authentication: whoever reaches it may call the helper. What it obeys must therefore be made by
somebody who has the secret, for this very process, just now, and not twice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

Verb = Literal["trip", "hold", "release", "reset"]
"""Trip: open now, Moleculer's own half-open follows. Hold: keep a state. Release: end a hold. Reset: close, clear."""
HoldState = Literal["open", "closed"]
CountedCause = Literal["unsigned", "signature", "replayed", "late", "elsewhere", "malformed"]
"""Why a command is not even looked at; the helper counts these."""
RefusedCause = CountedCause | Literal["no-secret"]

SECRET_VARIABLE: Final = "MESHSCOPE_SECRET"  # noqa: S105 - its name, not the secret
"""The environment variable that holds the secret, on both sides."""
TAKEN_WITHIN_MS: Final = 30_000
"""How far a command's time may be from the helper's clock, either way."""
NONCE_KEPT_MS: Final = 60_000
"""A command from the furthest future that is taken is late by then."""
LONGEST_COMMAND: Final = 16_384
"""Characters of a command's text."""
MOST_NONCES: Final = 10_000
"""So many commands are taken in a minute; more must wait, for forgetting one would let it be replayed."""
_NONCE: Final = re.compile(r"[0-9a-fA-F]{32}", re.ASCII)
_LARGEST: Final = 2**53  # whole numbers that JavaScript tells apart


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An action on one node, as its callers know it."""

    node: str
    action: str

    def __str__(self) -> str:
        return f"{self.node}:{self.action}"


@dataclass(frozen=True, slots=True)
class BreakerCommand:
    """What one helper shall do to one of its node's breakers.

    Attributes:
        verb: What.
        namespace, node, instance: Of the helper's node and of that run of it.
        endpoint: Whose breaker.
        nonce: 32 random hex digits, new for each command.
        time_ms: When it was signed, in ms since the epoch by the helper's clock as far as it is known.
        state: Of a hold; empty for the other verbs.
        for_ms: How long a hold lasts; 0 for the other verbs.
        reason, by: For people.
        hold: Id of the hold to release; empty for whichever that endpoint has.
    """

    verb: Verb
    namespace: str
    node: str
    instance: str
    endpoint: Endpoint
    nonce: str
    time_ms: int
    state: HoldState | Literal[""] = ""
    for_ms: int = 0
    reason: str = ""
    by: str = ""
    hold: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """What is sent: params of the helper's action."""

    command: str
    signature: str

    def params(self) -> dict[str, str]:
        """As the wire has it."""
        return {"command": self.command, "signature": self.signature}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command is not taken, for the counters and for people."""

    cause: RefusedCause
    message: str


def sign(secret: str, command: BreakerCommand) -> Signed:
    """A command as it is sent.

    Raises:
        ValueError: There is no secret.
    """
    if not secret:
        raise ValueError(f"there is no secret to sign with: set {SECRET_VARIABLE} as the helper's node has it")
    fields: dict[str, Any] = {
        "verb": command.verb,
        "namespace": command.namespace,
        "node": command.node,
        "instance": command.instance,
        "endpoint": {"node": command.endpoint.node, "action": command.endpoint.action},
        "state": command.state,
        "for_ms": command.for_ms,
        "reason": command.reason,
        "by": command.by,
        "hold": command.hold,
        "nonce": command.nonce,
        "time": command.time_ms,
    }
    text = json.dumps(fields, separators=(",", ":"))  # ASCII only: the same bytes whatever serializer carries it
    return Signed(text, signature_of(secret, text))


def signature_of(secret: str, text: str) -> str:
    """The HMAC-SHA256 of a text's UTF-8 bytes, in hex."""
    return hmac.new(secret.encode(), text.encode(errors="replace"), hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Nonces:
    """Commands that were taken lately.

    Attributes:
        taken_ms: By nonce, oldest first: when it was taken, in ms since the epoch.
    """

    taken_ms: dict[str, int] = field(default_factory=dict)

    def has(self, nonce: str, now_ms: int) -> bool:
        """Whether it was taken lately."""
        self._forget(now_ms)
        return nonce in self.taken_ms

    def is_full(self, now_ms: int) -> bool:
        """Whether no more can be remembered now."""
        self._forget(now_ms)
        return len(self.taken_ms) >= MOST_NONCES

    def take(self, nonce: str, now_ms: int) -> None:
        """Remember it."""
        self.taken_ms[nonce] = now_ms

    def _forget(self, now_ms: int) -> None:
        while self.taken_ms:
            oldest = next(iter(self.taken_ms))
            if now_ms - self.taken_ms[oldest] <= NONCE_KEPT_MS:
                return
            del self.taken_ms[oldest]


@dataclass(slots=True)
class Verifier:
    """Takes commands that are meant for one run of one node, each once.

    Attributes:
        secret: Shared with the operators; empty for none: then no command is taken.
        namespace, node, instance: Whom commands must name.
        nonces: Of the commands taken lately.
    """

    secret: str = field(repr=False)
    namespace: str
    node: str
    instance: str
    nonces: Nonces = field(default_factory=Nonces)

    def verify(self, params: object, now_ms: int) -> BreakerCommand | Refusal:
        """A command from what the wire brought, or why it is none.

        Args:
            params: Of the helper's action; anything.
            now_ms: The helper's clock, in ms since the epoch.
        """
        given = params if isinstance(params, Mapping) else {}
        text, signature = given.get("command"), given.get("signature")
        if not isinstance(text, str) or not text:
            return Refusal("malformed", "there is no command: expected its JSON text")
        if len(text) > LONGEST_COMMAND:
            return Refusal(
                "malformed", f"the command has {len(text):,} characters, expected {LONGEST_COMMAND:,} at most"
            )
        if not isinstance(signature, str) or not signature:
            return Refusal("unsigned", "the command carries no signature")
        if not self.secret:
            return Refusal("no-secret", f"this node has no {SECRET_VARIABLE}: its helper only tells")
        expected = signature_of(self.secret, text)
        if not hmac.compare_digest(expected.encode(), signature.lower().encode(errors="replace")):
            return Refusal("signature", "the signature is not that of this command under this node's secret")
        command = read_command(text)
        if isinstance(command, Refusal):
            return command
        return self._not_here(command) or self._not_now(command, now_ms) or command

    def _not_here(self, command: BreakerCommand) -> Refusal | None:
        for what, said, ours in (
            ("namespace", command.namespace, self.namespace),
            ("node", command.node, self.node),
            ("run of this node", command.instance, self.instance),
        ):
            if said != ours:
                return Refusal("elsewhere", f"the command is for {what} '{said}', this is '{ours}'")
        return None

    def _not_now(self, command: BreakerCommand, now_ms: int) -> Refusal | None:
        off_ms = now_ms - command.time_ms
        if abs(off_ms) > TAKEN_WITHIN_MS:
            when = f"{off_ms / 1000:.0f} s ago" if off_ms > 0 else f"{-off_ms / 1000:.0f} s ahead"
            return Refusal("late", f"the command was signed {when} by this node's clock, expected 30 s at most")
        if self.nonces.has(command.nonce, now_ms):
            return Refusal("replayed", "this command was taken before")
        if self.nonces.is_full(now_ms):
            return Refusal("late", f"{MOST_NONCES:,} commands were taken within a minute: sign it again later")
        self.nonces.take(command.nonce, now_ms)
        return None


def read_command(text: str) -> BreakerCommand | Refusal:
    """A command from its text, or what is wrong with that. Fields that it does not know are passed over."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Refusal("malformed", f"the command is no JSON: {error}")
    if not isinstance(fields, dict):
        return Refusal("malformed", "the command is no JSON object")
    endpoint = fields.get("endpoint")
    try:
        return BreakerCommand(
            verb=_one_of(fields, "verb", get_args(Verb)),
            namespace=_text(fields, "namespace"),
            node=_text(fields, "node"),
            instance=_text(fields, "instance"),
            endpoint=Endpoint(
                *(_text(endpoint if isinstance(endpoint, dict) else {}, key) for key in ("node", "action"))
            ),
            nonce=_nonce(fields),
            time_ms=_whole(fields, "time"),
            state=_one_of(fields, "state", get_args(HoldState)) if fields.get("verb") == "hold" else "",
            for_ms=_whole(fields, "for_ms") if fields.get("verb") == "hold" else 0,
            reason=_text(fields, "reason", ""),
            by=_text(fields, "by", ""),
            hold=_text(fields, "hold", ""),
        )
    except ValueError as error:
        return Refusal("malformed", str(error))


def _text(fields: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = fields.get(key, default)
    if not isinstance(value, str):
        raise _odd(key, value, "text")
    return value


def _one_of(fields: Mapping[str, Any], key: str, words: tuple[Any, ...]) -> Any:
    value = fields.get(key)
    if value not in words:
        raise _odd(key, value, f"one of {', '.join(words)}")
    return value


def _whole(fields: Mapping[str, Any], key: str) -> int:
    value: Any = fields.get(key)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not -_LARGEST <= value <= _LARGEST:
        raise _odd(key, value, "a number of ms")
    return int(value)


def _nonce(fields: Mapping[str, Any]) -> str:
    nonce = _text(fields, "nonce")
    if not _NONCE.fullmatch(nonce):
        raise _odd("nonce", nonce, "32 hex digits")
    return nonce


def _odd(key: str, value: object, expected: str) -> ValueError:
    return ValueError(f"field '{key}' of the command is {value!r:.60}, expected {expected}")
