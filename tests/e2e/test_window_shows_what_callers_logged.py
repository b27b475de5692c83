"""What the window shows of a real MoleculerJS mesh is what the callers logged: read from what is displayed."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before any Qt is imported

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import redis
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.widgets.format import count, percent
from broker.mesh.subject import Subject
from tests.e2e.conftest import StartMesh
from tests.e2e.mesh import JsMesh, JsNode, RemoteCall, Version, shop
from tests.e2e.redis_server import RedisServer
from tests.e2e.screen import Counts, Screen

OpenWindow = Callable[[str], Screen]
pytestmark = pytest.mark.alone

TABLES = ("actions", "latency")


@pytest.fixture
def open_window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenWindow]:
    """Opens the window on a server; what it keeps between runs is the test's own."""
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    screens: list[Screen] = []

    def open_on(url: str) -> Screen:
        screen = Screen(qtbot)
        screens.append(screen)
        screen.open(url)
        return screen

    yield open_on
    for screen in screens:
        screen.close()


def logged(mesh: JsMesh) -> dict[str, Counts]:
    """How the calls of each action ended, as their callers logged it."""
    return {
        action: _counts([call for call in mesh.calls() if call.action == action])
        for action in {call.action for call in mesh.calls()}
    }


def _counts(calls: Sequence[RemoteCall]) -> Counts:
    ended = Counter(call.outcome for call in calls)
    return Counts(len(calls), ended["failed"], ended["timed-out"], ended["unanswered"])


def logged_wires(mesh: JsMesh) -> dict[tuple[str, str], int]:
    """How many calls went from whom to which service; calls from outside services are drawn from their node."""
    return dict(Counter((call.caller or call.node_id, call.action.rpartition(".")[0]) for call in mesh.calls()))


@pytest.mark.parametrize("version", ["014", "015"])
def test_every_view_shows_the_calls_failures_and_nodes_that_the_callers_logged(
    redis_server: RedisServer, js_mesh: StartMesh, open_window: OpenWindow, version: Version
) -> None:
    screen = open_window(redis_server.url)
    mesh = js_mesh(redis_server.url, namespace="te.st")
    caller = shop(mesh, (version,))
    mesh.start()
    caller.run(rounds=3, workers=2)
    expected = logged(mesh)
    assert sum(counts.calls for counts in expected.values()) > 100

    for view in TABLES:
        screen.choose(view)
        screen.wait_to_read(lambda view=view: screen.counts(view), expected)  # type: ignore[misc]
        for name, row in screen.rows(view).items():
            if name in expected:
                assert row["failed"].text == percent(expected[name].failed_percent)
    samples = {name: row["samples"].text for name, row in screen.rows("latency").items()}
    completed = {name: it.calls - it.timeouts - it.no_answer for name, it in expected.items()}
    assert samples == {name: count(number) for name, number in completed.items()}

    screen.choose("nodes")
    screen.wait_to_read(screen.states, dict.fromkeys(mesh.nodes, "online"))
    received = {node.node_id: _counts([c for c in mesh.calls() if c.target == node.node_id]) for node in mesh}
    screen.wait_to_read(lambda: screen.counts("nodes"), {name: it for name, it in received.items() if it.calls})

    screen.choose("graph")
    screen.wait_to_read(screen.wires, logged_wires(mesh))
    screen.wait_for(screen.is_painted)

    _compare_side_panel(screen, expected)
    status = screen.shell.status.text
    assert "5 of 5 nodes" in status
    assert "0 lost" in status
    assert "0 undecodable" in status


def _compare_side_panel(screen: Screen, expected: dict[str, Counts]) -> None:
    """Of the whole mesh, and of an action that a click selects."""
    everything = Counts(*(sum(column) for column in zip(*expected.values(), strict=True)))
    screen.wait_to_read(screen.side_counts, ("Whole mesh", everything))
    screen.choose("actions")
    screen.wait_for(lambda: "payments.refuse" in screen.rows("actions"))
    screen.click_row("actions", "payments.refuse")
    screen.wait_to_read(screen.side_counts, ("payments.refuse", expected["payments.refuse"]))
    assert screen.shell.desk.selection == Subject("action", "te.st", "payments.refuse")


