"""The program on a real (pseudo) terminal, and somebody who reads and types."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from tests.interop.mesh import until

STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CTRL_C, CTRL_D = "\x03", "\x04"


class Terminal:
    """A program that was started on a terminal of its own."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self._process, self._master = process, master
        self._bytes = b""
        self._is_over = False
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            came = os.read(self._master, 65_536)
        except OSError:  # the other end is closed
            came = b""
        self._bytes += came
        if not came:
            self._is_over = True
            asyncio.get_running_loop().remove_reader(self._master)

    @property
    def screen(self) -> str:
        """All that was written so far, what was typed with it, without colours."""
        return STYLES.sub("", self._bytes.decode("utf-8", "replace")).replace("\r\n", "\n")

    async def asks(self, question: str) -> None:
        """Wait until a question stands at the end of the screen."""
        await until(lambda: self.screen.rstrip().endswith(question) or self._process.returncode is not None)
        assert self.screen.rstrip().endswith(question), self.screen

    def types(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    async def answers(self, question: str, line: str) -> None:
        """Wait for a question, and answer it with a line."""
        await self.asks(question)
        self.types(f"{line}\n")

    async def ends(self) -> int:
        """Wait for its end. The exit code."""
        code = await self._process.wait()
        await until(lambda: self._is_over)
        return code

    def close(self) -> None:
        """End it, if it is there still."""
        asyncio.get_running_loop().remove_reader(self._master)
        if self._process.returncode is None:
            self._process.kill()
        os.close(self._master)


@asynccontextmanager
async def on_terminal(*words: str, env: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """``meshscope WORDS…``, as somebody starts it at a prompt."""
    master, slave = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", *words),
        env=dict(env) | {"TERM": "xterm-256color", "COLUMNS": "100"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        preexec_fn=partial(os.login_tty, slave),
    )
    os.close(slave)
    terminal = Terminal(process, master)
    try:
        yield terminal
    finally:
        terminal.close()
        await process.wait()
