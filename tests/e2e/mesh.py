"""A real MoleculerJS mesh: node processes that a test starts, commands, kills and reads the logs of."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any, Literal

import pytest

JS = Path(__file__).parent / "js"
READY_S = 30.0
Version = Literal["014", "015"]
Serializer = Literal["JSON", "JSONExt", "MsgPack", "Notepack", "CBOR"]


@dataclass(frozen=True)
class RemoteCall:
    """One attempt of a call that a node made to another one, as that node saw it.

    Attributes:
        node_id: Who called.
        caller: The calling service's full name; None for a call made outside services.
        target: The node that was called.
        begin_ms: In ms since the epoch.
        duration_ms: Until the answer; for a streamed answer until its end; until the timeout.
        outcome: "timed-out" only where its own timeout passed, or the callee said so of this very call;
            "unanswered" where its target went away meanwhile; "failed" where the callee answered so.
        streamed: Whether the answer was a stream.
    """

    node_id: str
    id: str
    action: str
    caller: str | None
    target: str
    level: int
    begin_ms: float
    duration_ms: float
    timeout_ms: float
    outcome: Literal["ok", "failed", "timed-out", "unanswered"]
    error_name: str | None
    error_code: int | None
    error_type: str | None
    streamed: bool


@dataclass(frozen=True)
class RemoteEvent:
    """An event that a node got from another one; once for each group that it stands for."""

    node_id: str
    event: str
    group: str
    sender: str
    broadcast: bool


@dataclass
class JsNode:
    """One process: ``js/mesh.js``."""

    node_id: str
    version: Version
    command: list[str]
    log: Path
    environment: dict[str, str]
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)
    _said: Queue[dict[str, Any]] = field(default_factory=Queue, repr=False)
    _complaints: list[str] = field(default_factory=list, repr=False)
    _readers: list[threading.Thread] = field(default_factory=list, repr=False)

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None, f"{self.node_id} does not run"
        return self._process.pid

    def start(self) -> None:
        """Start it, or start it again; does not wait."""
        self._said = Queue()
        self._process = subprocess.Popen(
            self.command,
            cwd=JS,
            env=os.environ | self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            _read(self._process.stdout, lambda line: self._said.put(json.loads(line))),
            _read(self._process.stderr, self._complaints.append),
        ]

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        """Wait until it sees the peers that it was told of."""
        self._expect("ready", timeout_s)

    def run(self, *, timeout_s: float = 60.0, **plan: Any) -> None:
        """Make it call the others, and wait until it is done.

        Args:
            timeout_s: How long to wait for it.
            plan: Arguments of ``run`` in ``js/plan.js``: rounds, workers, steps, first, gap_ms.
        """
        self.begin(**plan)
        self.wait_done(timeout_s)

    def begin(self, **plan: Any) -> None:
        """Make it call the others; does not wait."""
        self._tell({"run": plan})

    def wait_done(self, timeout_s: float = 60.0) -> None:
        """Wait until it has made all its calls and got, or given up, all answers."""
        self._expect("done", timeout_s)

    def kill(self) -> None:
        """kill -9: it says good-bye to nobody."""
        assert self._process is not None, f"{self.node_id} does not run"
        self._process.send_signal(signal.SIGKILL)
        self._forget()

    def leave(self) -> None:
        """Tell it to leave gracefully, if it runs; does not wait."""
        if self._process is not None:
            with contextlib.suppress(BrokenPipeError):
                self._tell({"stop": True})

    def stop(self, timeout_s: float = 10.0) -> None:
        """Let it leave gracefully, if it runs; kill it when it takes too long."""
        if self._process is None:
            return
        self.leave()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._forget()

    def _forget(self) -> None:
        process, self._process = self._process, None
        assert process is not None
        process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _tell(self, command: dict[str, Any]) -> None:
        assert self._process is not None, f"{self.node_id} does not run"
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def _expect(self, word: str, timeout_s: float) -> None:
        assert self._process is not None, f"{self.node_id} does not run"
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                said = self._said.get(timeout=0.1)
            except Empty:
                if self._process.poll() is not None and self._said.empty():
                    break
                continue
            if word in said:
                return
            if "failed" in said:
                pytest.fail(f"{self.node_id} failed: {said['failed']}")
        code = self._process.poll()
        state = "still runs" if code is None else f"ended with {code}"
        pytest.fail(f"{self.node_id} did not say '{word}' in {timeout_s} s; it {state}. {''.join(self._complaints)}")

    def lines(self) -> list[dict[str, Any]]:
        """What it logged so far, in all its lives."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()] if self.log.exists() else []

    def calls(self) -> list[RemoteCall]:
        """The calls that it made to other nodes and that have ended."""
        return [RemoteCall(**_without_kind(line)) for line in self.lines() if line["kind"] == "call"]

    def events(self) -> list[RemoteEvent]:
        """The events that it got from other nodes."""
        return [RemoteEvent(**_without_kind(line)) for line in self.lines() if line["kind"] == "event"]

    def packets_sent(self) -> Counter[str]:
        """How many packets of each type it put on the bus, in those of its lives that ended gracefully."""
        total: Counter[str] = Counter()
        for line in self.lines():
            if line["kind"] == "packets":
                total.update(line["sent"])
        return total


