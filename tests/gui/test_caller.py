"""The caller as its users act on it: find, fill in, send, read, cancel, find again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_acting import REQUEST_ID, FakeActing
from fake_mesh import FakeMesh
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.caller.bench_dialog import BenchDialog
from app.caller.keeping import Keeping
from app.caller.name_dialog import NameDialog
from app.caller.row_menu import subject_menu
from app.caller.variables_dialog import VariablesDialog
from app.desk import Desk
from app.session import of_a_capture
from app.shell import Shell
from app.views.caller import CallerView
from app.widgets.confirm import ConfirmDialog
from broker.clock import SECOND
from broker.mesh.subject import Subject
from broker.mesh.timeline import Timeline
from broker.observe.ids import id64
from broker.observe.journal import CallFlag
from broker.operate import secrets
from broker.operate.calling.captured import Template
from broker.operate.calling.collection import Collection
from broker.operate.calling.history import History
from broker.operate.calling.request import Request
from broker.operate.commands import (
    AskOnce,
    Bench,
    BenchResult,
    Broadcast,
    Call,
    Cancel,
    Command,
    Emit,
    Progress,
    Report,
)
from broker.operate.operator import Confirmation
from broker.operate.profiles import Profile
from broker.operate.rules import Verdict, verdict

Show = Callable[[QWidget], QWidget]
LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier
ORDER = Request("call", "v2.orders.get", "prod", params='{"id": 4711}')
PROFILE = Profile("shop", "redis://10.4.0.7", is_production=True, may="see")


@pytest.fixture
def acting(desk: Desk) -> FakeActing:
    return FakeActing(desk)


@pytest.fixture
def keeping(desk: Desk, tmp_path: Path) -> Keeping:
    desk.keeping = Keeping("redis://10.4.0.7", History(tmp_path / "calls"), Collection(tmp_path / "collections"))
    return desk.keeping


@pytest.fixture
def caller(
    desk: Desk,
    mesh: FakeMesh,  # noqa: ARG001
    acting: FakeActing,  # noqa: ARG001
    keeping: Keeping,  # noqa: ARG001
    shown: Show,
    qtbot: QtBot,
) -> CallerView:
    view = CallerView(desk)
    shown(view)
    view.window().resize(1280, 760)
    qtbot.waitUntil(lambda: view._known is not None, timeout=5000)
    return view


def choose(caller: CallerView, qtbot: QtBot, letters: str) -> None:
    """Find by a few letters and take the first."""
    edit = caller.request.find_box.edit
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, letters)
    qtbot.keyClick(edit, Qt.Key.Key_Return)


def write_params(caller: CallerView, value: object) -> None:
    caller.request.params.set_value(value)
    caller.request.params.changed.emit()


def press_send(caller: CallerView, qtbot: QtBot) -> None:
    qtbot.keyClick(caller.request.meta.edit, Qt.Key.Key_Return, CTRL)


def read(caller: CallerView, qtbot: QtBot, verdict: str) -> None:
    """Wait until the answer is there."""
    qtbot.waitUntil(lambda: caller.answer.verdict.text() == verdict and caller.answer.shown is not None, timeout=30_000)


def soon(qtbot: QtBot, told: Callable[[], object], expected: object) -> None:
    """Wait until something is told that is read from the disk."""
    qtbot.waitUntil(lambda: told() == expected, timeout=5000)


def pick(menu: QMenu, text: str) -> None:
    next(action for action in menu.actions() if action.text().startswith(text)).trigger()


def open_dialog(caller: QWidget, kind: type[QWidget]) -> QWidget:
    return next(dialog for dialog in caller.findChildren(kind) if dialog.isVisible())


# finding


def test_an_action_is_found_by_a_few_letters_and_tells_what_it_is(caller: CallerView, qtbot: QtBot) -> None:
    edit = caller.request.action_box.edit
    qtbot.keyClicks(edit, "ordget")
    assert caller.request.action_box.texts()[0] == "v2.orders.get"
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert edit.text() == "v2.orders.get"
    assert not caller.request.action_box.list.isVisible()
    note = caller.request.action_box.note.text()
    assert note.startswith("orders, version 2 · 3 endpoints · p99 ")
    nodes = [caller.request.node.itemText(n) for n in range(caller.request.node.count())]
    assert nodes == ["balanced", "shop-1", "shop-2", "shop-3"]


def test_arrows_move_in_what_was_found_and_escape_leaves_it(caller: CallerView, qtbot: QtBot) -> None:
    box = caller.request.action_box
    qtbot.keyClicks(box.edit, "users")
    first, second = box.texts()[:2]
    qtbot.keyClick(box.edit, Qt.Key.Key_Down)
    assert box.list.currentRow() == 1
    qtbot.keyClick(box.edit, Qt.Key.Key_Up)
    qtbot.keyClick(box.edit, Qt.Key.Key_Return)
    assert (first, second) == (box.text, second)
    qtbot.keyClicks(box.edit, "x")
    qtbot.keyClick(box.edit, Qt.Key.Key_Escape)
    assert not box.list.isVisible()


def test_internal_actions_are_offered_last(caller: CallerView, qtbot: QtBot) -> None:
    caller.request.action_box.open()
    texts = caller.request.action_box.texts()
    assert texts
    assert not texts[0].startswith("$")
    caller.request.action_box.close_list()
    qtbot.wait(0)


# sending


def test_what_is_written_is_sent_and_the_answer_is_read(caller: CallerView, acting: FakeActing, qtbot: QtBot) -> None:
    choose(caller, qtbot, "ordget")
    write_params(caller, {"id": 4711})
    caller.request.node.setCurrentIndex(2)
    caller.request.timeout.setValue(3000)
    caller.request.retries.setValue(1)
    caller.request.meta.set_text('{"user": {"id": 5}}')
    assert caller.request.send.isEnabled()
    press_send(caller, qtbot)
    (command,) = acting.commands
    assert isinstance(command, Call)
    assert json.loads(command.params) == {"id": 4711}
    assert (command.namespace, command.action, command.node_id) == ("prod", "v2.orders.get", "shop-2")
    assert (command.timeout_ms, command.retries, command.meta) == (3000.0, 1, '{"user": {"id": 5}}')
    assert caller.answer.waiting.text().startswith("Waiting for v2.orders.get … ")
    assert caller.request.cancel.isVisible()
    acting.answer({"id": 4711, "status": "paid", "user": {"token": "abc"}, "lines": [1, 2]})
    read(caller, qtbot, "✓ ok")
    assert caller.answer.duration.text() == "12.4 ms"
    assert caller.answer.subject.text() == "v2.orders.get on shop-2"
    assert caller.answer.about.text() == "from shop-2 · 73 B · request c65e…49"
    assert caller.answer.tree.texts()[1:] == [
        "id: 4711",
        'status: "paid"',
        "user: { token: •••• masked }",
        "lines: [2]",
        "[0]: 1",
        "[1]: 2",
    ]
    assert "abc" not in caller.answer.raw.toPlainText()
    assert not caller.request.cancel.isVisible()


def test_the_second_answer_is_compared_with_the_first(caller: CallerView, acting: FakeActing, qtbot: QtBot) -> None:
    caller.request.show_request(ORDER)
    press_send(caller, qtbot)
    acting.answer({"id": 4711, "status": "new"})
    read(caller, qtbot, "✓ ok")
    assert not caller.answer.tabs.buttons["difference"].isEnabled()
    press_send(caller, qtbot)
    acting.answer({"id": 4711, "status": "paid", "total": 59.8})
    qtbot.waitUntil(caller.answer.tabs.buttons["difference"].isEnabled, timeout=5000)
    qtbot.mouseClick(caller.answer.tabs.buttons["difference"], LEFT)
    assert caller.answer.changes.texts() == [["≠", "status", '"new"', '"paid"'], ["+", "total", "", "59.8"]]
    assert caller.answer.difference_note.text() == "2 differences from the last answer of this action."


def test_an_error_is_told_with_code_type_data_stack_and_node(
    caller: CallerView, acting: FakeActing, qtbot: QtBot
) -> None:
    caller.request.show_request(ORDER)
    press_send(caller, qtbot)
    acting.fail(
        name="ValidationError",
        message="Parameters validation error!",
        code=422,
        type="VALIDATION_ERROR",
        nodeID="shop-2",
        data=[{"field": "id", "password": "hunter2"}],
        stack="ValidationError: no\n    at handler (/srv/orders.js:12:3)",
    )
    read(caller, qtbot, "▲ failed")
    assert caller.answer.message.text() == (
        "422 VALIDATION_ERROR · ValidationError: Parameters validation error! (raised on shop-2)"
    )
    assert caller.answer.stack.toPlainText().endswith("at handler (/srv/orders.js:12:3)")
    assert "code: 422" in caller.answer.tree.texts()
    assert "hunter2" not in caller.answer.raw.toPlainText()
    soon(qtbot, lambda: caller.past.history.texts()[:1], [["v2.orders.get", "▲ failed"]])


def test_escape_cancels_what_is_under_way(caller: CallerView, acting: FakeActing, qtbot: QtBot) -> None:
    caller.request.show_request(ORDER)
    press_send(caller, qtbot)
    qtbot.keyClick(caller.request.meta.edit, Qt.Key.Key_Escape)
    assert acting.commands[1] == Cancel(1)
    acting.report(Report("cancelled", "Cancelled: the request had been sent, it may run all the same."))
    read(caller, qtbot, "✕ cancelled")
    assert "may run all the same" in caller.answer.message.text()


def test_what_was_not_answered_is_unknown_and_not_sent_again(
    caller: CallerView, acting: FakeActing, qtbot: QtBot
) -> None:
    caller.request.show_request(ORDER)
    press_send(caller, qtbot)
    acting.report(Report("unknown", "No answer within 10 s."))
    read(caller, qtbot, "? unknown")
    assert caller.answer.message.text() == (
        "No answer within 10 s. It was sent and no answer came: it may have run. It is not sent again by itself."
    )
    assert len(acting.commands) == 1


def test_ten_megabytes_make_a_few_rows(caller: CallerView, acting: FakeActing, qtbot: QtBot) -> None:
    caller.request.show_request(ORDER)
    press_send(caller, qtbot)
    acting.answer([{"sku": f"A-{number}", "text": "x" * 80} for number in range(100_000)])
    read(caller, qtbot, "✓ ok")
    values = caller.answer.tree.values
    root = values.index(0, 0)
    assert root.data() == "[100,000]"
    assert values.rowCount(root) <= 1000
    assert len(caller.answer.raw.toPlainText()) < 500_000


def test_files_go_along_and_are_closed(caller: CallerView, acting: FakeActing, qtbot: QtBot, tmp_path: Path) -> None:
    upload = tmp_path / "up.bin"
    upload.write_bytes(b"abc")
    down = tmp_path / "down.bin"
    caller.request.show_request(ORDER)
    caller.request.files.choose(upload=upload, download=down)
    press_send(caller, qtbot)
    soon(qtbot, lambda: len(acting.commands), 1)
    assert isinstance(acting.last.command, Call)
    assert acting.last.command.uploads
    streams = acting.last.streams
    assert streams["upload"].read() == b"abc"
    assert acting.last.progress is not None
    acting.last.progress(Progress(0.5, 2, 0))
    assert "2 B sent (50%)" in caller.answer.waiting_note.text()
    down.write_bytes(b"of another day")
    streams["download"].write(b"abcdefg")
    acting.answer(None, stream_bytes=7)
    read(caller, qtbot, "✓ ok")
    assert down.read_bytes() == b"abcdefg"
    assert "stream of 7 B" in caller.answer.about.text()
    assert all(stream.closed for stream in streams.values())


def test_an_answer_that_is_no_stream_leaves_the_chosen_file_as_it_is(
    caller: CallerView, acting: FakeActing, qtbot: QtBot, tmp_path: Path
) -> None:
    down = tmp_path / "down.bin"
    down.write_bytes(b"of another day")
    caller.request.show_request(ORDER)
    caller.request.files.choose(download=down)
    press_send(caller, qtbot)
    soon(qtbot, lambda: len(acting.commands), 1)
    acting.answer({"id": 1})
    read(caller, qtbot, "✓ ok")
    assert down.read_bytes() == b"of another day"
    assert not list(tmp_path.glob("*.part"))


def test_a_file_that_is_not_there_is_told_and_nothing_is_sent(
    caller: CallerView, acting: FakeActing, qtbot: QtBot, tmp_path: Path
) -> None:
    caller.request.show_request(ORDER)
    caller.request.files.choose(upload=tmp_path / "gone.bin")
    press_send(caller, qtbot)
    read(caller, qtbot, "✕ refused")
    assert acting.commands == []
    assert "gone.bin: No such file or directory. Nothing was sent." in caller.answer.message.text()


# what keeps it from being sent


def test_what_the_service_would_refuse_is_told_before_and_sent_only_deliberately(
    caller: CallerView, acting: FakeActing, qtbot: QtBot
) -> None:
    choose(caller, qtbot, "ordget")
    write_params(caller, {"id": -1})
    assert not caller.request.send.isEnabled()
    assert caller.request.problem.text().startswith("▲ ")
    assert "id" in caller.request.problem.text()
    press_send(caller, qtbot)
    assert acting.commands == []
    qtbot.mouseClick(caller.request.anyway, LEFT)
    assert len(acting.commands) == 1


def test_meta_that_is_no_json_points_at_its_mistake(caller: CallerView, acting: FakeActing, qtbot: QtBot) -> None:
    caller.request.show_request(ORDER)
    caller.request.meta.set_text('{"a": 1,}')
    assert caller.request.meta.note.startswith("▲ not JSON at column 9")
    press_send(caller, qtbot)
    assert acting.commands == []


def test_in_a_locked_session_it_says_why_and_sends_nothing(
    caller: CallerView, acting: FakeActing, qtbot: QtBot
) -> None:
    acting.allow("see")
    caller.request.show_request(ORDER)
    assert not caller.request.send.isEnabled()
    assert not caller.request.bench.isEnabled()
    assert "may only see" in caller.request.problem.text()
    assert "may only see" in caller.request.send.toolTip()
    assert "may only see" in caller.answer.empty.text
    press_send(caller, qtbot)
    assert acting.commands == []
    acting.allow("call")
    assert caller.request.send.isEnabled()


def test_of_a_capture_all_can_be_read_and_copied_but_nothing_sent(
    caller: CallerView, acting: FakeActing, desk: Desk, qtbot: QtBot
) -> None:
    desk.judge = of_a_capture
    caller.request.show_request(ORDER)
    assert "This is a capture" in caller.request.problem.text()
    assert not caller.request.send.isEnabled()
    assert caller.request.copy.isEnabled()
    press_send(caller, qtbot)
    assert acting.commands == []


def test_a_node_that_was_lost_since_it_was_chosen_is_not_asked(
    caller: CallerView, acting: FakeActing, mesh: FakeMesh, timeline: Timeline, qtbot: QtBot
) -> None:
    caller.request.show_request(Request("call", "users.get", "prod", "users-1", params='{"id": "x"}'))
    caller.request.node.setCurrentIndex(caller.request.node.findData("users-1"))
    mesh._change("node", "users-1", mesh.node_value("users-1", "offline", "disconnected"), "info")
    timeline.take(mesh.batch(1.0))
    caller.refresh()
    qtbot.waitUntil(lambda: "users-1 is offline" in caller.request.problem.text(), timeout=5000)
    assert not caller.request.send.isEnabled()
    press_send(caller, qtbot)
    assert acting.commands == []


def test_headers_need_protocol_5_and_say_so(caller: CallerView) -> None:
    caller.request.show_request(Request("call", "users.get", "prod", headers='{"a": 1}'))
    assert not caller.request.headers.edit.isEnabled()
    assert caller.request.headers.note == "Headers need protocol 5 (MoleculerJS 0.15); who offers this speaks 4."
    assert caller.request.request().headers == ""
    caller.request.show_request(ORDER)
    assert caller.request.headers.edit.isEnabled()


def production(desk: Desk) -> None:
    def judge(command: Command, name: str) -> Verdict:
        return verdict(PROFILE, "see", "act", command, name=name)

    desk.judge = judge


def test_in_production_a_call_takes_a_second_step(
    caller: CallerView, acting: FakeActing, desk: Desk, qtbot: QtBot
) -> None:
    production(desk)
    caller.request.show_request(ORDER)
    press_send(caller, qtbot)
    assert acting.commands == []
    dialog = open_dialog(caller, ConfirmDialog)
    assert isinstance(dialog, ConfirmDialog)
    qtbot.mouseClick(dialog.act, LEFT)
    assert len(acting.commands) == 1
    assert acting.last.confirmation == Confirmation(given=True)


# variables


def test_a_variable_without_value_is_a_problem_until_it_has_one(
    caller: CallerView, acting: FakeActing, keeping: Keeping, qtbot: QtBot
) -> None:
    caller.request.show_request(Request("call", "v2.orders.get", "prod", params='{"id": {{order}}}'))
    assert "variable order has no value" in caller.request.problem.text()
    press_send(caller, qtbot)
    assert acting.commands == []
    dialog = caller.open_variables()
    qtbot.keyClicks(dialog.name, "order")
    qtbot.keyClicks(dialog.value, "4711")
    qtbot.mouseClick(dialog.add, LEFT)
    dialog.close()
    press_send(caller, qtbot)
    assert isinstance(acting.last.command, Call)
    assert json.loads(acting.last.command.params) == {"id": 4711}
    acting.answer(1)
    read(caller, qtbot, "✓ ok")
    assert "{{order}}" in keeping.history.entries()[0].request.params


def test_a_secret_comes_from_the_key_store_at_the_last_moment_and_goes_nowhere_else(
    caller: CallerView, acting: FakeActing, keeping: Keeping, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.profile = Profile("shop", "redis://10.4.0.7", secret_names=("variable token",))
    monkeypatch.setattr(secrets, "read_of", lambda _profile, what: {"variable token": "s3cr3t-value"}.get(what, ""))
    request = Request("call", "v2.orders.get", "prod", params='{"id": 1}', meta='{"token": {{secret:token}}}')
    caller.request.show_request(request)
    assert caller.request.send.isEnabled()
    press_send(caller, qtbot)
    qtbot.waitUntil(lambda: len(acting.commands) == 1, timeout=5000)
    assert isinstance(acting.last.command, Call)
    assert json.loads(acting.last.command.meta) == {"token": "s3cr3t-value"}
    assert isinstance(acting.judged[-1], Call)
    assert acting.judged[-1].meta == '{"token": {{secret:token}}}'
    assert keeping.masks.text("it is s3cr3t-value") == "it is ***"
    acting.answer({"ok": True})
    read(caller, qtbot, "✓ ok")
    folder = keeping.history.folder
    assert folder is not None
    assert all("s3cr3t" not in path.read_text("utf-8") for path in folder.iterdir())


def test_a_secret_that_the_key_store_does_not_give_stops_the_call(
    caller: CallerView, acting: FakeActing, keeping: Keeping, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.profile = Profile("shop", "redis://10.4.0.7", secret_names=("variable token",))
    monkeypatch.setattr(secrets, "read_of", lambda _profile, _what: "")
    caller.request.show_request(
        Request("call", "v2.orders.get", "prod", params='{"id": 1}', meta='{"t":"{{secret:token}}"}')
    )
    press_send(caller, qtbot)
    read(caller, qtbot, "✕ refused")
    assert acting.commands == []
    assert "{{secret:token}} has no value in the key store. Nothing was sent." in caller.answer.message.text()


def test_without_a_profile_there_are_no_secret_variables(caller: CallerView, qtbot: QtBot) -> None:
    dialog = caller.open_variables()
    assert isinstance(dialog, VariablesDialog)
    qtbot.keyClicks(dialog.name, "token")
    assert dialog.add.isEnabled()
    assert not dialog.add_secret.isEnabled()
    qtbot.keyClicks(dialog.name, " x")
    assert not dialog.add.isEnabled()
    dialog.close()


# finding again


def test_history_survives_and_is_searched_and_used_again(
    caller: CallerView, acting: FakeActing, desk: Desk, keeping: Keeping, shown: Show, qtbot: QtBot
) -> None:
    for request in (ORDER, Request("call", "users.get", "prod", params='{"id": "eve"}')):
        caller.request.show_request(request)
        qtbot.mouseClick(caller.request.anyway if caller.request.anyway.isVisible() else caller.request.send, LEFT)
        acting.answer({"ok": True})
        read(caller, qtbot, "✓ ok")
        caller.answer.shown = None
    desk.keeping = Keeping("redis://10.4.0.7", History(keeping.history.folder), keeping.collection)
    later = CallerView(desk)
    shown(later)
    soon(qtbot, lambda: [row[0] for row in later.past.history.texts()], ["users.get", "v2.orders.get"])
    qtbot.keyClicks(later.past.search, "4711")
    soon(qtbot, lambda: [row[0] for row in later.past.history.texts()], ["v2.orders.get"])
    assert later.past.history_note.text() == "1 of 2"
    later.past.history.selectRow(0)
    qtbot.keyClick(later.past.history, Qt.Key.Key_Return)
    assert later.request.action_box.text == "v2.orders.get"
    assert json.loads(later.request.request().params) == {"id": 4711}


def test_a_request_is_saved_renamed_and_deleted(caller: CallerView, keeping: Keeping, qtbot: QtBot) -> None:
    folder = keeping.collection.folder
    assert folder is not None
    caller.request.show_request(ORDER)
    qtbot.mouseClick(caller.request.save, LEFT)
    dialog = open_dialog(caller, NameDialog)
    assert isinstance(dialog, NameDialog)
    dialog.edit.selectAll()
    qtbot.keyClicks(dialog.edit, "on-call/order by id")
    qtbot.keyClick(dialog.edit, Qt.Key.Key_Return)
    soon(qtbot, caller.past.saved_texts, ["on-call", "  order by id"])
    assert (folder / "on-call" / "order by id.json").is_file()
    assert caller.past.current_name == "on-call/order by id"
    qtbot.keyClick(caller.past.saved, Qt.Key.Key_F2)
    renaming = open_dialog(caller, NameDialog)
    assert isinstance(renaming, NameDialog)
    renaming.edit.selectAll()
    qtbot.keyClicks(renaming.edit, "order")
    qtbot.keyClick(renaming.edit, Qt.Key.Key_Return)
    soon(qtbot, caller.past.saved_texts, ["order"])
    qtbot.keyClick(caller.past.saved, Qt.Key.Key_Delete)
    asking = open_dialog(caller, ConfirmDialog)
    assert isinstance(asking, ConfirmDialog)
    qtbot.mouseClick(asking.act, LEFT)
    soon(qtbot, caller.past.saved_texts, [])


def test_a_broken_file_is_shown_as_such_and_does_nothing(caller: CallerView, keeping: Keeping, qtbot: QtBot) -> None:
    assert keeping.collection.folder is not None
    keeping.collection.folder.mkdir()
    (keeping.collection.folder / "broken.json").write_text("{")
    caller.shelf.show()
    soon(qtbot, caller.past.saved_texts, ["▲ broken"])
    caller.past.select_saved("broken")
    qtbot.keyClick(caller.past.saved, Qt.Key.Key_Return)
    assert caller.request.action_box.text == ""


def test_secrets_are_not_saved_and_that_is_said(caller: CallerView, keeping: Keeping, qtbot: QtBot) -> None:
    caller.request.show_request(Request("call", "users.login", "prod", params='{"password": "hunter2"}'))
    caller.shelf.name = "login"
    caller.shelf.save()
    soon(qtbot, lambda: "Values that look secret were not saved" in caller.past.saved_note.text(), True)
    assert keeping.collection.folder is not None
    assert "hunter2" not in (keeping.collection.folder / "login.json").read_text("utf-8")


def test_it_is_copied_in_the_words_of_others(caller: CallerView, qtbot: QtBot) -> None:
    caller.request.show_request(ORDER)
    qtbot.mouseClick(caller.request.copy, LEFT)
    menu = open_dialog(caller, QMenu)
    assert isinstance(menu, QMenu)
    pick(menu, "Command line")
    menu.close()
    assert QGuiApplication.clipboard().text() == (
        "meshscope call redis://10.4.0.7 v2.orders.get '{\"id\": 4711}' --namespace prod"
    )


# templates


def test_a_captured_call_is_used_as_template(
    caller: CallerView, desk: Desk, mesh: FakeMesh, timeline: Timeline, acting: FakeActing, qtbot: QtBot
) -> None:
    del acting
    body = {"id": "1", "action": "users.resolve", "params": {"token": "***"}, "meta": {"n": 1}, "timeout": 500}
    desk.fetch_body = lambda _number, answer: answer(json.dumps(body).encode())
    batch = mesh.batch(1.0)
    batch.calls["request_frame"] = 7
    timeline.take(batch)
    block = desk.snapshot.call_blocks[-1]
    names = desk.snapshot.names
    from broker.mesh import calls

    row = block.count - 1
    action = calls.record(desk.snapshot, (block.id, row))
    assert action is not None
    assert names is not None
    from app.caller.templates import use_subject

    use_subject(desk, Subject("call", "prod", action.action, address=(block.id, row)))
    qtbot.waitUntil(lambda: caller.request.action_box.text == "users.resolve", timeout=5000)
    assert "masked in the capture" in caller.request.note.text()
    assert "token is masked here" in caller.request.problem.text()
    assert caller.request.timeout.value() == 500
    assert not caller.request.send.isEnabled()
    write_params(caller, {"token": "abc"})
    assert caller.request.send.isEnabled()


def test_the_palette_leads_to_a_call(shell: Shell, qtbot: QtBot) -> None:
    FakeActing(shell.desk)
    shell.open_palette()
    qtbot.waitUntil(lambda: any("Call v2" in one.text for one in shell.palette_box._entries), timeout=5000)
    qtbot.keyClicks(shell.palette_box.edit, "call v2.orders.get")
    assert shell.palette_box.texts()[0] == "Call v2.orders.get…"
    qtbot.keyClick(shell.palette_box.edit, Qt.Key.Key_Return)
    view = shell.area.widget("caller")
    assert isinstance(view, CallerView)
    assert shell.area.current == "caller"
    assert view.request.action_box.text == "v2.orders.get"
    assert not shell.side.isVisible()
    shell.desk.show_view("actions")
    assert shell.side.isVisible()


def test_the_side_panel_leads_to_a_call(shell: Shell, qtbot: QtBot) -> None:
    FakeActing(shell.desk)
    shell.desk.show_view("actions", Subject("action", "prod", "payments.quote"))
    qtbot.waitUntil(shell.side._call.isVisible, timeout=5000)
    qtbot.mouseClick(shell.side._call, LEFT)
    view = shell.area.widget("caller")
    assert isinstance(view, CallerView)
    assert view.request.action_box.text == "payments.quote"


# events


def test_who_will_receive_an_event_is_listed_before_it_is_sent(
    caller: CallerView, acting: FakeActing, qtbot: QtBot
) -> None:
    qtbot.mouseClick(caller.request.kind.buttons["emit"], LEFT)
    choose(caller, qtbot, "ordcre")
    assert caller.request.event_box.text == "order.created"
    qtbot.waitUntil(lambda: "mail on mail-1" in caller.request.who.text(), timeout=5000)
    assert caller.request.who.text().startswith("One node of each of 2 groups will get it.")
    caller.request.groups.setEditText("mail")
    qtbot.waitUntil(lambda: "reports" not in caller.request.who.text(), timeout=5000)
    write_params(caller, {"id": 1})
    press_send(caller, qtbot)
    (command,) = acting.commands
    assert isinstance(command, Emit)
    assert (command.event, command.namespace, command.groups, json.loads(command.data)) == (
        "order.created",
        "prod",
        ("mail",),
        {"id": 1},
    )
    acting.report(Report("done", "Sent to mail-1."))
    read(caller, qtbot, "✓ ok")
    assert caller.answer.message.text() == "Sent to mail-1."


def test_a_broadcast_always_asks_and_names_who_is_hit(
    caller: CallerView, acting: FakeActing, desk: Desk, qtbot: QtBot
) -> None:
    production(desk)
    caller.request.show_request(Request("broadcast", "order.created", "prod", params='{"id": 1}'))
    qtbot.waitUntil(lambda: "mail on mail-1" in caller.request.who.text(), timeout=5000)
    press_send(caller, qtbot)
    dialog = open_dialog(caller, ConfirmDialog)
    assert isinstance(dialog, ConfirmDialog)
    assert "2 nodes" in dialog.accessibleDescription()
    assert not dialog.act.isEnabled()
    qtbot.keyClicks(dialog.name, "order.created")
    qtbot.mouseClick(dialog.act, LEFT)
    assert isinstance(acting.last.command, Broadcast)
    assert acting.last.confirmation == Confirmation(given=True, typed="order.created")


def test_an_event_that_nobody_hears_is_said_to_be_one(caller: CallerView, qtbot: QtBot) -> None:
    caller.request.show_request(Request("emit", "no.such.event", "prod"))
    qtbot.waitUntil(lambda: "Nobody listens to it now" in caller.request.who.text(), timeout=5000)
    assert caller.request.send.isEnabled()


# what it did


def test_what_a_call_set_off_is_drawn_below_its_answer(
    caller: CallerView, acting: FakeActing, mesh: FakeMesh, timeline: Timeline, qtbot: QtBot
) -> None:
    batch = mesh.batch(1.0)
    rows = batch.calls[:3].copy()
    at_ns = mesh.through_ns - SECOND // 2
    rows["trace"] = id64(REQUEST_ID)
    rows["span"], rows["parent"] = (11, 12, 13), (0, 11, 12)
    rows["duration_s"] = (0.0124, 0.0078, 0.0049)
    rows["end_ns"] = (at_ns, at_ns - 2_000_000, at_ns - 3_000_000)
    rows["flags"][0] = int(CallFlag.OURS)
    rows["outcome"] = 0
    rows.sort(order="end_ns")
    batch.calls = rows
    timeline.take(batch)
    caller.request.show_request(ORDER)
    press_send(caller, qtbot)
    acting.answer({"id": 1})
    read(caller, qtbot, "✓ ok")
    qtbot.waitUntil(lambda: len(caller.answer.did.texts()) == 3, timeout=5000)
    depths = [len(text) - len(text.lstrip()) for text in caller.answer.did.texts()]
    assert depths == [0, 2, 4]
    assert caller.answer.did.texts()[0].endswith("12.4 ms")


# bench


def test_a_bench_is_confirmed_measures_and_is_stopped(
    caller: CallerView, acting: FakeActing, desk: Desk, qtbot: QtBot
) -> None:
    production(desk)
    caller.request.show_request(ORDER)
    qtbot.mouseClick(caller.request.bench, LEFT)
    dialog = open_dialog(caller, BenchDialog)
    assert isinstance(dialog, BenchDialog)
    dialog.calls.setValue(500)
    dialog.at_once.setValue(4)
    qtbot.mouseClick(dialog.start, LEFT)
    asking = open_dialog(dialog, ConfirmDialog)
    assert isinstance(asking, ConfirmDialog)
    assert "Up to 500 calls in 10 s, 4 at once" in asking.accessibleDescription()
    qtbot.keyClicks(asking.name, "v2.orders.get")
    qtbot.mouseClick(asking.act, LEFT)
    command = acting.last.command
    assert isinstance(command, Bench)
    assert (command.count, command.for_s, command.concurrency) == (500, 10.0, 4)
    assert json.loads(command.call.params) == {"id": 4711}
    assert acting.last.confirmation.typed == "v2.orders.get"
    buckets = tuple(100 if number == 460 else 1 if number == 700 else 0 for number in range(1152))
    assert acting.last.progress is not None
    acting.last.progress(Progress(0.2, bench=BenchResult(101, 2, 1, 1.0, buckets, 1200.0, {"X: no": 2})))
    assert dialog.chart.accessibleDescription().startswith("101 calls: p50 ")
    assert dialog.figures.cards[0].text.startswith("101/s 102 calls")
    assert dialog.errors.texts() == [["2 ×", "X: no"]]
    qtbot.mouseClick(dialog.stop, LEFT)
    assert isinstance(acting.last.command, Cancel)
    acting.report(Report("cancelled", "Stopped after 101 calls.", bench=BenchResult(101, 2, 1, 1.0, buckets, 1200.0)))
    assert dialog.verdict.text() == "✕ Stopped. Stopped after 101 calls."
    dialog.close()


# nothing there


def test_where_nothing_is_known_it_says_what_to_do(desk: Desk, shown: Show, timeline: Timeline, qtbot: QtBot) -> None:
    acting = FakeActing(desk)
    view = CallerView(desk)
    shown(view)
    qtbot.waitUntil(lambda: "Nothing heard yet" in view.answer.empty.text, timeout=5000)
    from broker.observe.journal import Batch

    timeline.take(Batch(through_ns=SECOND * 1000))
    timeline.take(Batch(through_ns=SECOND * 1010))
    view.refresh()
    qtbot.waitUntil(lambda: "No action known yet" in view.answer.empty.text, timeout=5000)
    qtbot.mouseClick(view.answer.empty._act, LEFT)
    assert acting.commands == [AskOnce()]


def test_a_template_waits_for_the_view_to_be_built(desk: Desk, shown: Show) -> None:
    desk.use_template(Template(ORDER, ("A note.",)))
    view = CallerView(desk)
    shown(view)
    assert view.request.action_box.text == "v2.orders.get"
    assert view.request.note.text() == "✋ A note."


def test_half_a_name_is_not_sent_while_the_whole_is_being_chosen(
    caller: CallerView, acting: FakeActing, qtbot: QtBot
) -> None:
    edit = caller.request.action_box.edit
    qtbot.keyClicks(edit, "ordget")
    qtbot.keyClick(edit, Qt.Key.Key_Return, CTRL)
    assert acting.commands == []
    assert caller.request.action_box.list.isVisible()
    qtbot.keyClick(edit, Qt.Key.Key_Escape)
    assert not caller.request.action_box.list.isVisible()


def test_what_another_window_saved_is_there_when_the_view_comes_back(
    caller: CallerView, keeping: Keeping, qtbot: QtBot
) -> None:
    Collection(keeping.collection.folder).save("theirs", ORDER)
    caller.hide()
    caller.show()
    soon(qtbot, caller.past.saved_texts, ["theirs"])


def test_a_row_of_actions_has_a_menu_that_leads_to_a_call(shell: Shell, qtbot: QtBot) -> None:
    FakeActing(shell.desk)
    menu = subject_menu(shell, shell.desk, Subject("endpoint", "prod", "users.get", "users-2"))
    pick(menu, "Call…")
    view = shell.area.widget("caller")
    assert isinstance(view, CallerView)
    qtbot.waitUntil(lambda: view.request.node.currentText().startswith("users-2"), timeout=5000)
    menu.close()
    other = subject_menu(shell, shell.desk, Subject("event", "prod", "order.created"))
    pick(other, "Emit…")
    assert view.request.event_box.text == "order.created"
    other.close()
