"""Breakers of real MoleculerJS meshes, known by asking, and set by clicks as the callers' own logs say."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before any Qt is imported

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.breakers.bar import Act
from app.breakers.dialog import BreakerDialog
from app.views.breakers import BreakersView
from broker.capture.journal.shelf import JournalShelf
from broker.mesh.breaker_states import BreakerKey, breakers_at, coverage
from broker.mesh.summary import summary
from broker.mesh.timeline import Snapshot, Timeline
from broker.operate.audit import Audit
from broker.operate.commands import AskBreakers
from broker.probe.acting import act, sitting
from broker.probe.offline import load
from broker.probe.options import SessionOptions
from tests.e2e.helper_mesh import MESHES, SECRET, TRANSFER, Cast, HelperMesh, Stage
from tests.e2e.redis_server import RedisServer
from tests.e2e.screen import Screen
from tests.interop.mesh import until

pytestmark = pytest.mark.usefixtures("moleculerjs")


@pytest.fixture(scope="module", params=MESHES.values(), ids=MESHES.keys())
def stage(request: pytest.FixtureRequest, shared_redis: RedisServer) -> Iterator[Stage]:
    cast: Cast = request.param
    mesh = HelperMesh(cast, shared_redis)
    with asyncio.Runner() as runner:
        try:
            runner.run(mesh.start())
            yield Stage(mesh, runner)
        finally:
            runner.run(mesh.end())


class Operator:
    """Somebody in front of the window."""

    def __init__(self, screen: Screen, qtbot: QtBot, namespace: str) -> None:
        self._screen, self._qtbot = screen, qtbot
        self.key = BreakerKey(namespace, "shop-1", "bank-1", TRANSFER)
        screen.choose("breakers")
        view = screen.shell.area.widget("breakers")
        assert isinstance(view, BreakersView)
        self.view = view

    def card(self) -> str:
        """What the board says of shop-1's breaker for bank-1; "" while it has no card."""
        return next((text for text in self.view.board.texts() if f"{TRANSFER}, shop-1 → bank-1" in text), "")

    def act(self, act: Act, *, lasts: str = "", reason: str = "a test") -> list[list[str]]:
        """Select the card, choose an act, take both steps. The rows of the report."""
        view, qtbot = self.view, self._qtbot
        view.board.show_key(self.key)
        qtbot.mouseClick(view.board.viewport(), Qt.MouseButton.LeftButton, pos=view.board.box_of(self.key).center())
        self._screen.wait_for(view.bar.acts[act].isEnabled)
        qtbot.mouseClick(view.bar.acts[act], Qt.MouseButton.LeftButton)
        dialog = view.acting.dialog
        assert isinstance(dialog, BreakerDialog)
        if lasts:
            dialog.form.duration.setCurrentText(lasts)
        qtbot.keyClicks(dialog.form.reason, reason)
        self._screen.wait_for(dialog.act.isEnabled)
        qtbot.mouseClick(dialog.act, Qt.MouseButton.LeftButton)
        report = view.acting.report
        assert report is not None
        self._screen.wait_for(lambda: report.carrying is not None and report.carrying.is_over)
        rows = report.table.texts()
        qtbot.mouseClick(report.close_button, Qt.MouseButton.LeftButton)
        return rows


def told(snapshot: Snapshot) -> dict[tuple[str, str], tuple[str, str]]:
    """State and source of each breaker for the bank's endpoints, by its node and endpoint."""
    found = breakers_at(snapshot, snapshot.through_ns + 1)
    return {(one.key.owner, one.key.endpoint): (one.state, one.source) for one in found if "bank" in one.key.action}


