"""What an operator asks for, and the one answer to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from broker.operate.permissions import Permission, permission

HELPER_SERVICE: Final = "$meshscope"
HELPER_BREAKERS: Final = "$meshscope.breakers"
"""The helper's action that lists breakers, and the event in which it tells them."""
HELPER_COMMAND: Final = "$meshscope.command"
"""The helper's action that changes them; takes signed commands only."""

OutcomeWord = Literal["done", "partly", "failed", "refused", "cancelled", "unknown"]
"""Unknown: sent, no answer; it may have been done, and is never sent again by itself."""


@dataclass(frozen=True, slots=True)
class AskOnce:
    """Send one DISCOVER to every namespace whose protocol is known: all nodes describe themselves."""

    needs: Permission = "ask"


@dataclass(frozen=True, slots=True)
class Record:
    """Keep what passes from now on in one file, on the probe's machine.

    Attributes:
        path: The file; must not be there.
        max_bytes: Stop by itself after so many; 0 for never.
        max_s: Stop by itself after so many seconds; 0 for never.
        policy: ``masked``, ``headers`` or ``everything``; empty for the session's own.
    """

    path: str
    max_bytes: int = 0
    max_s: float = 0.0
    policy: str = ""
    needs: Permission = "see"


@dataclass(frozen=True, slots=True)
class StopRecording:
    """Close the file that is being recorded."""

    needs: Permission = "see"


@dataclass(frozen=True, slots=True)
class Call:
    """Call an action once (or, with retries, until it answers without an error that may be retried).

    Attributes:
        namespace: Of the mesh.
        action: Full name, for instance ``v2.orders.get``.
        params, meta, headers: JSON texts; empty for none. Headers reach protocol 5 only.
        node_id: The node that is to answer; empty for a balanced one.
        timeout_ms: After which it counts as unknown.
        retries: How many more times after an error that says it may be retried; 0 for never.
        uploads: Whether a stream follows, from the side that submits.
    """

    namespace: str
    action: str
    params: str = field(default="", repr=False)
    meta: str = field(default="", repr=False)
    headers: str = field(default="", repr=False)
    node_id: str = ""
    timeout_ms: float = 10_000.0
    retries: int = 0
    uploads: bool = False

    @property
    def needs(self) -> Permission:
        """By what the action does: reading of a node asks, a helper's command acts, all others are calls."""
        if self.action == HELPER_COMMAND:
            return "act"
        return "ask" if self.action.startswith("$node.") or self.action == HELPER_BREAKERS else "call"