def _read(stream: IO[str], take: Callable[[str], object]) -> threading.Thread:
    """Give each line of a pipe to a function, in a thread that ends with the pipe."""

    def read() -> None:
        for line in stream:
            take(line)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _without_kind(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "kind"}


class JsMesh:
    """Some nodes of one namespace on one server."""

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        namespace: str = "",
        serializer: Serializer = "JSON",
        is_mixed: bool = False,
        heartbeat_s: float = 5.0,
        authority: Path | None = None,
        discoverer: str | None = None,
        transmit: Sequence[Sequence[Any]] = (),
    ) -> None:
        """Begin without nodes.

        Args:
            url: Of the transporter.
            folder: Where the nodes write their logs.
            is_mixed: Whether nodes of both versions talk to each other.
            heartbeat_s: Between heartbeats; a node is gone after three.
            authority: File of the certificate authority of a ``rediss`` URL.
            discoverer: URL of a Redis discoverer; None for Moleculer's own.
            transmit: Middlewares of the wire, as ``js/mesh.js`` takes them.
        """
        if shutil.which("node") is None:
            pytest.fail("node is not on PATH: MoleculerJS nodes need Node.js")
        if not (JS / "node_modules" / "moleculer-015").is_dir():
            pytest.fail(f"MoleculerJS is not installed: run `npm ci` in {JS.relative_to(Path.cwd())}, or `make test`")
        self._arguments = ["--transporter", url, "--namespace", namespace, "--serializer", serializer]
        self._arguments += ["--heartbeat", str(heartbeat_s)]
        self._arguments += ["--transmit", json.dumps(transmit)]
        self._arguments += ["--mixed"] * is_mixed + (["--discoverer", discoverer] if discoverer else [])
        self._environment = {} if authority is None else {"NODE_EXTRA_CA_CERTS": str(authority)}
        self._folder = folder
        self.namespace = namespace
        self.nodes: dict[str, JsNode] = {}

    def add(
        self, node_id: str, services: Iterable[str], *, version: Version = "015", peers: int | None = None
    ) -> JsNode:
        """Make a node; it does not run yet.

        Args:
            node_id: Unique in the mesh.
            services: Names out of ``js/services.js``.
            version: Of MoleculerJS.
            peers: How many others it must see before it is ready; all the others of the mesh by default.
        """
        log = self._folder / f"{self.namespace}-{node_id}.jsonl"
        command = ["node", "mesh.js", "--version", version, "--node-id", node_id, "--services", ",".join(services)]
        command += ["--log", str(log), *self._arguments]
        if peers is not None:
            command += ["--peers", str(peers)]
        node = self.nodes[node_id] = JsNode(node_id, version, command, log, self._environment)
        return node

    def start(self) -> None:
        """Start all nodes and wait until each sees all others."""
        for node in self.nodes.values():
            if "--peers" not in node.command:
                node.command += ["--peers", str(len(self.nodes) - 1)]
            node.start()
        for node in self.nodes.values():
            node.wait_ready()

    def stop(self) -> None:
        """Let all nodes leave that still run."""
        for node in self.nodes.values():
            node.leave()
        for node in self.nodes.values():
            node.stop()

    def __getitem__(self, node_id: str) -> JsNode:
        return self.nodes[node_id]

    def __iter__(self) -> Iterator[JsNode]:
        return iter(self.nodes.values())

    def calls(self) -> list[RemoteCall]:
        """All calls between nodes that have ended, as their callers saw them."""
        return [call for node in self for call in node.calls()]

    def events(self) -> list[RemoteEvent]:
        """All events between nodes, as their listeners saw them."""
        return [event for node in self for event in node.events()]


def shop(mesh: JsMesh, versions: Sequence[Version] = ("015",)) -> JsNode:
    """Add the nodes of the test shop: every service on a node of its own, two of users.

    Args:
        mesh: Where to.
        versions: Given to the nodes in turn.

    Returns:
        The node that calls the others when told to `run`.
    """
    layout = {
        "shop.edge-1": ("desk",),
        "shop.orders-1": ("orders",),
        "shop.pay-1": ("payments", "files"),
        "shop.users-1": ("users", "audit"),
        "shop.users-2": ("users", "mail"),
    }
    for index, (node_id, services) in enumerate(layout.items()):
        mesh.add(node_id, services, version=versions[index % len(versions)])
    return mesh["shop.edge-1"]