def test_who_has_no_helper_is_asked_and_the_recording_tells_the_same(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "asked.mcap"

    async def story(mesh: HelperMesh) -> None:
        await mesh.shop_2.remove_helper()
        try:
            timeline = Timeline()
            options = SessionOptions(
                url=mesh.redis.url,
                may="ask",
                namespaces=(mesh.namespace,),
                keeps_capture=False,
                keeps_catalogue=False,
                record_path=str(path),
            )
            async with sitting(options, deliver=timeline.take) as session:
                await until(lambda: len(coverage(timeline.snapshot(), timeline.snapshot().through_ns).without) >= 1)
                report = await act(session, AskBreakers(mesh.namespace, ("shop-1", "shop-2", "bank-2")))
                assert [row.outcome for row in report.targets] == ["done"] * 3, report
                await until(lambda: ("shop-2", f"bank-1:{TRANSFER}") in told(timeline.snapshot()))
            live = timeline.snapshot()
        finally:
            await mesh.shop_2.add_helper()
        known = told(live)
        assert known["shop-1", f"bank-1:{TRANSFER}"] == ("closed", "helper")
        assert known["bank-2", f"bank-2:{TRANSFER}"] == ("closed", "helper")
        assert known["shop-2", f"bank-1:{TRANSFER}"] == ("closed", "asked")
        again = Timeline()
        load(path, again.take, shelf=JournalShelf(tmp_path / "journals"))
        assert summary(again.snapshot())["breakers"] == summary(live)["breakers"]

    stage.play(story)


@pytest.fixture
def operator(stage: Stage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("MESHSCOPE_SECRET", SECRET)
    screen = Screen(qtbot)
    screen.open(stage.mesh.redis.url, may="act", namespace=stage.mesh.namespace)
    yield Operator(screen, qtbot, stage.mesh.namespace)
    screen.close()


def test_holding_tripping_and_resetting_by_clicks_does_what_the_callers_logs_say(
    stage: Stage, operator: Operator, qtbot: QtBot
) -> None:
    mesh, run, target = stage.mesh, stage.runner.run, f"shop-1 → bank-1:{TRANSFER}"
    run(mesh.calm())
    run(mesh.shop_1.traffic(TRANSFER))
    run(mesh.sends(mesh.shop_1, "bank-1"))
    qtbot.waitUntil(lambda: "closed (helper)" in operator.card(), timeout=20_000)

    [[breaker, outcome, message]] = operator.act("hold open", lasts="4 s", reason="bank window")
    assert (breaker, outcome, message[:15]) == (target, "✓ done", "held open until")
    reported = len(run(mesh.shop_1.sent()))
    run(mesh.sends(mesh.shop_1, "bank-2", 40, after=reported))
    assert {each.target for each in run(mesh.shop_1.sent(reported))[:40]} == {"bank-2"}
    qtbot.waitUntil(lambda: "held open (helper). by you" in operator.card(), timeout=10_000)
    assert "“bank window”" in operator.card()
    assert [row[:2] for row in operator.view.holds.table.texts()] == [["shop-1", f"bank-1:{TRANSFER}"]]

    run(mesh.sends(mesh.shop_1, "bank-1", 5, after=reported))  # it ended by itself, on time
    qtbot.waitUntil(lambda: "closed (helper)" in operator.card(), timeout=20_000)
    assert operator.view.holds.table.texts() == []

    [[_, outcome, _]] = operator.act("trip")
    assert outcome == "✓ done"
    qtbot.waitUntil(
        lambda: {"▬ open", "◐ half-open"} <= {row[4] for row in operator.view.changes.texts()}, timeout=20_000
    )

    [[_, outcome, _]] = operator.act("hold open", lasts="10 min")
    reported = len(run(mesh.shop_1.sent()))
    run(mesh.sends(mesh.shop_1, "bank-2", 20, after=reported))
    assert {each.target for each in run(mesh.shop_1.sent(reported))[:20]} == {"bank-2"}
    [[_, reset, _]] = operator.act("reset")
    assert (outcome, reset) == ("✓ done", "✓ done")
    reported = len(run(mesh.shop_1.sent()))
    run(mesh.sends(mesh.shop_1, "bank-1", 5, after=reported))
    qtbot.waitUntil(lambda: "closed (helper)" in operator.card(), timeout=20_000)
    assert len(Audit().read().entries) == 4
