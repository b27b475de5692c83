"""A probe on another machine: a real sshd on loopback, and what happens when the connection is lost."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before any Qt is imported

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
from pytestqt.qtbot import QtBot

from broker.mesh.latency import gaps_in
from broker.operate.commands import Call
from broker.probe.client import ProbeCallbacks
from broker.probe.options import SessionOptions
from broker.probe.remote import RemoteProbe
from broker.probe.ssh import REMOTE_VARIABLE, SSH_VARIABLE, Machine
from tests.e2e.redis_server import RedisServer, free_port
from tests.e2e.screen import Screen
from tests.e2e.ssh_server import SshServer
from tests.e2e.test_probe_process import Shop, Window, until

HERE = shlex.join(["env", f"PYTHONPATH={Path.cwd()}", sys.executable, "-m", "app"])
"""Runs this very program, as one that is installed there."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    server = SshServer(tmp_path_factory.mktemp("ssh"), free_port())
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SSH_VARIABLE, server.ssh)
        patch.setenv(REMOTE_VARIABLE, HERE)
        yield Machine("127.0.0.1", port=server.port)
    server.stop()


class FarWindow(Window):
    """A window whose probe runs on the other machine."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        super().__init__(folder)
        told = ProbeCallbacks(
            self.timeline.take,
            self.statuses.append,
            lambda number, report: self.reports.append((number, report)),
            self.losses.append,
        )
        self.far = RemoteProbe(told, machine)

    def open(self, **options: object) -> None:
        folders = {"capture_folder": str(self.folder / "captures"), "state_folder": str(self.folder / "state")}
        self.far.open(SessionOptions(**folders | options))  # type: ignore[arg-type]

    def frame(self, row: int) -> bytes | None:
        number = int(self.timeline.snapshot().call_blocks[0].column("request_frame")[row])
        came: list[bytes | None] = []
        self.far.body(number, came.append)
        until(lambda: came)
        return came[0]


@pytest.fixture
def window(tmp_path: Path, machine: Machine) -> Iterator[FarWindow]:
    window = FarWindow(tmp_path, machine)
    yield window
    window.far.close()


@pytest.fixture
def shop(shared_redis: RedisServer) -> Iterator[Shop]:
    shop = Shop(shared_redis)
    yield shop
    shop.close()


def test_a_lost_connection_is_a_gap_and_another_probe_goes_on(
    window: FarWindow, shared_redis: RedisServer, shop: Shop
) -> None:
    window.open(url=shared_redis.url, may="call")
    until(window.is_listening)
    shop.call()
    until(lambda: window.timeline.snapshot().call_count == 1)
    assert b"id-1" in (window.frame(0) or b"")
    process = psutil.Process(window.far.process_id)
    assert not [word for word in process.cmdline() if "redis://" in word]

    shop.publish("MOL.INFO", {"ver": "5", "sender": "b", "instanceID": "1", "seq": 1, "services": []})
    number = window.far.submit(Call("", "users.get", node_id="b", timeout_ms=60_000.0))
    until(lambda: window.timeline.snapshot().tally.requests_open == 1)
    process.kill()
    until(lambda: window.statuses[-1].state == "gap")
    assert [(known, report.outcome) for known, report in window.reports] == [(number, "unknown")]
    assert "is gone" in window.statuses[-1].message
    refused = window.far.submit(Call("", "users.get", node_id="b"))
    until(lambda: any(known == refused and report.outcome == "failed" for known, report in window.reports))

    until(window.is_listening)
    shop.call()
    until(lambda: window.timeline.snapshot().call_count == 2)
    snapshot = window.timeline.snapshot()
    [gap] = gaps_in(snapshot, snapshot.everything())
    assert 0 < gap.seconds < 60
    block = snapshot.call_blocks[0]
    assert block.column("action")[0] == block.column("action")[1]
    assert b"id-2" in (window.frame(1) or b"")
    assert window.frame(0) is None  # the probe that kept it is gone
    assert window.losses == []


def test_the_probe_there_ends_with_its_window(window: FarWindow, shared_redis: RedisServer) -> None:
    with redis.Redis.from_url(shared_redis.url) as admin:
        before = len(admin.client_list())
        window.open(url=shared_redis.url)
        until(window.is_listening)
        assert len(admin.client_list()) > before
        window.far.close()
        until(lambda: len(admin.client_list()) == before)
    assert window.losses == []


def test_what_the_bus_says_no_to_ends_it_as_here(window: FarWindow, shared_redis: RedisServer) -> None:
    window.open(url=shared_redis.url, password="a password that it does not have")
    until(lambda: window.reports)
    assert [(number, report.outcome) for number, report in window.reports] == [(0, "failed")]
    assert "has no password, and one was given" in window.reports[0][1].message


def test_where_it_is_not_installed_that_is_said(
    window: FarWindow, shared_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REMOTE_VARIABLE, "meshscope-that-nobody-installed")
    window.open(url=shared_redis.url)
    until(lambda: window.losses)
    assert "Meshscope was not found on 127.0.0.1" in window.losses[0]
    assert "pip install meshscope" in window.losses[0]


def test_another_version_is_refused_with_both_named(
    window: FarWindow, shared_redis: RedisServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = json.dumps({"version": "0.0.1", "format": [0, 0], "layout": {}})
    script = tmp_path / "other.py"
    script.write_text(
        "import json, sys, msgspec\n"
        f"content = msgspec.msgpack.encode(('meshscope', json.loads({other!r})))\n"
        "sys.stdout.buffer.write(len(content).to_bytes(4, 'big') + content)\n"
        "sys.stdout.flush()\nsys.stdin.read()\n"
    )
    monkeypatch.setenv(REMOTE_VARIABLE, shlex.join([sys.executable, os.fspath(script)]))
    window.open(url=shared_redis.url)
    until(lambda: window.losses)
    assert "the probe is Meshscope 0.0.1 (format [0, 0])" in window.losses[0]
    assert "Let 127.0.0.1 have the version that is here." in window.losses[0]


def test_a_window_shows_a_bus_that_the_other_machine_sees(
    qtbot: QtBot, machine: Machine, shared_redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    screen = Screen(qtbot)
    screen.open(shared_redis.url, machine=f"ssh://127.0.0.1:{machine.port}")
    assert [each.name() for each in psutil.Process().children() if each.name() == "ssh"] == ["ssh"]
    screen.close()
