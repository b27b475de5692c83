"""The demo as others use it: a child process that is started, says where its bus is, and is ended."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Self

from broker.agent.signature import SECRET_VARIABLE

DEFAULT_NAMESPACE = "shop"
DEFAULT_RATE = 200.0
_START_LIMIT_S = 20.0
_STOP_LIMIT_S = 6.0


class DemoError(RuntimeError):
    """The demo did not start; the message says why and what to do."""


class Demo:
    """The demo mesh as a child process. Use it as ``with Demo() as demo`` or ``async with``.

    Attributes:
        url: Of its bus, once started.
        namespace: Of its mesh.
        nodes: How many nodes it has.
        secret: Of this run: what its helpers take commands with.
        pid: Of the child.
    """

    def __init__(
        self,
        *,
        rate: float = DEFAULT_RATE,
        namespace: str = DEFAULT_NAMESPACE,
        seed: int | None = None,
        pace: float = 1.0,
        program: Sequence[str] | None = None,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            rate: Calls a second between nodes.
            namespace: Of the mesh.
            seed: Of all chance; the same gives the same troubles. None for another one each time.
            pace: How many times faster troubles and deaths follow each other.
            program: What starts the child, options excluded; this Python with this package when left out.
        """
        self.url = ""
        self.namespace = namespace
        self.nodes = 0
        self.secret = secrets.token_hex(32)
        self._argv = [*(program or (sys.executable, "-m", "broker.demo"))]
        self._argv += ["--rate", f"{rate:g}", "--namespace", namespace, "--pace", f"{pace:g}"]
        if seed is not None:
            self._argv += ["--seed", str(seed)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the child; 0 while there is none."""
        return self._process.pid if self._process is not None else 0

    @property
    def is_running(self) -> bool:
        """Whether the child is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it and wait until all nodes are up.

        Raises:
            DemoError: It did not start.
        """
        self._process = subprocess.Popen(
            self._argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {SECRET_VARIABLE: self.secret},
        )
        try:
            about = json.loads(self._first_line())
        except (ValueError, TimeoutError):
            raise DemoError(self._why()) from None
        self.url, self.namespace, self.nodes = about["url"], about["namespace"], about["nodes"]
        return self

    def stop(self) -> None:
        """End it and everything it started. Harmless when it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()  # the child ends when its input does
        try:
            process.wait(timeout=_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.stop()

    async def __aenter__(self) -> Self:
        """Start it without holding up the loop."""
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *_: object) -> None:
        """End it without holding up the loop."""
        await asyncio.to_thread(self.stop)

    def _first_line(self) -> bytes:
        """What the child prints when all nodes are up; "" when it ended before."""
        assert self._process is not None  # noqa: S101 - start() has just set it
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        until_s = time.monotonic() + _START_LIMIT_S
        if sys.platform != "win32":  # there select knows sockets only; the read below waits
            readable, _, _ = select.select([self._process.stdout], [], [], until_s - time.monotonic())
            if not readable:
                raise TimeoutError
        return self._process.stdout.readline()

    def _why(self) -> str:
        """What the child said before it ended."""
        assert self._process is not None  # noqa: S101 - start() has just set it
        if self._process.poll() is None:
            self._process.terminate()
        _, errors = self._process.communicate(timeout=_STOP_LIMIT_S)
        self._process = None
        said = errors.decode(errors="replace").strip()
        return said or f"the demo said nothing within {_START_LIMIT_S:g} s"
