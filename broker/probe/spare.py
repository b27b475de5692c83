"""A probe that is started before anybody needs it: its imports take as long as opening ten million packets again."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Final

PROBE_COMMAND: Final = (
    (sys.executable, "probe") if getattr(sys, "frozen", False) else (sys.executable, "-m", "broker.probe")
)
"""A probe on this machine. Another machine's: ``("ssh", host, "meshscope", "probe")``."""

_lock = threading.Lock()
_waiting: list[subprocess.Popen[bytes]] = []


def prepare() -> None:
    """Start a probe for whoever wants the first one. It ends with this process; nothing happens if it cannot start."""
    with _lock, contextlib.suppress(OSError):
        if not _waiting:
            _waiting.append(_started(PROBE_COMMAND))


def start_or_take(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    """A probe that nobody speaks with yet: the one that waits, or a new one.

    Args:
        argv: Its command line.

    Raises:
        OSError: The program could not be started.
    """
    if tuple(argv) == PROBE_COMMAND:
        with _lock:
            while _waiting:
                process = _waiting.pop()
                if process.poll() is None:
                    return process
                process.communicate()  # which closes its pipes
    return _started(argv)


def dismiss() -> None:
    """Nobody wants it any more."""
    with _lock:
        while _waiting:
            process = _waiting.pop()
            process.communicate()  # it ends when nobody can write to it any more


def _started(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(list(argv), stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)