def test_a_killed_node_is_shown_offline_and_back_when_it_returns(
    redis_server: RedisServer, js_mesh: StartMesh, open_window: OpenWindow
) -> None:
    mesh = js_mesh(redis_server.url, heartbeat_s=1.0)
    caller = shop(mesh)
    mesh.start()
    screen = open_window(redis_server.url)
    screen.choose("nodes")
    online = dict.fromkeys(mesh.nodes, "online")
    screen.wait_to_read(screen.states, online)

    victim = mesh["shop.users-2"]
    victim.kill()
    screen.wait_to_read(screen.states, online | {victim.node_id: "offline"})
    screen.wait_for(lambda: "4 of 5 nodes" in screen.shell.status.text)

    victim.start()
    victim.wait_ready()
    screen.wait_to_read(screen.states, online)
    screen.wait_for(lambda: "5 of 5 nodes" in screen.shell.status.text)
    changes = [change for what, change in screen.changes() if what == victim.node_id]
    assert changes[-2:] == ["vanished", "came back"], changes
    caller.run(rounds=2, steps=["get", "send", "missing"])
    screen.choose("actions")
    screen.wait_to_read(lambda: screen.counts("actions"), logged(mesh))


def test_a_paused_window_stands_still_and_takes_in(
    redis_server: RedisServer, js_mesh: StartMesh, open_window: OpenWindow
) -> None:
    screen = open_window(redis_server.url)
    mesh = js_mesh(redis_server.url)
    caller = shop(mesh)
    mesh.start()
    caller.run(rounds=2, steps=["get", "missing"])
    before = logged(mesh)
    screen.choose("actions")
    screen.wait_to_read(lambda: screen.counts("actions"), before)

    screen.press(Qt.Key.Key_Space)
    assert screen.shell.bar.live.text().startswith("paused")
    caller.run(rounds=5, steps=["get", "missing", "look"])
    calls = len(mesh.calls())
    screen.wait_for(lambda: f"{count(calls)} rows held" in screen.shell.status.text)
    assert screen.counts("actions") == before
    arrived = re.search(r"\+([\d,]+) packets while paused", screen.shell.paused.text)
    assert arrived is not None, screen.shell.paused.text
    assert int(arrived[1].replace(",", "")) >= 2 * (calls - sum(it.calls for it in before.values()))

    screen.press(Qt.Key.Key_Space)
    assert screen.shell.bar.live.text().startswith("live")
    screen.wait_to_read(lambda: screen.counts("actions"), logged(mesh))
    assert screen.shell.paused.isHidden()


def test_a_server_that_ends_is_told_with_advice_and_counted_again_when_it_is_back(
    redis_server: RedisServer, js_mesh: StartMesh, open_window: OpenWindow
) -> None:
    screen = open_window(redis_server.url)
    mesh = js_mesh(redis_server.url, heartbeat_s=1.0)
    caller = shop(mesh)
    mesh.start()
    caller.run(rounds=2, steps=["get", "missing"])
    screen.choose("actions")
    screen.wait_to_read(lambda: screen.counts("actions"), logged(mesh))
    assert screen.shell.banner.text == ""

    redis_server.stop()
    screen.wait_for(lambda: "Nothing heard since" in screen.shell.banner.text)
    reason, advice = screen.shell.banner._reason.text(), screen.shell.banner._advice.text()
    assert str(redis_server.port) in reason, reason
    assert "Trying again in" in advice or len(advice.split()) > 6, advice

    redis_server.start()
    screen.wait_for(lambda: screen.shell.banner.text == "")
    before = len(mesh.calls())
    screen.wait_for(lambda: _calls_again(caller, redis_server))
    caller.run(rounds=3, steps=["get", "missing", "look"])
    assert len(mesh.calls()) > before + 6
    screen.wait_to_read(lambda: screen.counts("actions"), logged(mesh))


def _calls_again(caller: JsNode, server: RedisServer) -> bool:
    """Whether a node has found its mesh again: it waits for its peers' subscriptions, then tries a call."""
    with redis.Redis.from_url(server.url) as client:
        if len(client.pubsub_channels("MOL.REQ.*")) < 5:
            return False
    before = len(caller.calls())
    caller.run(rounds=1, steps=["get"])
    return len(caller.calls()) > before
