"""Breakers, as users look at them and set them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import click
import numpy as np
import pytest
from fake_breakers import BANK, ME, FakeBreakers
from fake_mesh import FakeMesh
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.breakers.cards import left_text
from app.breakers.dialog import BreakerDialog
from app.breakers.panels import MARKS
from app.breakers.wishes import command_line, read_duration_s, scope_of, wish_of
from app.cli.all_commands import meshscope
from app.desk import Desk
from app.shell import Shell
from app.signing import signs_with
from app.views.breakers import BreakersView
from app.widgets.circle_board import CircleBoard
from app.widgets.circle_card import CircleCard
from app.widgets.state_matrix import StateMatrix
from app.window import Window
from broker.agent.signature import BreakerCommand, Verifier
from broker.clock import SECOND
from broker.mesh.breaker_states import BreakerKey
from broker.mesh.filter import parse
from broker.mesh.subject import Subject
from broker.mesh.timeline import Timeline
from broker.operate.commands import Answer, Call, Report
from broker.operate.operator import Confirmation
from broker.operate.rules import Verdict
from broker.probe.status import ProbeStatus

SECRET = "a secret of this test, long enough"
OPEN = BreakerKey("prod", "pay-1", "bank.eu-1", "bank.transfer")
MINE = OPEN._replace(owner="pay-2")


class Helpers:
    """Answers commands as helpers do: verifies them, and does what it is told to."""

    def __init__(self, desk: Desk) -> None:
        self.asked: list[dict[str, Any]] = []
        self.confirmations: list[Confirmation] = []
        self.says: Callable[[dict[str, Any]], dict[str, Any]] = lambda _command: {"outcome": "done", "message": "done"}
        self._desk = desk
        desk.run_command = self._run

    def _run(self, command: Any, answer: Any, _progress: Any, confirmation: Confirmation, _name: str) -> int:
        assert isinstance(command, Call)
        params = json.loads(command.params)
        said = json.loads(params["command"])
        verifier = Verifier(SECRET, "prod", command.node_id, "i-1")
        checked = verifier.verify(params, self._desk.snapshot.through_ns // 1_000_000)
        assert isinstance(checked, BreakerCommand), checked
        self.asked.append(said)
        self.confirmations.append(confirmation)
        answer(Report("done", answer=Answer(node_id=command.node_id, data=json.dumps(self.says(said)))))
        return len(self.asked)


@pytest.fixture
def mesh(timeline: Timeline) -> FakeMesh:
    """A shop in which nobody who has a breaker is lost."""
    made = FakeMesh(lost_node="mail-1")
    made.fill(timeline, 240)
    return made


@pytest.fixture
def told(mesh: FakeMesh, timeline: Timeline) -> FakeBreakers:
    made = FakeBreakers(mesh, timeline)
    made.whole_shop()
    return made


@pytest.fixture
def desk(timeline: Timeline, qtbot: QtBot) -> Iterator[Desk]:  # noqa: ARG001
    made = Desk(timeline)
    made.me = ME
    made.sign_for = signs_with(SECRET, ME)
    made.set_status(ProbeStatus(state="listening", url="redis://10.4.0.7", may="act", may_now="act"))
    yield made
    made.close()


@pytest.fixture
def view(desk: Desk, told: FakeBreakers, shown: Any, qtbot: QtBot) -> BreakersView:  # noqa: ARG001
    made: BreakersView = shown(BreakersView(desk))
    made.resize(1200, 900)
    qtbot.waitUntil(lambda: bool(made.board.texts()), timeout=5000)
    return made


def ready(view: BreakersView, qtbot: QtBot) -> BreakerDialog:
    """The dialog that stands, once it knows what it will hit."""
    dialog = view.acting.dialog
    assert isinstance(dialog, BreakerDialog)
    qtbot.waitUntil(lambda: dialog._plan is not None and dialog._plan.wish == dialog.wish(), timeout=5000)
    return dialog


def test_what_stops_traffic_comes_first_with_state_source_countdown_reason_and_limit(view: BreakersView) -> None:
    first, second, third = view.board.texts()[:3]
    assert first.startswith(
        "bank.transfer, pay-1 → bank.eu-1: open (helper). tries again in 6 s · 21 of 50 failed, limit 40 %"
    )
    assert "held open (helper). by you · 4:12 left · “bank maintenance”" in second
    assert "half-open (event). one call is trying it" in third
    closed = next(text for text in view.board.texts() if "closed (helper)" in text and "payments.charge" in text)
    assert "6 of 44 failed, limit 40 %" in closed
    nobody = next(text for text in view.board.texts() if "cat-1 → search-1" in text)
    assert "not seen yet. no helper on cat-1; nothing reported" in nobody
    assert view.bar._coverage.text().startswith("states from the helper on 13 of 16 nodes")


def test_the_countdown_goes_on_by_the_clock_of_the_probe(
    view: BreakersView, told: FakeBreakers, mesh: FakeMesh, qtbot: QtBot
) -> None:
    mesh.through_ns += 4 * SECOND
    told.tell()
    qtbot.waitUntil(lambda: "tries again in 2 s" in view.board.texts()[0], timeout=5000)
    mesh.through_ns += 4 * SECOND
    told.tell()
    qtbot.waitUntil(lambda: "tries again" not in view.board.texts()[0], timeout=5000)


@pytest.mark.usefixtures("told")
def test_arrows_walk_over_the_board_and_the_panel_tells_of_the_breaker(
    window: Window, timeline: Timeline, qtbot: QtBot
) -> None:
    desk = Desk(timeline)
    desk.me = ME
    shell: Shell = window.show_session(desk, window_place(), desk.close)
    desk.show_view("breakers")
    view = shell.area.widget("breakers")
    assert isinstance(view, BreakersView)
    qtbot.waitUntil(lambda: bool(view.board.texts()), timeout=5000)
    view.board.setFocus()
    qtbot.keyClick(view.board, Qt.Key.Key_Down)
    assert desk.selection == Subject("breaker", *OPEN.state_key)
    qtbot.waitUntil(lambda: shell.side._title.text() == "bank.transfer", timeout=5000)
    qtbot.waitUntil(lambda: "pay-1 → bank.eu-1 · open" in shell.side._about.text(), timeout=5000)
    facts = dict(shell.side.fact_table.texts())
    assert (facts["known from"], facts["counted"]) == ("told by the helper", "21 of 50 failed")
    assert (facts["opens at"], facts["tries after"]) == ("40 % of 8 or more", "10 s")
    qtbot.keyClick(view.board, Qt.Key.Key_Right)
    assert desk.selection == Subject("breaker", *MINE.state_key)
    assert "held open" in view.board.accessibleDescription()


def window_place() -> Any:
    from conftest import PLACE

    return PLACE


def test_the_matrix_shows_every_caller_by_every_endpoint_and_leads_to_the_breaker(
    view: BreakersView, desk: Desk, qtbot: QtBot
) -> None:
    found = view._last
    assert found is not None
    callers = [caller.node_id for caller in found.matrix.callers]
    endpoints = [f"{one.node_id}:{one.action}" for one in found.matrix.endpoints]
    place = callers.index("pay-1"), endpoints.index(BANK)
    table = view.matrix.table
    assert table.word(*place) == "open"
    assert table.word(callers.index("cat-1"), endpoints.index("search-1:search.query")) == "not seen yet"
    assert table.word(callers.index("cat-1"), endpoints.index(BANK)) == ""
    table._show_cell(*place)
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=table.box_of(*place).center())
    assert desk.selection == Subject("breaker", *OPEN.state_key)
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert desk.selection == Subject("breaker", *MINE.state_key)
    view.matrix.by.picked.emit("node")
    qtbot.waitUntil(lambda: view._last is not None and view._last.matrix.endpoints[0].action == "", timeout=5000)


def test_changes_and_holds_are_listed_and_looking_back_they_are_those_of_then(view: BreakersView, qtbot: QtBot) -> None:
    rows = view.changes.texts()
    assert ["api-2", "users-1:users.resolve", "not seen", "✋ held closed", "rollback", "bob@night"] in [
        row[1:7] for row in rows
    ]
    assert [row[:4] + row[6:7] for row in view.holds.table.texts()] == [
        ["pay-2", BANK, "✋ held open", "you", "bank maintenance"],
        ["api-2", "users-1:users.resolve", "✋ held closed", "bob@night", "rollback"],
    ]
    begin_ns = view.desk.snapshot.begin_ns
    view.desk.zoom(view.desk.span()._replace(from_ns=begin_ns, to_ns=begin_ns + 100 * SECOND))
    qtbot.waitUntil(lambda: view.changes.texts() == [] and view.holds.table.texts() == [], timeout=5000)
    qtbot.waitUntil(lambda: "open (helper)" not in view.board.texts()[0], timeout=5000)


def test_the_board_shows_the_states_that_are_wanted_and_says_when_there_is_none(
    view: BreakersView, qtbot: QtBot
) -> None:
    view.bar.show_chip.choose("half-open")
    view.bar.changed.emit()
    qtbot.waitUntil(lambda: len(view.board.texts()) == 1, timeout=5000)
    view.desk.set_filter(parse("action = users.resolve"))
    qtbot.waitUntil(view.empty.isVisible, timeout=5000)
    assert "half-open" in view.empty.text
    assert "Choose all states" in view.empty.text


def test_where_nobody_told_of_breakers_it_says_what_to_do(desk: Desk, shown: Any, qtbot: QtBot) -> None:
    view = shown(BreakersView(desk))
    qtbot.waitUntil(lambda: "No breaker has been heard of" in view.empty.text, timeout=5000)
    assert "meshscope helper prints it" in view.empty.text


def test_holding_open_takes_two_steps_is_signed_and_reported_row_by_row(
    view: BreakersView, desk: Desk, qtbot: QtBot
) -> None:
    helpers = Helpers(desk)
    desk.select(Subject("breaker", *OPEN.state_key))
    qtbot.mouseClick(view.bar.acts["hold open"], Qt.MouseButton.LeftButton)
    dialog = ready(view, qtbot)
    assert "fail at once with 404; pay-1 has no other endpoint for bank.transfer" in dialog._hits_text.text()
    assert not dialog.act.isEnabled()
    assert "Give a reason." in dialog._note.text()
    qtbot.keyClicks(dialog.form.reason, "bank maintenance window")
    ready(view, qtbot)
    qtbot.waitUntil(dialog.act.isEnabled, timeout=5000)
    assert dialog._note.text().startswith("undoes itself at ")
    assert dialog._note.text().endswith(", even if this window is gone")
    assert helpers.asked == []
    qtbot.mouseClick(dialog.act, Qt.MouseButton.LeftButton)
    [command] = helpers.asked
    assert (command["verb"], command["state"], command["for_ms"], command["node"]) == ("hold", "open", 300_000, "pay-1")
    assert command["endpoint"] == {"node": "bank.eu-1", "action": "bank.transfer"}
    assert (command["reason"], command["by"]) == ("bank maintenance window", ME)
    assert helpers.confirmations == [Confirmation(given=True)]
    report = view.acting.report
    assert report is not None
    assert report.table.texts() == [["pay-1 → bank.eu-1:bank.transfer", "✓ done", "done."]]


def test_all_callers_with_the_endpoints_own_needs_a_second_yes_and_the_rest_is_undone_when_some_refuse(
    view: BreakersView, desk: Desk, qtbot: QtBot
) -> None:
    helpers = Helpers(desk)
    view.acting.begin("hold open", OPEN)
    dialog = ready(view, qtbot)
    dialog.form.reason.setText("bank is down")
    dialog.form.scope.setCurrentIndex(1)
    dialog.form.with_callee.setChecked(True)
    ready(view, qtbot)
    qtbot.waitUntil(lambda: not dialog.form.understood.isHidden(), timeout=5000)
    assert "turns away every caller" in dialog._warnings.text()
    assert not dialog.act.isEnabled()
    dialog.form.understood.setChecked(True)
    ready(view, qtbot)
    qtbot.waitUntil(dialog.act.isEnabled, timeout=5000)

    def pay_2_refuses(command: dict[str, Any]) -> dict[str, Any]:
        if command["node"] == "pay-2":
            return {"outcome": "refused", "cause": "late", "message": "its time is over"}
        return {"outcome": "done", "message": "held", "breaker": {"hold": {"id": f"new-{command['node']}"}}}

    helpers.says = pay_2_refuses
    qtbot.mouseClick(dialog.act, Qt.MouseButton.LeftButton)
    assert {"pay-1", "pay-2", "bank.eu-1"} <= {command["node"] for command in helpers.asked}
    report = view.acting.report
    assert report is not None
    outcomes = {row[0]: row[1] for row in report.table.texts()}
    assert outcomes[f"pay-2 → {BANK}"] == "▲ refused"
    assert outcomes[f"pay-1 → {BANK}"] == "✓ done"
    assert report.undo.text() == "Undo the rest"
    done = sum(outcome == "✓ done" for outcome in outcomes.values())
    helpers.asked.clear()
    qtbot.mouseClick(report.undo, Qt.MouseButton.LeftButton)
    again = view.acting.dialog
    assert again is not None
    qtbot.mouseClick(again.act, Qt.MouseButton.LeftButton)
    assert len(helpers.asked) == done
    assert {command["verb"] for command in helpers.asked} == {"release"}
    assert {command["hold"] for command in helpers.asked} >= {"new-pay-1", "new-bank.eu-1"}


def test_in_production_the_name_is_typed(view: BreakersView, desk: Desk, qtbot: QtBot) -> None:
    helpers = Helpers(desk)
    desk.judge = lambda _command, name: Verdict(True, "", "type", name)
    view.acting.begin("trip", OPEN)
    dialog = ready(view, qtbot)
    dialog.form.reason.setText("failing")
    ready(view, qtbot)
    assert not dialog.act.isEnabled()
    qtbot.keyClicks(dialog.name, "bank.transfer")
    qtbot.waitUntil(dialog.act.isEnabled, timeout=5000)
    qtbot.mouseClick(dialog.act, Qt.MouseButton.LeftButton)
    assert [command["verb"] for command in helpers.asked] == ["trip"]
    assert helpers.confirmations == [Confirmation(given=True, typed="bank.transfer")]


def test_where_acting_is_not_allowed_every_control_is_disabled_and_says_why(
    view: BreakersView, desk: Desk, qtbot: QtBot
) -> None:
    helpers = Helpers(desk)
    desk.select(Subject("breaker", *OPEN.state_key))
    assert all(made.isEnabled() for made in view.bar.acts.values())
    desk.set_status(ProbeStatus(state="listening", url="redis://10.4.0.7", may="see", may_now="see"))
    for made in view.bar.acts.values():
        assert not made.isEnabled()
        assert "may only see" in made.toolTip()
    assert not view.holds.release_mine.isEnabled()
    assert "may only see" in view.holds.release_mine.toolTip()
    view._open_menu(OPEN, QPoint(10, 10))
    [menu] = view.findChildren(QMenu)
    assert [act.text() for act in menu.actions() if act.isEnabled() and act.text()] == [
        "Show latency",
        "Show caller in the graph",
    ]
    menu.close()
    view.setFocus()
    qtbot.keyClick(view.board, Qt.Key.Key_T)
    assert view.acting.dialog is None
    assert helpers.asked == []


def test_a_caller_without_helper_and_a_missing_secret_are_said_before(
    view: BreakersView, desk: Desk, qtbot: QtBot
) -> None:
    view.acting.begin("trip", BreakerKey("prod", "cat-1", "search-1", "search.query"))
    dialog = ready(view, qtbot)
    qtbot.waitUntil(lambda: "cat-1 has no helper" in dialog._note.text(), timeout=5000)
    dialog.reject()
    desk.sign_for = signs_with("", ME)
    view.acting.begin("reset", OPEN)
    dialog = ready(view, qtbot)
    qtbot.waitUntil(lambda: "There is no secret to sign with" in dialog._note.text(), timeout=5000)
    assert not dialog.act.isEnabled()


def test_where_the_breaker_is_disabled_tripping_is_refused_and_holding_offered(
    view: BreakersView, told: FakeBreakers, qtbot: QtBot
) -> None:
    told.tell(told.breaker("api-1|users-1:users.resolve", "closed", enabled=False))
    view.acting.begin("trip", BreakerKey("prod", "api-1", "users-1", "users.resolve"))
    dialog = ready(view, qtbot)
    qtbot.waitUntil(lambda: "is disabled there" in dialog._note.text(), timeout=5000)
    qtbot.mouseClick(dialog.instead, Qt.MouseButton.LeftButton)
    ready(view, qtbot)
    assert dialog.act.text() == "Hold open"
    assert dialog.form.duration.isVisible()


def test_release_all_mine_ends_my_holds_and_nobody_elses(view: BreakersView, desk: Desk, qtbot: QtBot) -> None:
    helpers = Helpers(desk)
    view.tabs.setCurrentWidget(view.holds)
    qtbot.mouseClick(view.holds.release_mine, Qt.MouseButton.LeftButton)
    dialog = view.acting.dialog
    assert dialog is not None
    qtbot.mouseClick(dialog.act, Qt.MouseButton.LeftButton)
    assert [(one["verb"], one["node"], one["hold"]) for one in helpers.asked] == [
        ("release", "pay-2", f"h-pay-2|{BANK}")
    ]


def test_a_hold_is_released_from_the_list_also_while_looking_back(view: BreakersView, desk: Desk, qtbot: QtBot) -> None:
    helpers = Helpers(desk)
    desk.pause()
    view.tabs.setCurrentWidget(view.holds)
    view.holds.table.selectRow(1)
    qtbot.mouseClick(view.holds.release, Qt.MouseButton.LeftButton)
    dialog = ready(view, qtbot)
    assert "This is done now" in dialog._warnings.text()
    assert "no longer held closed by bob@night" in dialog._hits_text.text()
    qtbot.waitUntil(dialog.act.isEnabled, timeout=5000)
    qtbot.mouseClick(dialog.act, Qt.MouseButton.LeftButton)
    assert [(one["verb"], one["node"]) for one in helpers.asked] == [("release", "api-2")]


def test_an_act_without_an_answer_is_unknown_and_not_sent_again(view: BreakersView, desk: Desk, qtbot: QtBot) -> None:
    sent: list[Any] = []

    def never(command: Any, answer: Any, *_: Any) -> int:
        sent.append(command)
        answer(Report("unknown", "No answer within 10,000 ms."))
        return 1

    desk.run_command = never
    view.acting.begin("reset", OPEN)
    dialog = ready(view, qtbot)
    qtbot.waitUntil(dialog.act.isEnabled, timeout=5000)
    qtbot.mouseClick(dialog.act, Qt.MouseButton.LeftButton)
    report = view.acting.report
    assert report is not None
    assert report.table.texts()[0][1] == "? unknown"
    assert "not sent again by itself" in report.text
    assert len(sent) == 1


def test_the_same_is_copied_as_a_command_line(view: BreakersView, qtbot: QtBot) -> None:
    view.acting.begin("hold open", OPEN)
    dialog = ready(view, qtbot)
    dialog.form.reason.setText("bank's window")
    ready(view, qtbot)
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == (
        "meshscope breakers redis://10.4.0.7 hold --namespace prod --state open --caller pay-1 "
        "--endpoint bank.eu-1:bank.transfer --for 300 --reason 'bank'\"'\"'s window'"
    )


@pytest.mark.parametrize("word", ["caller", "own", "endpoint", "action", "service on node", "service", "node"])
@pytest.mark.parametrize("act", ["trip", "hold open", "hold closed", "reset", "release"])
def test_every_scope_and_act_is_a_command_that_the_program_takes(word: Any, act: Any) -> None:
    scope = scope_of(OPEN, word, with_callee=word != "caller")
    wish = wish_of(act, "prod", scope, for_s=300 if act.startswith("hold") else 0, reason="a window", by=ME)
    _, group, *words = shlex.split(command_line("redis://h", wish))
    command = meshscope.commands[group]
    assert isinstance(command, click.Group)
    verb = words.pop(1)
    context = command.commands[verb].make_context(verb, words)
    assert context.params["target_text"] == "redis://h"
    assert context.params["namespaces"] == ("prod",)


@pytest.mark.parametrize(("text", "seconds"), [("5 min", 300), ("90 s", 90), ("2h", 7200), ("5", 300), ("1.5 h", 5400)])
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert read_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0 s", "25 h", "-1 min"])
def test_a_duration_that_is_none_says_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expected for instance|from 1 s to 24 h"):
        read_duration_s(text)


def test_time_left_is_told_in_few_letters() -> None:
    lefts = [left_text(round(seconds * SECOND), 0) for seconds in (0, 0.2, 59, 252, 3600, 5000)]
    assert lefts == ["", "1 s", "59 s", "4:12", "1 h 00 min", "1 h 23 min"]


@pytest.mark.usefixtures("told")
def test_a_connection_with_breakers_and_a_line_of_what_is_wrong_lead_to_them(
    window: Window, timeline: Timeline, qtbot: QtBot
) -> None:
    desk = Desk(timeline)
    shell: Shell = window.show_session(desk, window_place(), desk.close)
    desk.show_view("graph")
    desk.select(Subject("edge", "prod", "payments", "bank"))
    qtbot.waitUntil(lambda: len(shell.side.breakers.texts()) == 2, timeout=5000)
    assert [row[:2] for row in shell.side.breakers.texts()] == [
        [f"pay-1 → {BANK}", "▬ open"],
        [f"pay-2 → {BANK}", "✋ held open"],
    ]
    qtbot.mouseClick(shell.side._leads[3], Qt.MouseButton.LeftButton)
    assert (shell.area.current, desk.selection) == ("breakers", Subject("breaker", *OPEN.state_key))
    desk.select(None)
    desk.show_view("overview")
    overview = shell.area.widget("overview")
    wanted = f"The breaker of pay-1 for {BANK} is open"
    qtbot.waitUntil(lambda: wanted in [row[1] for row in overview.concerns.texts()], timeout=5000)
    row = [row[1] for row in overview.concerns.texts()].index(wanted)
    overview.concerns.opened.emit(overview.concerns.records.record(row))
    assert (shell.area.current, desk.selection) == ("breakers", Subject("breaker", *OPEN.state_key))


def test_a_mesh_of_five_hundred_nodes_and_two_thousand_endpoints_is_painted_where_it_is_seen(
    shown: Any, qtbot: QtBot
) -> None:
    cells = np.full((500, 2000), 2, np.uint8)
    matrix = StateMatrix("All", "caller \\ endpoint", MARKS)
    painted: list[str] = []
    shown(matrix)
    matrix.show_states(
        [f"node-{row}" for row in range(500)], [(f"service.do-{n}", f"node-{n % 500}") for n in range(2000)], cells
    )
    rows, columns = matrix._seen()
    assert len(rows) * len(columns) < 2_000
    qtbot.keyClick(matrix, Qt.Key.Key_End)
    qtbot.keyClick(matrix, Qt.Key.Key_End)
    assert matrix._current == (0, 1999)
    assert matrix.viewport().rect().contains(matrix.box_of(0, 1999))
    board = CircleBoard("All")
    shown(board)

    def card(number: int) -> CircleCard:
        def note(_now_ns: int) -> str:
            painted.append(str(number))
            return ""

        return CircleCard(number, "title", "way", ("closed", "ok"), "helper", "", note, (), 0.5, 0.0)

    board.show_cards([card(number) for number in range(1000)], 1)
    painted.clear()
    board.grab()
    assert 0 < len(set(painted)) < 60
