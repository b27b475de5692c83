"""The probe as a real child process on a real Redis."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from broker.capture.reader import CaptureReader
from broker.mesh.timeline import Timeline
from broker.operate.commands import Call, Report, Unlock
from broker.probe.client import PROBE_COMMAND, ProbeCallbacks, ProbeClient
from broker.probe.offline import load
from broker.probe.options import SessionOptions
from broker.probe.pipe import greeting, pack
from broker.probe.status import ProbeStatus
from tests.e2e.redis_server import RedisServer
from tests.waiting import DEADLINE_S, until


@dataclass
class Window:
    """What a window keeps of a probe."""

    folder: Path
    argv: tuple[str, ...] = PROBE_COMMAND
    timeline: Timeline = field(default_factory=Timeline)
    statuses: list[ProbeStatus] = field(default_factory=list)
    reports: list[tuple[int, Report]] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        told = ProbeCallbacks(
            self.timeline.take,
            self.statuses.append,
            lambda number, report: self.reports.append((number, report)),
            self.losses.append,
        )
        self.client = ProbeClient(told, self.argv)

    def open(self, **options: Any) -> None:
        folders = {"capture_folder": str(self.folder / "captures"), "state_folder": str(self.folder / "state")}
        self.client.open(SessionOptions(**folders | options))

    @property
    def pid(self) -> int:
        assert self.client._process is not None
        return self.client._process.pid

    def is_listening(self) -> bool:
        return bool(self.statuses) and self.statuses[-1].state == "listening"

    def body(self, number: int) -> bytes | None:
        came: list[bytes | None] = []
        self.client.body(number, came.append)
        until(lambda: came)
        return came[0]


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    window = Window(tmp_path)
    yield window
    window.client.close()


class Shop:
    """Two nodes as the bus sees them."""

    def __init__(self, server: RedisServer) -> None:
        self._redis = redis.Redis.from_url(server.url)
        self.calls = 0

    def call(self, secret: str = "") -> None:
        self.calls += 1
        request = {"ver": "5", "sender": "a", "id": f"id-{self.calls}", "action": "users.get", "timeout": 0}
        self.publish("MOL.REQ.b", request | {"params": {"password": secret}, "meta": {}})
        self.publish("MOL.RES.a", {"ver": "5", "sender": "b", "id": f"id-{self.calls}", "success": True, "data": 1})

    def publish(self, channel: str, packet: dict[str, Any]) -> None:
        self._redis.publish(channel, json.dumps(packet))

    def close(self) -> None:
        self._redis.close()


@pytest.fixture
def shop(redis_server: RedisServer) -> Iterator[Shop]:
    shop = Shop(redis_server)
    yield shop
    shop.close()


def test_rows_come_through_the_pipe_and_bodies_on_demand(window: Window, redis_server: RedisServer, shop: Shop) -> None:
    window.open(url=redis_server.url)
    until(window.is_listening)
    for _ in range(5):
        shop.call("hunter22")
    until(lambda: window.timeline.snapshot().call_count == 5)
    block = window.timeline.snapshot().call_blocks[0]
    body = window.body(int(block.column("request_frame")[4]))
    assert body is not None
    assert json.loads(body)["id"] == "id-5"
    assert json.loads(body)["params"] == {"password": "********"}
    assert window.body(1 << 50) is None
    until(lambda: window.statuses[-1].capture_bytes > 0)
    assert window.statuses[-1].may == "see"
    command_line = psutil.Process(window.pid).cmdline()
    assert not any("redis" in part for part in command_line)
    pid = window.pid
    window.client.close()
    assert not psutil.pid_exists(pid)
    assert window.losses == []
    assert list((window.folder / "captures").iterdir()) == []


def test_a_recording_is_made_by_command_and_opens_in_another_probe(
    window: Window, redis_server: RedisServer, shop: Shop, tmp_path: Path
) -> None:
    window.open(url=redis_server.url)
    until(window.is_listening)
    path = tmp_path / "kept.mcap"
    begun = window.client.record(str(path))
    until(lambda: window.reports)
    assert window.reports[0] == (begun, Report("done", f"Recording into {path}."))
    for _ in range(3):
        shop.call()
    until(lambda: window.timeline.snapshot().call_count == 3)
    window.client.stop_recording()
    asked = window.client.ask_once()
    until(lambda: len(window.reports) == 3)
    assert window.reports[1][1].outcome == "done"
    assert (window.reports[2][0], window.reports[2][1].outcome) == (asked, "refused")

    second = Window(tmp_path)
    second.open(path=str(path))
    until(lambda: second.statuses and second.statuses[-1].state == "read")
    assert second.timeline.snapshot().call_count == 3
    frame = int(second.timeline.snapshot().call_blocks[0].column("response_frame")[0])
    assert b'"id-1"' in (second.body(frame) or b"")
    second.client.close()


def test_a_recorder_killed_outright_loses_at_most_a_second(
    window: Window, redis_server: RedisServer, shop: Shop, tmp_path: Path
) -> None:
    path = tmp_path / "kept.mcap"
    window.open(url=redis_server.url, record_path=str(path), keeps_capture=False)
    until(window.is_listening)
    end_s = time.monotonic() + 3
    while time.monotonic() < end_s:
        shop.call()
        time.sleep(0.002)
    killed_ns = time.time_ns()
    os.kill(window.pid, signal.SIGKILL)
    until(lambda: window.losses)
    assert window.losses == ["The probe was killed by signal 9."]
    timeline = Timeline()
    reader = load(path, timeline.take)
    assert killed_ns - reader.last_ns < 1e9
    assert reader.stopped.startswith("kept.mcap stops")
    assert timeline.snapshot().call_count > 100


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_recording_properly(
    window: Window, redis_server: RedisServer, shop: Shop, tmp_path: Path, ending: signal.Signals
) -> None:
    path = tmp_path / "kept.mcap"
    window.open(url=redis_server.url, record_path=str(path))
    until(window.is_listening)
    shop.call()
    until(lambda: window.timeline.snapshot().call_count == 1)
    os.kill(window.pid, ending)
    until(lambda: window.losses)
    assert window.losses == ["The probe ended with code 0."]
    reader = CaptureReader(path)
    channels = [channel for group in reader.groups() for channel, _ in group.frames]
    assert (channels[0], channels[-1], reader.stopped) == (b"@session", b"@session", "")


def test_a_window_that_vanishes_ends_the_probe_and_closes_its_recording(
    window: Window, redis_server: RedisServer, shop: Shop, tmp_path: Path
) -> None:
    path = tmp_path / "kept.mcap"
    window.open(url=redis_server.url, record_path=str(path))
    until(window.is_listening)
    shop.call()
    until(lambda: window.timeline.snapshot().call_count == 1)
    assert window.client._process is not None
    assert window.client._process.stdin is not None
    window.client._process.stdin.close()
    until(lambda: window.losses)
    assert window.losses == ["The probe ended with code 0."]
    reader = CaptureReader(path)
    assert sum(channel.startswith(b"MOL") for group in reader.groups() for channel, _ in group.frames) == 2
    assert reader.stopped == ""
    assert list((tmp_path / "captures").iterdir()) == []


def test_a_recording_ends_by_itself_when_it_is_big_enough(
    window: Window, redis_server: RedisServer, shop: Shop, tmp_path: Path
) -> None:
    window.open(url=redis_server.url, keeps_capture=False)
    until(window.is_listening)
    window.client.record(str(tmp_path / "a.mcap"), max_bytes=3_000)
    deadline_s = time.monotonic() + DEADLINE_S
    while not window.statuses[-1].recording_ended:
        assert time.monotonic() < deadline_s
        shop.call(os.urandom(50).hex())
    assert "the size that was asked for is reached" in window.statuses[-1].recording_ended
    assert window.is_listening()
    assert CaptureReader(tmp_path / "a.mcap").path.stat().st_size >= 3_000


def test_a_probe_of_another_version_is_refused(tmp_path: Path) -> None:
    kind, body = greeting()
    other = pack(kind, body | {"version": "9.9", "format": [99, 1]})
    script = f"import sys, time; sys.stdout.buffer.write({other!r}); sys.stdout.flush(); time.sleep(30)"
    window = Window(tmp_path, (sys.executable, "-c", script))
    window.open(url="redis://127.0.0.1:1")
    until(lambda: window.losses)
    assert "the probe is Meshscope 9.9 (format [99, 1]), this is Meshscope" in window.losses[0]
    window.client.close()


def test_a_window_of_another_version_is_refused() -> None:
    kind, body = greeting()
    said = pack(kind, body | {"version": "0.0", "format": [0, 0]})
    ended = subprocess.run(PROBE_COMMAND, input=said, capture_output=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert b"the window is Meshscope 0.0 (format [0, 0]), this is Meshscope" in ended.stdout


def test_a_stray_print_breaks_nothing(tmp_path: Path, redis_server: RedisServer, shop: Shop) -> None:
    script = (
        "import os, sys, broker.probe.session as s\n"
        "status = s.ProbeSession.status\n"
        "def noisy(self):\n"
        "    print('stray'); os.write(1, b'more of it'); return status(self)\n"
        "s.ProbeSession.status = noisy\n"
        "from broker.probe.main import main\n"
        "sys.exit(main())"
    )
    window = Window(tmp_path, (sys.executable, "-c", script))
    window.open(url=redis_server.url)
    until(window.is_listening)
    shop.call()
    until(lambda: window.timeline.snapshot().call_count == 1)
    window.client.close()
    assert window.losses == []


def test_what_cannot_be_opened_is_reported(tmp_path: Path, start_redis: Callable[..., RedisServer]) -> None:
    server = start_redis(password="right")
    for url, said in (
        (server.url.replace("right", "wrong"), "password"),
        ("nats://x", "is no bus that is known"),
        ("", "is no bus that is known"),
    ):
        window = Window(tmp_path)
        window.open(url=url)
        until(lambda window=window: window.reports)
        number, report = window.reports[0]
        assert (number, report.outcome) == (0, "failed")
        assert said in report.message
        assert "wrong" not in report.message
        window.client.close()


def test_a_program_that_cannot_speak_is_said_to_be_gone(tmp_path: Path) -> None:
    window = Window(tmp_path, (sys.executable, "-c", "import sys; sys.exit('no such host')"))
    window.open(url="redis://127.0.0.1:1")
    until(lambda: window.losses)
    assert window.losses == ["The probe ended with code 1. no such host"]
    answered: list[bytes | None] = []
    window.client.body(5, answered.append)
    window.client.close()
    assert answered == [None]


class Monitor:
    """Everything that a server is asked to do, as it says itself."""

    def __init__(self, server: RedisServer) -> None:
        self.lines: list[str] = []
        self._redis = redis.Redis.from_url(server.url)
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        assert self._is_ready.wait(5)

    def _watch(self) -> None:
        with self._redis.monitor() as monitor:
            self._is_ready.set()
            for command in monitor.listen():
                self.lines.append(command["command"])
                if command["command"].startswith("ECHO enough"):
                    return

    def all(self, server: RedisServer) -> list[str]:
        """All of it up to now."""
        with redis.Redis.from_url(server.url) as client:
            client.echo("enough")
        self._thread.join(5)
        self._redis.close()
        return self.lines


def test_with_see_nothing_is_ever_published(window: Window, redis_server: RedisServer) -> None:
    admin = redis.Redis.from_url(redis_server.url)
    monitor = Monitor(redis_server)
    window.open(url=redis_server.url)
    until(window.is_listening)
    admin.publish("MOL.HEARTBEAT", json.dumps({"ver": "4", "sender": "real", "cpu": 1}))
    until(lambda: window.timeline.snapshot().tally.packets == 1)
    window.client.ask_once()
    admin.client_kill_filter(_type="pubsub")
    until(lambda: any(status.state == "gap" for status in window.statuses))
    until(lambda: window.statuses[-1].state == "listening")
    admin.publish("MOL.HEARTBEAT", json.dumps({"ver": "4", "sender": "real", "cpu": 2}))
    until(lambda: window.timeline.snapshot().tally.packets == 2)
    window.client.close()
    lines = monitor.all(redis_server)
    admin.close()
    ours = [line for line in lines if not line.startswith(("PUBLISH MOL.HEARTBEAT", "CLIENT KILL", "ECHO"))]
    words = {line.split()[0].upper() for line in ours}
    assert "PSUBSCRIBE" in words
    assert words <= {"PSUBSCRIBE", "PUBSUB", "SCAN", "MGET", "GET", "CLIENT", "HELLO", "SELECT", "PING", "INFO", "AUTH"}
    assert len([line for line in ours if line.startswith("PSUBSCRIBE")]) == 2


def test_unlocked_for_a_while_it_may_call_and_afterwards_nothing_is_published(
    window: Window, redis_server: RedisServer, shop: Shop
) -> None:
    admin = redis.Redis.from_url(redis_server.url)

    def outcome(number: int) -> str:
        until(lambda: any(known == number for known, _ in window.reports))
        return next(report.outcome for known, report in window.reports if known == number)

    window.open(url=redis_server.url)
    until(window.is_listening)
    shop.call()
    until(lambda: window.timeline.snapshot().tally.packets == 2)
    connections = len(admin.client_list())
    monitor = Monitor(redis_server)
    assert outcome(window.client.submit(Unlock("call", 3.0))) == "done"
    shop.publish("MOL.INFO", {"ver": "5", "sender": "b", "instanceID": "1", "seq": 1, "services": []})
    assert len(admin.client_list()) == connections + 2  # ours, and that of the watch
    wanted = Call("", "users.get", node_id="b", timeout_ms=100.0)
    assert outcome(window.client.submit(wanted)) == "unknown"  # nobody is there to answer
    until(lambda: window.statuses[-1].may_now == "call")
    until(lambda: window.statuses[-1].may_now == "see")
    until(lambda: len(admin.client_list()) == connections + 1)
    admin.echo("locked")
    assert outcome(window.client.submit(wanted)) == "refused"
    window.client.close()
    lines = monitor.all(redis_server)
    admin.close()
    before, after = lines[: lines.index("ECHO locked")], lines[lines.index("ECHO locked") :]
    ours = [line.split()[1] for line in before if line.startswith("PUBLISH") and "meshscope-" in line]
    assert ours == ["MOL.DISCOVER", "MOL.REQ.b"]
    assert [line for line in after if line.startswith("PUBLISH")] == []


def test_with_ask_one_discover_is_published_and_no_more(window: Window, redis_server: RedisServer, shop: Shop) -> None:
    monitor = Monitor(redis_server)
    window.open(url=redis_server.url, may="ask")
    until(lambda: window.statuses and window.statuses[-1].node_id)
    shop.call()
    shop.call()
    until(lambda: window.timeline.snapshot().tally.ours == 1)
    window.client.close()
    published = [line for line in monitor.all(redis_server) if line.startswith("PUBLISH") and "meshscope-" in line]
    assert len(published) == 1
    assert published[0].startswith("PUBLISH MOL.DISCOVER ")
    assert '\\"ver\\":\\"5\\"' in published[0].replace('"ver":"5"', '\\"ver\\":\\"5\\"')
