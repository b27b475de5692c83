"""The MoleculerJS side of a mesh: a process, and what it is asked."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

JS = Path(__file__).parents[1] / "e2e" / "js"
PATIENCE_S = 60.0
LINE_BYTES = 64 * 1024 * 1024


class RefusedError(Exception):
    """What MoleculerJS caught.

    Attributes:
        error: Its fields.
    """

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("message"))
        self.error = error


class Peer:
    """One process of ``peer.js``, or of a program that is driven in the same way."""

    def __init__(self, options: dict[str, Any], program: str = "peer.js") -> None:
        """Nothing runs yet.

        Args:
            options: Those of the program.
            program: Its file.
        """
        self._program = program
        self.node_id: str = options["nodeID"]
        self.version: str = options["version"]
        self._options = options
        self._numbers = itertools.count()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    def command(self) -> tuple[str, ...]:
        """How it is started."""
        return "node", self._program, json.dumps(self._options)

    async def start(self) -> None:
        """Start it, or start it again, and wait until it is in the mesh."""
        self._process = await asyncio.create_subprocess_exec(
            *self.command(),
            cwd=JS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=LINE_BYTES,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = await self._process.stdout.readline()
        if line.strip() != b'{"ready":true}':
            process, self._process = self._process, None
            await process.wait()
            raise RuntimeError(f"{self.node_id} ended or said {line!r}, expected to be ready")
        self._reading = asyncio.create_task(self._read(self._process.stdout), name=f"answers of {self.node_id}")

    async def kill(self) -> None:
        """kill -9: it says good-bye to nobody."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._end()

    async def stop(self) -> None:
        """Let it leave gracefully."""
        await self.ask("stop")
        await self._end()

    async def _end(self) -> None:
        assert self._process is not None
        assert self._reading is not None
        await self._process.wait()
        await self._reading
        self._process = None

    async def ask(self, do: str, **command: Any) -> dict[str, Any]:
        """One command.

        Raises:
            RefusedError: It ended with an error.
        """
        assert self._process is not None, f"{self.node_id} does not run"
        assert self._process.stdin is not None
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"n": number, "do": do, **command}).encode() + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            said = await answer
        if "error" in said:
            raise RefusedError(said["error"])
        return said

    async def call(self, action: str, params: Any = None, **opts: Any) -> Any:
        """Let it call an action."""
        return (await self.ask("call", action=action, params=params, opts=opts)).get("ok")

    async def refused(self, action: str, params: Any = None, **opts: Any) -> dict[str, Any]:
        """The error with which its call of an action ends."""
        try:
            answer = await self.call(action, params, **opts)
        except RefusedError as refused:
            return refused.error
        raise AssertionError(f"{action} answered {answer!r}, expected an error")

    async def heard(self, count: int) -> list[dict[str, Any]]:
        """Its next events; at least so many."""
        got: list[dict[str, Any]] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(got) < count:
                got += (await self.ask("heard"))["ok"]
        return got

    async def _read(self, stdout: asyncio.StreamReader) -> None:
        while line := await stdout.readline():
            answer = json.loads(line)
            self._settle(answer["n"], answer)
        for number in list(self._answers):
            self._settle(number, {"error": {"message": f"{self.node_id} ended"}})

    def _settle(self, number: int, answer: dict[str, Any]) -> None:
        waiting = self._answers.pop(number)
        if not waiting.done():
            waiting.set_result(answer)
