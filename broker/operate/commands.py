"""What an operator asks for, and the one answer to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from broker.operate.permissions import Permission

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


Command = AskOnce | Record | StopRecording

COMMANDS: dict[str, type[Command]] = {"ask_once": AskOnce, "record": Record, "stop_recording": StopRecording}
"""By the word that the pipe and the audit use."""


@dataclass(frozen=True, slots=True)
class TargetReport:
    """What became of a command at one of its targets."""

    target: str
    outcome: OutcomeWord
    message: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The one answer to a command.

    Attributes:
        outcome: Of all targets together.
        message: What happened, for people.
        advice: What to do when it is not done.
        targets: A row for each target; empty where there are none.
    """

    outcome: OutcomeWord
    message: str = ""
    advice: str = ""
    targets: tuple[TargetReport, ...] = ()


def command_word(command: Command) -> str:
    """The word of a command."""
    return next(word for word, kind in COMMANDS.items() if isinstance(command, kind))


def command_from(word: str, fields: dict[str, Any]) -> Command:
    """A command from its word and plain data.

    Raises:
        ValueError: There is no such command, or it has no such fields.
    """
    kind = COMMANDS.get(word)
    if kind is None:
        raise ValueError(f"command is '{word}', expected one of {', '.join(COMMANDS)}")
    try:
        return kind(**fields)
    except TypeError as error:
        raise ValueError(f"command '{word}' cannot be read: {error}") from error
