"""The window as a user meets it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from fake_mesh import FakeMesh
from PySide6.QtCore import QPoint, Qt, QThread, QTimer
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app import settings, theme
from app.desk import Desk
from app.place import Place
from app.shell import Shell
from app.views.overview import OverviewView
from app.views.registry import VIEWS, load_views
from app.widgets.key_sheet import KeySheet
from app.window import Opener, Window
from broker.clock import SECOND
from broker.mesh.subject import Subject
from broker.mesh.timeline import Timeline
from broker.observe.journal import Batch, StateChange
from broker.probe.status import ProbeStatus

PAY = Subject("service", "prod", "payments")


def settle(shell: Shell, qtbot: QtBot) -> None:
    """Until everything asked is answered and shown."""
    qtbot.waitUntil(lambda: shell.facts is not None, timeout=5000)
    qtbot.waitUntil(lambda: shell.desk._worker.is_idle, timeout=5000)
    qtbot.wait(20)


def test_the_bars_say_where_we_are_what_we_may_and_what_is_heard(shell: Shell, qtbot: QtBot) -> None:
    settle(shell, qtbot)
    assert shell.bar.profile.text() == "shop-production · locked"
    assert shell.bar.mode.text() == "ghost: publishes nothing"
    assert shell.bar.place.property("fullText") == "redis://10.4.0.7 · namespace prod"
    assert shell.bar.live.text().startswith("live ")
    assert shell.bar.live.text().endswith("local")
    assert "10 services" in shell.status.text
    assert "0 lost" in shell.bar.rates.text()


def test_what_the_probe_says_of_itself_stands_in_the_status_line(shell: Shell, qtbot: QtBot) -> None:
    shell.desk.set_status(
        ProbeStatus("listening", cpu_percent=3.0, capture_bytes=412_000_000, ring_bytes=2_000_000_000)
    )
    settle(shell, qtbot)
    assert "tap 3.0 % cpu" in shell.status.text
    assert "ring 412 MB of 2.0 GB" in shell.status.text


def test_space_pauses_unmistakably_and_counts_what_comes_meanwhile(
    shell: Shell, mesh: FakeMesh, timeline: Timeline, qtbot: QtBot
) -> None:
    settle(shell, qtbot)
    qtbot.keyClick(shell.area.widget("overview"), Qt.Key.Key_Space)
    assert shell.paused.isVisible()
    assert shell.bar.live.text().startswith("paused ")
    assert shell.bar.live.property("tone") == "slow"
    before = timeline.snapshot().tally.packets
    mesh.fill(timeline, 10)
    more = timeline.snapshot().tally.packets - before
    qtbot.waitUntil(lambda: f"+{more:,} packets while paused" in shell.paused.text, timeout=5000)
    qtbot.keyClick(shell.area.widget("overview"), Qt.Key.Key_Space)
    assert not shell.paused.isVisible()
    assert shell.bar.live.text().startswith("live ")


def test_a_wrong_filter_is_pointed_at_and_a_right_one_is_obeyed_everywhere(shell: Shell, qtbot: QtBot) -> None:
    bar = shell.filter_bar
    qtbot.keyClicks(bar._edit, "durration > 3")
    assert "duration" in bar.message
    assert bar._edit.property("state") == "wrong"
    assert shell.desk.filter.is_empty
    bar._edit.clear()
    qtbot.keyClicks(bar._edit, "service = payments")
    assert bar.message == ""
    assert bar._edit.property("state") == "right"
    qtbot.keyClick(bar._edit, Qt.Key.Key_Return)
    assert shell.desk.filter.text == "service = payments"
    assert shell.settings.filters[0] == "service = payments"
    qtbot.keyClick(bar._edit, Qt.Key.Key_Escape)
    assert shell.desk.filter.is_empty


def test_the_filter_completes_fields_and_values(shell: Shell, qtbot: QtBot) -> None:
    bar = shell.filter_bar
    qtbot.keyClicks(bar._edit, "serv")
    proposed = [proposal.text for proposal in bar._proposals]
    assert "service" in proposed
    bar._insert(bar._words.stringList()[proposed.index("service")])
    assert bar.text.startswith("service ")


def test_escape_steps_back_one_level_at_a_time(shell: Shell, mesh: FakeMesh, qtbot: QtBot) -> None:
    settle(shell, qtbot)
    view = shell.area.widget("overview")
    shell.filter_bar.set_text("service = payments")
    shell.desk.select(PAY)
    shell.desk.zoom(type(shell.desk.span())(mesh.begin_ns, mesh.begin_ns + 60 * SECOND))
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert shell.desk.cursor.follows
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert shell.desk.selection is None
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert shell.filter_bar.text == ""


def test_back_and_forward_walk_views_with_their_selection(shell: Shell, window: Window, qtbot: QtBot) -> None:
    shell.desk.show_view("nodes", Subject("node", "prod", "pay-1"))
    shell.desk.show_view("services", PAY)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(shell.area.widget("services"), Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert (shell.area.current, shell.desk.selection) == ("nodes", Subject("node", "prod", "pay-1"))
    shell.step(is_back=False)
    shell.step(is_back=False)
    assert (shell.area.current, shell.desk.selection) == ("services", PAY)


def test_ctrl_and_a_number_shows_the_view_that_the_rail_has_there(window: Window, shell: Shell) -> None:
    ids = [view.id for view in load_views()]
    window._show_view(ids[1])
    assert shell.area.current == ids[1]
    assert shell.rail.buttons[ids[1]].isChecked()
    assert not shell.rail.buttons[ids[0]].isChecked()


def test_ctrl_b_hides_and_shows_the_side_panel(shell: Shell, window: Window, qtbot: QtBot) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    for is_shown in (False, True):
        qtbot.keyClick(shell.area.widget("overview"), Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
        assert shell.side.isVisible() == is_shown


def test_the_palette_finds_by_a_few_letters_and_leads_there(shell: Shell, qtbot: QtBot) -> None:
    settle(shell, qtbot)
    shell.open_palette()
    qtbot.waitUntil(lambda: "payments.charge" in shell.palette_box.texts() or len(shell.palette_box._entries) > 30)
    shell.palette_box.edit.setText("paych")
    assert shell.palette_box.texts()[0] == "payments.charge"
    qtbot.keyClick(shell.palette_box.edit, Qt.Key.Key_Return)
    assert shell.desk.selection == Subject("action", "prod", "payments.charge")
    assert shell.area.current == "latency" or "latency" not in VIEWS


def test_the_side_panel_tells_of_the_selection(shell: Shell, qtbot: QtBot) -> None:
    shell.desk.select(PAY)
    qtbot.waitUntil(lambda: shell.side._title.text() == "payments", timeout=5000)
    assert "2 instances · pay-1, pay-2" in shell.side._about.text()
    assert [row[0].lstrip("▲◷ ") for row in shell.side.table.texts()] == ["payments.charge", "payments.quote"]
    assert shell.side.recent.texts()
    shell.desk.select(Subject("action", "prod", "v2.orders.create"))
    qtbot.waitUntil(lambda: '"lines"' in shell.side._schema.toPlainText(), timeout=5000)


def test_a_breaker_stands_in_the_panel_of_what_it_guards(
    shell: Shell, mesh: FakeMesh, timeline: Timeline, qtbot: QtBot
) -> None:
    state = {"state": "half-open", "failures": 3}
    change = StateChange("breaker", "prod", "shop-1|pay-1:payments.charge", mesh.through_ns, state, "event")
    timeline.take(Batch(through_ns=mesh.through_ns + 1, changes=[change]))
    shell.desk.select(PAY)
    expected = ["shop-1 → pay-1:payments.charge", "◐ half-open"]
    qtbot.waitUntil(lambda: [row[:2] for row in shell.side.breakers.texts()] == [expected], timeout=5000)
    shell.desk.select(Subject("service", "prod", "users"))
    qtbot.waitUntil(lambda: shell.side._title.text() == "users", timeout=5000)
    assert not shell.side.breakers.isVisible()


def test_a_call_shows_its_request_from_the_capture(shell: Shell, qtbot: QtBot) -> None:
    settle(shell, qtbot)
    shell.desk.fetch_body = lambda _number, answer: answer(b'{"id":"1","action":"users.get"}')
    call = shell.side.recent._rows[0].subject
    shell.desk.select(call)
    qtbot.waitUntil(lambda: shell.side._facts is not None and shell.side._facts.kind == "call", timeout=5000)
    facts = dict(shell.side._facts.facts)
    assert facts["outcome"].startswith(("ok", "failed", "timed out"))
    shell.side._take_body(call, "Request", b'{"id":"1","action":"users.get"}')
    assert '"action": "users.get"' in shell.side._body.toPlainText()
    shell.side._take_body(call, "Request", None)
    assert "Not kept" in shell.side._body.toPlainText()


def test_a_lost_connection_is_told_with_reason_and_advice_until_it_is_back(
    shell: Shell, mesh: FakeMesh, timeline: Timeline, qtbot: QtBot
) -> None:
    settle(shell, qtbot)
    gap = {"reason": "Cut by the server: output buffer full.", "advice": "Raise the limit.", "retry_in_s": 4.0}
    at_ns = mesh.through_ns
    timeline.take(Batch(through_ns=at_ns + SECOND, changes=[StateChange("gap", "", "", at_ns, gap, "source")]))
    qtbot.waitUntil(lambda: "output buffer full" in shell.banner.text, timeout=5000)
    assert "Raise the limit. Trying again in 4 s." in shell.banner.text
    timeline.take(
        Batch(through_ns=at_ns + 2 * SECOND, changes=[StateChange("gap", "", "", at_ns + SECOND, None, "source")])
    )
    qtbot.waitUntil(lambda: shell.banner.text == "", timeout=5000)


def test_the_window_of_time_is_dragged_in_the_strip_by_mouse_and_by_keys(shell: Shell, qtbot: QtBot) -> None:
    settle(shell, qtbot)
    shell.set_span(60)
    qtbot.wait(10)
    strip = shell.strip
    begin = shell.desk.span()
    band = strip._band()
    middle = QPoint(round(band.center().x()), strip.height() // 2)
    qtbot.mousePress(strip, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(strip, middle - QPoint(200, 0))
    qtbot.mouseRelease(strip, Qt.MouseButton.LeftButton, pos=middle - QPoint(200, 0))
    dragged = shell.desk.span()
    assert not shell.desk.cursor.follows
    assert dragged.to_ns < begin.to_ns
    assert math.isclose(dragged.seconds, 60)
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert shell.desk.span().to_ns == dragged.to_ns - 6 * SECOND
    qtbot.keyClick(strip, Qt.Key.Key_End)
    assert shell.desk.cursor.follows


def test_several_namespaces_are_asked_about_and_never_added(window: Window, timeline: Timeline, qtbot: QtBot) -> None:
    FakeMesh(namespace="prod").fill(timeline, 20)
    names = timeline.snapshot().namespaces()
    assert names == ["prod"]
    change = StateChange("node", "staging", "api-1", timeline.snapshot().through_ns, {"state": "online"}, "info")
    timeline.take(Batch(through_ns=timeline.snapshot().through_ns + 1, changes=[change]))
    desk = Desk(timeline)
    shell = window.show_session(desk, Place("two", "", "ghost", "redis://h"), desk.close)
    settle(shell, qtbot)
    menu = shell.namespace_menu
    assert menu is not None
    texts = [action.text() for action in menu.actions()]
    assert any(text.startswith("staging    1 node") for text in texts)
    next(action for action in menu.actions() if action.text().startswith("staging")).trigger()
    menu.close()
    assert desk.filter.text == 'namespace = "staging"'
    qtbot.waitUntil(lambda: "namespace staging" in str(shell.bar.place.property("fullText")), timeout=3000)


def test_a_concern_leads_to_where_it_can_be_understood(shell: Shell, qtbot: QtBot) -> None:
    view = shell.area.widget("overview")
    assert isinstance(view, OverviewView)
    qtbot.waitUntil(lambda: bool(view.concerns.texts()), timeout=5000)
    assert any("bank.transfer" in row[1] or "payments.charge" in row[1] for row in view.concerns.texts())
    view.concerns.selectRow(0)
    first = view.concerns.records.record(0)
    assert first is not None
    assert shell.desk.selection == first.subject
    qtbot.keyClick(view.concerns, Qt.Key.Key_Return)
    assert shell.area.current == first.leads_to or first.leads_to not in VIEWS


def test_the_overview_shows_the_golden_figures(shell: Shell, qtbot: QtBot) -> None:
    view = shell.area.widget("overview")
    assert isinstance(view, OverviewView)
    qtbot.waitUntil(lambda: "/s" in view.cards[0].text, timeout=5000)
    assert "%" in view.cards[1].text
    assert "p99" in view.cards[2].text
    assert "CPU of " in view.cards[3].text


def test_a_view_is_detached_brought_back_and_remembered(shell: Shell, window: Window, qtbot: QtBot) -> None:
    shell.desk.show_view("nodes")
    window.detach_view()
    assert shell.area.is_detached("nodes")
    assert shell.area.current != "nodes"
    shell.area._docks["nodes"].close()
    assert not shell.area.is_detached("nodes")
    assert shell.area.current == "nodes"
    shell.area.detach("services", floats=False)
    shell.keep()
    assert window.settings.detached == ["services"]
    timeline = Timeline()
    desk = Desk(timeline)
    again = window.show_session(desk, Place("again", "", "ghost", "redis://h"), desk.close)
    assert again.area.is_detached("services")
    qtbot.wait(10)


def test_the_theme_changes_while_it_runs(window: Window, shell: Shell, qtbot: QtBot) -> None:
    settle(shell, qtbot)
    dark = window.grab().toImage().pixelColor(700, 300).lightness()
    window.use_theme("light")
    qtbot.wait(30)
    assert window.grab().toImage().pixelColor(700, 300).lightness() > dark + 100
    assert theme.current().name == "light"
    window.use_theme("dark")


def test_moments_are_shown_in_utc_when_asked_and_always_said_which(window: Window, shell: Shell, qtbot: QtBot) -> None:
    settle(shell, qtbot)
    window.use_utc(True)
    assert shell.bar.live.text() == "live 10:44:00 UTC"
    window.use_utc(False)
    assert shell.bar.live.text().endswith("local")


def test_a_question_mark_shows_the_keys(window: Window, shell: Shell, qtbot: QtBot) -> None:
    qtbot.keyClick(shell.area.widget("overview"), "?")
    sheet = window.findChild(KeySheet)
    assert sheet is not None
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)


def test_every_control_has_an_accessible_name(window: Window, shell: Shell, qtbot: QtBot) -> None:
    for view in VIEWS:
        shell.desk.show_view(view)
    qtbot.wait(20)
    kinds = (QAbstractButton, QLineEdit, QComboBox, QAbstractItemView)
    nameless = [
        f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}"
        for widget in window.findChildren(QWidget)
        if widget.parentWidget() is not None
        if not isinstance(widget.parentWidget().parentWidget(), QComboBox)  # its list is told by the box
        if isinstance(widget, kinds) and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
        if widget.objectName() not in ("qt_toolbar_ext_button", "ScrollLeftButton", "ScrollRightButton")
    ]
    assert nameless == [], nameless


def test_closing_the_window_ends_every_timer_and_thread(timeline: Timeline, qtbot: QtBot) -> None:
    from conftest import no_check

    window = Window(settings.load(None), load_views(), no_check, Opener())
    window.show()
    FakeMesh().fill(timeline, 20)
    desk = Desk(timeline)
    shell = window.show_session(desk, Place("x", "", "ghost", "redis://h"), desk.close)
    settle(shell, qtbot)
    timers, threads = window.findChildren(QTimer), window.findChildren(QThread)
    timers += desk.findChildren(QTimer)
    window.close()
    qtbot.waitUntil(lambda: not isValid(window), timeout=3000)
    assert [timer for timer in timers if isValid(timer) and timer.isActive()] == []
    assert [thread for thread in threads if isValid(thread) and thread.isRunning()] == []
    assert not desk._worker._thread.is_alive()


def test_what_was_set_is_there_next_time(tmp_path: Path, timeline: Timeline, qtbot: QtBot) -> None:
    from conftest import no_check

    path = tmp_path / "window.json"
    FakeMesh().fill(timeline, 20)
    for turn in range(2):
        window = Window(settings.load(path), load_views(), no_check, Opener())
        window.show()
        desk = Desk(timeline)
        shell = window.show_session(desk, Place("x", "", "ghost", "redis://h"), desk.close)
        if turn == 0:
            shell.filter_bar.set_text("outcome = failed")
            shell.set_span(900)
            shell.desk.show_view("actions")
            window.use_theme("light")
        else:
            assert desk.filter.text == "outcome = failed"
            assert desk.cursor.length_ns == 900 * SECOND
            assert shell.area.current == "actions"
            assert theme.current().name == "light"
        window.close()
        qtbot.waitUntil(lambda window=window: not isValid(window), timeout=3000)


@pytest.mark.parametrize("size", [(960, 600), (1280, 800), (2560, 1440)])
def test_nothing_is_cut_off_in_the_top_bar(window: Window, shell: Shell, qtbot: QtBot, size: tuple[int, int]) -> None:
    window.resize(*size)
    settle(shell, qtbot)
    for part in (shell.bar.profile, shell.bar.mode, shell.bar.live, shell.bar.span):
        assert part.width() >= part.sizeHint().width() - 1
        assert part.geometry().right() <= shell.bar.width()