@dataclass(frozen=True, slots=True)
class Emit:
    """Send an event to one node of each group that listens.

    Attributes:
        namespace: Of the mesh.
        event: Its name.
        data, meta, headers: JSON texts; empty for none.
        groups: Only to these; empty for all.
    """

    namespace: str
    event: str
    data: str = field(default="", repr=False)
    meta: str = field(default="", repr=False)
    headers: str = field(default="", repr=False)
    groups: tuple[str, ...] = ()
    needs: Permission = "call"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Send an event to every node that listens. Attributes as of Emit."""

    namespace: str
    event: str
    data: str = field(default="", repr=False)
    meta: str = field(default="", repr=False)
    headers: str = field(default="", repr=False)
    groups: tuple[str, ...] = ()
    needs: Permission = "act"


@dataclass(frozen=True, slots=True)
class Bench:
    """Call one action again and again, and measure.

    Attributes:
        call: What is called, each time the same.
        count: How many calls; 0 for as many as `for_s` allows.
        for_s: How long; 0 for as long as `count` takes.
        concurrency: Calls in flight at once.
    """

    call: Call
    count: int = 0
    for_s: float = 0.0
    concurrency: int = 1
    needs: Permission = "act"


@dataclass(frozen=True, slots=True)
class Cancel:
    """Give up a command that is running.

    Attributes:
        number: The id under which it was submitted.
    """

    number: int
    needs: Permission = "see"


@dataclass(frozen=True, slots=True)
class Unlock:
    """Let a session do more for a while, through a second connection that is closed at the end of it.

    Attributes:
        may: What it may do until then.
        for_s: How long.
    """

    may: Permission
    for_s: float = 600.0
    needs: Permission = "see"


@dataclass(frozen=True, slots=True)
class Lock:
    """Back to what the session was opened with, at once."""

    needs: Permission = "see"


@dataclass(frozen=True, slots=True)
class Hide:
    """Keep these texts out of every file from now on, under whatever name they pass.

    Attributes:
        secrets: As they are.
    """

    secrets: tuple[str, ...] = field(repr=False)
    needs: Permission = "see"


@dataclass(frozen=True, slots=True)
class AskBreakers:
    """Ask nodes for their breakers: helpers for all they know, the others for ``$node.actions`` with endpoints.

    Attributes:
        namespace: Of the mesh.
        node_ids: Who is asked; empty for every node that is known.
    """

    namespace: str
    node_ids: tuple[str, ...] = ()
    needs: Permission = "ask"


Command = (
    AskOnce | Record | StopRecording | Call | Emit | Broadcast | Bench | Cancel | Unlock | Lock | AskBreakers | Hide
)

COMMANDS: dict[str, type[Command]] = {
    "ask_once": AskOnce,
    "record": Record,
    "stop_recording": StopRecording,
    "call": Call,
    "emit": Emit,
    "broadcast": Broadcast,
    "bench": Bench,
    "cancel": Cancel,
    "unlock": Unlock,
    "lock": Lock,
    "ask_breakers": AskBreakers,
    "hide": Hide,
}
"""By the word that the pipe and the audit use."""


@dataclass(frozen=True, slots=True)
class TargetReport:
    """What became of a command at one of its targets."""

    target: str
    outcome: OutcomeWord
    message: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back of a call.

    Attributes:
        node_id: Who answered; empty if nobody did.
        duration_ms: From the request to the closing answer, of the last attempt.
        size_bytes: Of the answer's packets.
        request_id: Of the trace.
        attempts: Requests sent.
        data: JSON text of the result; empty for none (undefined).
        meta: JSON text of the meta that came back; empty for none.
        error: Of the wire (name, message, code, type, data, nodeID, retryable, stack); None for success.
        stream_bytes: How much a streamed answer carried; None if it was no stream.
    """

    node_id: str = ""
    duration_ms: float = 0.0
    size_bytes: int = 0
    request_id: str = ""
    attempts: int = 1
    data: str = field(default="", repr=False)
    meta: str = field(default="", repr=False)
    error: dict[str, Any] | None = None
    stream_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What a bench measured, so far or in the end.

    Attributes:
        calls, errors, timeouts: Answered, answered with an error, not answered in time.
        seconds: How long it took.
        buckets: Calls by bucket of duration, as of broker.mesh.histograms: shape (buckets,).
        max_ms: The longest.
        error_words: How often each error came, by ``name: message``; the first 20 kinds.
    """

    calls: int = 0
    errors: int = 0
    timeouts: int = 0
    seconds: float = 0.0
    buckets: tuple[int, ...] = ()
    max_ms: float = 0.0
    error_words: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command is that takes a while.

    Attributes:
        done: 0 to 1; below 0 where nobody knows.
        sent_bytes, received_bytes: Of streams.
        bench: What a bench measured so far.
    """

    done: float = -1.0
    sent_bytes: int = 0
    received_bytes: int = 0
    bench: BenchResult | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The one answer to a command.

    Attributes:
        outcome: Of all targets together.
        message: What happened, for people.
        advice: What to do when it is not done.
        targets: A row for each target; empty where there are none.
        answer: Of a call.
        bench: Of a bench.
    """

    outcome: OutcomeWord
    message: str = ""
    advice: str = ""
    targets: tuple[TargetReport, ...] = ()
    answer: Answer | None = None
    bench: BenchResult | None = None


def command_word(command: Command) -> str:
    """The word of a command."""
    return next(word for word, kind in COMMANDS.items() if isinstance(command, kind))


def command_fields(command: Command) -> dict[str, Any]:
    """A command as plain data, without its word."""
    return {name: value for name, value in asdict(command).items() if name != "needs"}


def command_from(word: str, fields: dict[str, Any]) -> Command:
    """A command from its word and plain data, as `command_fields` gives it; lists are tuples again.

    Raises:
        ValueError: There is no such command, or it has no such fields.
    """
    kind = COMMANDS.get(word)
    if kind is None:
        raise ValueError(f"command is '{word}', expected one of {', '.join(COMMANDS)}")
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    try:
        if kind is Bench and isinstance(fields.get("call"), dict):
            fields["call"] = Call(**fields["call"])
        if kind is Unlock:
            fields["may"] = permission(fields.get("may", ""))
        return kind(**fields)
    except TypeError as error:
        raise ValueError(f"command '{word}' cannot be read: {error}") from error
