"""What an operator may do now, and what has to be confirmed before it: one place for window and command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from broker.operate.acts import act_name
from broker.operate.commands import AskBreakers, AskOnce, Cancel, Command, Hide, Lock, Record, StopRecording, Unlock
from broker.operate.permissions import Permission, allows
from broker.operate.profiles import Profile

UNLOCK_S: Final = 600.0
"""How long unlocking lasts, in one process."""

Confirm = Literal["", "ask", "type"]
"""Nothing; a second deliberate step; that, and the name typed."""

WORDS: Final[dict[Permission, str]] = {
    "see": "see",
    "ask": "ask",
    "call": "call and emit",
    "act": "act: set breakers, broadcast, bench, replay",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a command may be sent now.

    Attributes:
        allowed: Whether it may.
        why: Why not, and what to do; empty where it may.
        confirm: The second step that it takes.
        name: What is to be typed, where it is; what it is about, everywhere.
    """

    allowed: bool
    why: str = ""
    confirm: Confirm = ""
    name: str = ""


def verdict(
    profile: Profile | None,
    base: Permission,
    unlocked: Permission | None,
    command: Command,
    *,
    in_window: bool = True,
    name: str = "",
) -> Verdict:
    """Judge a command.

    Args:
        profile: Whose rules hold; None for a bare URL that belongs to none.
        base: What the session was opened with.
        unlocked: What it may do besides until it is locked again; None while it is locked.
        command: What is wanted.
        in_window: Whether it is a window that asks. On the command line a bare URL needs no confirmation:
            the command was typed.
        name: What an operator knows the target as, if it is not what the command is sent to: an endpoint,
            a service, a node. What is unlocked is the profile, whatever is said here.
    """
    about = name or act_name(command)
    if isinstance(command, Unlock):
        about = profile.name if profile is not None else ""
    needs = command.needs
    if not allows(may_now(base, unlocked), needs):
        return Verdict(False, refusal(profile, may_now(base, unlocked), needs), "", about)
    return Verdict(True, "", _confirm(profile, command, in_window), about)


def may_now(base: Permission, unlocked: Permission | None) -> Permission:
    """What a session may do, unlocked or not."""
    return unlocked if unlocked is not None and allows(unlocked, base) else base


def start_permission(profile: Profile | None, wanted: Permission) -> Permission:
    """What a session of a profile is opened with: what is wanted, and never more than the profile says."""
    if profile is None or allows(profile.may, wanted):
        return wanted
    return profile.may


def refusal(profile: Profile | None, may: Permission, needs: Permission) -> str:
    """Why something is not allowed, and what to do."""
    if profile is None:
        return f"This session may only {may}, and this needs {needs}. Connect again with the permission to {needs}."
    kind = "production and locked" if profile.is_production else "locked"
    return (
        f"'{profile.name}' is {kind}: it may only {may}, and this needs {needs}. "
        "Unlock it first: the lock in the bar, or --unlock on the command line."
    )


def _confirm(profile: Profile | None, command: Command, in_window: bool) -> Confirm:
    if isinstance(command, Unlock):
        return "type" if profile is not None and profile.is_production else "ask"
    if isinstance(command, AskOnce | AskBreakers | Record | StopRecording | Cancel | Lock | Hide):
        return ""
    if command.needs == "act":
        if profile is None:
            return "ask" if in_window else ""
        return "type" if profile.is_production else "ask"
    return "ask" if command.needs == "call" and profile is not None and profile.is_production else ""
