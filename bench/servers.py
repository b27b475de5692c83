"""Processes that benches start, and end again."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from bench.turns import NotMeasured

JS = Path(__file__).parents[1] / "tests" / "e2e" / "js"


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def redis_server() -> Iterator[int]:
    """A real redis-server without persistence; gives its port.

    Raises:
        FileNotFoundError: There is no redis-server on this machine.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError("redis-server is not installed; benches need one")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 10
            while time.monotonic() < until:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.02)
            yield port
        finally:
            server.terminate()
            server.wait(10)


class Count(NamedTuple):
    """What a caller has counted.

    Attributes:
        calls: Made so far.
        ms: Its own clock, since the epoch.
        p50_ms, p90_ms: How long the calls since the count before took, as it saw them.
    """

    calls: int
    ms: float
    p50_ms: float = 0.0
    p90_ms: float = 0.0


class JsLoad:
    """One process of load.js: a caller or a callee."""

    command: ClassVar[list[str]] = ["node", str(JS / "load.js")]

    def __init__(self, role: str, url: str, namespace: str, in_flight: int, *more: str) -> None:
        """Start it and wait until it is ready.

        Args:
            role: ``caller`` or ``callee``.
            url: Of the bus.
            namespace: Of the mesh.
            in_flight: How many calls a caller keeps under way.
            more: ``bare`` or ``full``.
        """
        arguments = [*self.command, role, url, namespace, str(in_flight), *more]
        self._role = role
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if not self._read().get("ready"):
            raise RuntimeError(f"{' '.join(self.command)} {role} did not start; was `npm ci` run in {JS.name}?")

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return dict(json.loads(self._process.stdout.readline() or "{}"))

    def count(self, in_flight: int | None = None) -> Count:
        """Calls made so far, and the caller's own clock in ms.

        Args:
            in_flight: How many calls it keeps under way from now on; as before when left out.

        Raises:
            NotMeasured: It has ended, as it does when a call fails.
        """
        assert self._process.stdin is not None
        answer = {}
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write("\n" if in_flight is None else f"{in_flight}\n")
            self._process.stdin.flush()
            answer = self._read()
        if not answer:
            raise NotMeasured(f"a {self._role} ended, as it does when a call fails: its own words are above")
        return Count(**answer)

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended already
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class PyLoad(JsLoad):
    """Its twin in Python."""

    command: ClassVar[list[str]] = [sys.executable, "-m", "bench.node_load"]
