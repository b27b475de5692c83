"""The dialog that asks before it acts, as a user meets it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.widgets.confirm import ConfirmDialog
from app.widgets.controls import label

Ask = Callable[..., ConfirmDialog]


@pytest.fixture
def ask(shown: Callable[[QWidget], QWidget], qtbot: QtBot) -> Ask:
    """Opens a dialog over a window; what it confirms is in `took`."""
    over = shown(QWidget())

    def open_it(form: QWidget | None = None, **said: str) -> ConfirmDialog:
        words: dict[str, str] = {"title": "Hold open: bank-1 : bank.transfer", "act": "Hold open", "tone": "held"}
        dialog = ConfirmDialog(over, **(words | said))  # type: ignore[arg-type]
        if form is not None:
            dialog.set_form(form)
        took: list[str] = []
        dialog.took = took  # type: ignore[attr-defined]
        dialog.confirmed.connect(took.append)
        dialog.open()
        qtbot.waitExposed(dialog)
        dialog.activateWindow()
        qtbot.waitUntil(dialog.isActiveWindow)
        return dialog

    return open_it


def press(qtbot: QtBot, key: Qt.Key) -> None:
    qtbot.keyClick(QApplication.focusWidget(), key)


def test_enter_right_after_it_opened_cancels(ask: Ask, qtbot: QtBot) -> None:
    dialog = ask()
    assert dialog.cancel.hasFocus()
    press(qtbot, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not isValid(dialog))


def test_escape_cancels_and_nothing_is_confirmed(ask: Ask, qtbot: QtBot) -> None:
    dialog = ask(type_name="bank.transfer")
    took = dialog.took  # type: ignore[attr-defined]
    qtbot.keyClicks(dialog.name, "bank.transfer")
    press(qtbot, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not isValid(dialog))
    assert took == []


def test_tab_and_enter_on_its_button_act(ask: Ask, qtbot: QtBot) -> None:
    dialog = ask()
    took = dialog.took  # type: ignore[attr-defined]
    press(qtbot, Qt.Key.Key_Tab)
    assert dialog.act.hasFocus()
    press(qtbot, Qt.Key.Key_Return)
    assert took == [""]


def test_in_production_the_whole_name_is_typed_before_the_button_acts(ask: Ask, qtbot: QtBot) -> None:
    dialog = ask(type_name="bank.transfer")
    took = dialog.took  # type: ignore[attr-defined]
    assert dialog.name.hasFocus()
    qtbot.keyClicks(dialog.name, "bank.transfe")
    assert not dialog.act.isEnabled()
    assert dialog.act.toolTip() == "Type bank.transfer first."
    press(qtbot, Qt.Key.Key_Return)
    assert took == []
    qtbot.keyClicks(dialog.name, "r")
    assert dialog.act.isEnabled()
    press(qtbot, Qt.Key.Key_Return)  # leads on, does not act
    assert took == []
    assert dialog.act.hasFocus()
    held = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", True)
    QApplication.sendEvent(dialog.act, held)
    assert took == []
    press(qtbot, Qt.Key.Key_Return)
    assert took == ["bank.transfer"]


def test_a_wrong_letter_is_shown_at_once(ask: Ask, qtbot: QtBot) -> None:
    dialog = ask(type_name="bank.transfer")
    qtbot.keyClicks(dialog.name, "bamk")
    assert dialog.name.property("state") == "wrong"


def test_enter_in_a_form_leads_on_and_what_is_missing_is_said(ask: Ask, qtbot: QtBot) -> None:
    form = QWidget()
    inside = QVBoxLayout(form)
    reason, other = QLineEdit(), QLineEdit()
    for part in (label("Reason", "dim"), reason, other):
        inside.addWidget(part)
    dialog = ask(form, type_name="bank.transfer")
    took = dialog.took  # type: ignore[attr-defined]
    dialog.refuse("Give a reason.")
    assert reason.hasFocus()
    assert not dialog.act.isEnabled()
    assert "Give a reason." in dialog._note.text()
    reason.setText("bank maintenance")
    dialog.refuse("")
    press(qtbot, Qt.Key.Key_Return)
    assert other.hasFocus()
    press(qtbot, Qt.Key.Key_Return)
    assert dialog.name.hasFocus()
    qtbot.keyClicks(dialog.name, "bank.transfer")
    assert took == []
    dialog.act.click()
    assert took == ["bank.transfer"]


def test_another_target_asks_for_its_own_name(ask: Ask, qtbot: QtBot) -> None:
    dialog = ask(type_name="bank-1")
    qtbot.keyClicks(dialog.name, "bank-1")
    dialog.set_title("Hold open: bank-2", "on 2 callers")
    dialog.require_name("bank-2")
    assert dialog.name.text() == ""
    assert not dialog.act.isEnabled()


def test_what_it_will_hit_has_room_however_long_it_is(ask: Ask, qtbot: QtBot) -> None:
    dialog = ask()
    before = dialog.height()
    dialog.say_hits("1,860 calls/min from payments.charge will fail at once with 404 (retryable). " * 4)
    qtbot.waitUntil(lambda: dialog.height() > before + 60)
    assert dialog._hits_text.height() >= dialog._hits_text.heightForWidth(dialog._hits_text.width())
