"""Where a remote probe runs, and the command line of the system's ssh that starts it there."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from typing import Final

SSH_VARIABLE: Final = "MESHSCOPE_SSH"
"""Holds the local ssh program with arguments of its own; ``ssh`` if it is not set."""
REMOTE_VARIABLE: Final = "MESHSCOPE_REMOTE"
"""Holds the program there, where the place does not name one; ``meshscope`` if it is not set."""

_PLACE: Final = re.compile(
    r"(?:ssh://)?(?:(?P<user>[A-Za-z0-9_][\w.-]*)@)?(?P<host>[A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>\d{1,5}))?(?P<program>/[^\0\n]*)?"
)
_OPTIONS: Final = (
    *("-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "-o", "ClearAllForwardings=yes"),
)
"""Nobody is asked anything, a dead connection is noticed within 15 s, and nothing else goes through it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that is reached by ssh.

    Attributes:
        host: Name or address.
        user: Empty for ssh's own choice.
        port: 0 for ssh's own choice.
        program: Path of ``meshscope`` there; empty for what the PATH there has.
    """

    host: str
    user: str = ""
    port: int = 0
    program: str = ""

    @classmethod
    def parse(cls, text: str) -> Machine:
        """From ``[ssh://][user@]host[:port][/path/of/meshscope]``.

        Raises:
            ValueError: It is none.
        """
        found = _PLACE.fullmatch(text.strip())
        port = int(found["port"] or 0) if found is not None else 0
        if found is None or port > 65_535:
            raise ValueError(f"machine is '{text}', expected user@host, or ssh://user@host:port/path/of/meshscope")
        program = found["program"] or ""
        return cls(found["host"].strip("[]"), found["user"] or "", port, "" if program == "/" else program)

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" if self.user else self.host

    def argv(self) -> list[str]:
        """The command line. It holds neither a URL nor a secret: those travel in the pipe."""
        ssh = shlex.split(os.environ.get(SSH_VARIABLE, "")) or ["ssh"]
        program = shlex.quote(self.program) if self.program else os.environ.get(REMOTE_VARIABLE) or "meshscope"
        port = ["-p", str(self.port)] if self.port else []
        return [*ssh, *_OPTIONS, *port, "--", str(self), f"{program} probe"]


NOT_FOUND_CODE: Final = 127
SSH_FAILED_CODE: Final = 255


def explain(machine: Machine, reason: str, exit_code: int | None, last_error: str) -> tuple[str, str]:
    """Why a remote probe is not there, and what to do.

    Args:
        machine: Where it should run.
        reason: What the client says.
        exit_code: Of ssh: that of the program there, or 255 where ssh itself failed; None if it was killed.
        last_error: The last line on its standard error.
    """
    said = last_error.removeprefix("ssh: ").rstrip(".")
    if "they do not understand each other" in reason:
        return reason, f"Let {machine} have the version that is here."
    if "no Meshscope probe" in reason or "expected 'meshscope'" in reason:
        return (
            f"What answers on {machine} is no Meshscope probe: {reason}.",
            "Does the shell there print something when it starts? It must be silent for ssh.",
        )
    if exit_code == NOT_FOUND_CODE or "command not found" in said or "No such file or directory" in said:
        return (
            f"Meshscope was not found on {machine} ({said or 'command not found'}).",
            f"Install it there (pip install meshscope), or give its path: ssh://{machine}/path/of/meshscope.",
        )
    if exit_code == SSH_FAILED_CODE:
        return f"ssh does not reach {machine}: {said or 'it did not say why'}.", _ssh_advice(machine, said)
    return f"The probe on {machine} is gone: {reason}", "It is started again."


def _ssh_advice(machine: Machine, said: str) -> str:
    if "Permission denied" in said:
        return "Let ssh log in there without a password: a key in its agent, or in ~/.ssh/config."
    if "Host key verification failed" in said or "host key" in said.lower():
        return f"Log in once by hand (ssh {machine}) and check the key of that machine."
    if "Could not resolve" in said:
        return "Is the name right?"
    return f"Does `ssh {machine}` work by hand?"
