"""Locked, unlocked for a while, locked again: what the bar says, what is asked, what is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QRadioButton
from pytestqt.qtbot import QtBot

from app.desk import Desk
from app.place import Place
from app.shell import Shell
from app.widgets.confirm import ConfirmDialog
from app.window import Window
from broker.clock import SECOND
from broker.mesh.timeline import Timeline
from broker.observe.journal import Batch
from broker.operate.commands import Command, Lock, Report, TargetReport, Unlock
from broker.operate.operator import Confirmation
from broker.operate.permissions import Permission
from broker.operate.profiles import Profile
from broker.probe.status import ProbeStatus

BOTH = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
NOW_NS = 1_772_620_800 * SECOND
PRODUCTION = Profile("shop-production", "redis://10.4.0.7:6379", is_production=True)
STAGING = Profile("shop-staging", "redis://10.4.0.8:6379", colour="slow")


@dataclass(slots=True)
class Sitting:
    """A window on a profile, and a probe that is played by the test."""

    window: Window
    shell: Shell
    desk: Desk
    timeline: Timeline
    sent: list[tuple[Command, Confirmation]] = field(default_factory=list)
    answer: Callable[[Report], None] | None = None

    def take(self, command: Command, answer: Any, _progress: Any, confirmation: Confirmation, _name: str) -> int:
        self.sent.append((command, confirmation))
        self.answer = answer
        return len(self.sent)

    def say(self, may: Permission = "see", until_ns: int = 0) -> None:
        self.desk.set_status(ProbeStatus("listening", may="see", may_now=may, unlocked_until_ns=until_ns))

    def hear(self, at_ns: int) -> None:
        self.timeline.take(Batch(through_ns=at_ns))


@pytest.fixture
def sit(window: Window, qtbot: QtBot) -> Callable[[Profile | None], Sitting]:
    def begin(profile: Profile | None) -> Sitting:
        timeline = Timeline()
        desk = Desk(timeline)
        desk.profile = profile
        name, tone = (profile.name, profile.tone) if profile else ("h", "")
        place = Place(name, tone, "ghost: publishes nothing", "redis://10.4.0.7:6379")  # type: ignore[arg-type]
        shell = window.show_session(desk, place, desk.close)
        made = Sitting(window, shell, desk, timeline)
        desk.run_command = made.take
        made.hear(NOW_NS)
        made.say()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        return made

    return begin


def question(sitting: Sitting, qtbot: QtBot) -> ConfirmDialog:
    qtbot.waitUntil(lambda: sitting.shell.findChild(ConfirmDialog) is not None)
    found = sitting.shell.findChild(ConfirmDialog)
    assert found is not None
    return found


def test_production_is_unlocked_only_with_its_name_typed_and_after_it_was_said_what_will_happen(
    sit: Callable[[Profile | None], Sitting], qtbot: QtBot
) -> None:
    sitting = sit(PRODUCTION)
    assert sitting.shell.bar.profile.text() == "shop-production · locked"
    sitting.shell.bar.profile.click()
    dialog = question(sitting, qtbot)
    assert "second connection" in dialog._hits_text.text()
    assert "never made longer by itself" in dialog._note.text()
    assert not dialog.act.isEnabled()
    dialog.name.setText("shop-production")
    steps = {step.text().partition(":")[0]: step for step in dialog.findChildren(QRadioButton)}
    assert set(steps) == {"Ask", "Call", "Act"}
    steps["Act"].click()
    dialog.act.click()
    assert sitting.sent == [(Unlock("act", 600.0), Confirmation(True, "shop-production"))]


def test_escape_leaves_it_locked(sit: Callable[[Profile | None], Sitting], qtbot: QtBot) -> None:
    sitting = sit(PRODUCTION)
    qtbot.keyClick(sitting.window, Qt.Key.Key_L, BOTH)
    question(sitting, qtbot)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert sitting.sent == []


def test_elsewhere_a_second_step_is_enough(sit: Callable[[Profile | None], Sitting], qtbot: QtBot) -> None:
    sitting = sit(STAGING)
    sitting.shell.unlocking.ask("call")
    dialog = question(sitting, qtbot)
    assert not dialog.name.isVisible()
    dialog.act.click()
    assert sitting.sent == [(Unlock("call", 600.0), Confirmation(True, ""))]


def test_the_bar_counts_down_by_the_clock_of_the_probe_and_says_what_may_be_done(
    sit: Callable[[Profile | None], Sitting], qtbot: QtBot
) -> None:
    sitting = sit(PRODUCTION)
    sitting.say("act", NOW_NS + 600 * SECOND)
    assert sitting.shell.bar.profile.text() == "shop-production · unlocked 10:00"
    assert sitting.shell.bar.mode.text() == "acting: asks twice"
    assert sitting.shell.bar.profile.property("tone") == "failed"
    sitting.hear(NOW_NS + 20 * SECOND)
    qtbot.waitUntil(lambda: sitting.shell.bar.profile.text() == "shop-production · unlocked 9:40", timeout=3000)


def test_one_click_or_one_key_locks_it_again_without_a_question(
    sit: Callable[[Profile | None], Sitting], qtbot: QtBot
) -> None:
    sitting = sit(PRODUCTION)
    for lock in (
        sitting.shell.bar.profile.click,
        lambda: qtbot.keyClick(sitting.window, Qt.Key.Key_L, BOTH),
    ):
        sitting.sent.clear()
        sitting.say("act", NOW_NS + 600 * SECOND)
        lock()
        assert [command for command, _ in sitting.sent] == [Lock()]
        assert sitting.shell.findChild(ConfirmDialog) is None
        sitting.say()
        assert sitting.shell.bar.profile.text() == "shop-production · locked"
        assert sitting.shell.bar.mode.text() == "ghost: publishes nothing"
        assert sitting.shell.report.text == ""


def test_when_its_time_is_over_that_is_said(sit: Callable[[Profile | None], Sitting]) -> None:
    sitting = sit(PRODUCTION)
    sitting.say("act", NOW_NS + 600 * SECOND)
    sitting.say()
    assert "Locked again." in sitting.shell.report.text


def test_what_went_wrong_with_unlocking_is_said(sit: Callable[[Profile | None], Sitting], qtbot: QtBot) -> None:
    sitting = sit(STAGING)
    sitting.shell.unlocking.ask()
    question(sitting, qtbot).act.click()
    assert sitting.answer is not None
    sitting.answer(Report("failed", "Not unlocked: there is no connection to publish through.", "Try again."))
    assert "there is no connection to publish through. Try again." in sitting.shell.report.text


def test_a_bare_url_says_how_more_may_be_done(sit: Callable[[Profile | None], Sitting]) -> None:
    sitting = sit(None)
    sitting.shell.bar.profile.click()
    assert sitting.shell.findChild(ConfirmDialog) is None
    assert "connect again with the permission that you need" in sitting.shell.report.text


def test_a_report_says_what_became_of_each_target(sit: Callable[[Profile | None], Sitting]) -> None:
    sitting = sit(STAGING)
    targets = (TargetReport("pay-1", "done", "held open"), TargetReport("pay-2", "failed", "no helper there"))
    sitting.shell.show_report(Report("partly", "1 of 2 callers hold it.", "Undo the rest.", targets))
    assert sitting.shell.report.text == (
        "1 of 2 callers hold it. Undo the rest.\n▲ pay-2: no helper there\n✓ pay-1: held open"
    )
    assert sitting.shell.report.property("tone") == "slow"
    sitting.shell.show_report(Report("unknown", "No answer came.", "It is not sent again by itself."))
    assert sitting.shell.report.property("tone") == "slow"
    sitting.shell.show_report(Report("failed", "The server is gone."))
    assert sitting.shell.report.property("tone") == "failed"


@pytest.mark.parametrize("size", [(960, 600), (1280, 800), (2560, 1440)])
def test_nothing_of_the_countdown_is_cut_off(
    sit: Callable[[Profile | None], Sitting], qtbot: QtBot, size: tuple[int, int]
) -> None:
    sitting = sit(PRODUCTION)
    sitting.window.resize(*size)
    sitting.say("act", NOW_NS + 600 * SECOND)
    bar = sitting.shell.bar
    qtbot.waitUntil(lambda: bar.width() == sitting.window.width())
    for part in (bar.profile, bar.mode, bar.live, bar.span):
        qtbot.waitUntil(lambda part=part: part.width() >= part.sizeHint().width() - 1)
        assert part.geometry().right() <= bar.width()
