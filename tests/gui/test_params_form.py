"""Parameters are filled in with the keyboard and the mouse; form and JSON follow each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QMenu, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.form import ParamsForm
from broker.operate.forms import write_json

Of = TypeVar("Of", bound=QWidget)
Make = Callable[..., ParamsForm]
INFO: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "forms" / "info.json").read_text())
PATIENCE_MS = 60_000
ORDERS = {
    "id": "number|integer|positive",
    "fields": {"type": "array", "items": {"type": "enum", "values": ["status", "lines", "user"]}, "optional": True},
    "since": "date|optional|convert",
    "options": {"$$type": "object|optional", "expand": "boolean|default:false", "note": "string|optional|nullable"},
    "tags": {"type": "array", "items": "string", "optional": True},
    "pay": {
        "type": "multi",
        "optional": True,
        "rules": [
            {"type": "object", "props": {"kind": {"type": "equal", "value": "card"}, "number": "luhn"}},
            {"type": "object", "props": {"kind": {"type": "equal", "value": "iban"}, "iban": "string|min:15"}},
            "number",
        ],
    },
    "labels": {"type": "record", "key": "string", "value": "number", "optional": True},
}


@pytest.fixture
def made(shown: Callable[[QWidget], QWidget]) -> Make:
    def make(schema: object = ORDERS, value: object = None) -> ParamsForm:
        form = ParamsForm(schema, value)
        shown(form)
        form.activateWindow()
        QApplication.processEvents()
        return form

    return make


def part(form: ParamsForm, sort: type[Of], name: str) -> Of:
    """What can be seen of a sort under an accessible name."""
    QApplication.processEvents()
    (found,) = [each for each in form.findChildren(sort) if each.accessibleName() == name and each.isVisible()]
    return found


def texts(form: QWidget) -> list[str]:
    return [each.text() for each in form.findChildren(QLabel) if each.isVisible() and each.text()]


def wrong(form: ParamsForm) -> list[str]:
    return [each for each in texts(form) if each.startswith("▲")]


def write(qtbot: QtBot, where: QWidget, text: str) -> None:
    """Type over what stands in a line."""
    where.setFocus()
    qtbot.keyClick(where, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    if text:
        qtbot.keyClicks(where, text)
    else:
        qtbot.keyClick(where, Qt.Key.Key_Backspace)


def press(qtbot: QtBot, form: ParamsForm, name: str) -> None:
    qtbot.mouseClick(part(form, QPushButton, name), Qt.MouseButton.LeftButton)


def choose(form: ParamsForm, name: str, text: str) -> None:
    """Choose in a list as the keyboard does."""
    box = part(form, QComboBox, name)
    index = box.findText(text)
    assert index >= 0, [box.itemText(n) for n in range(box.count())]
    box.setCurrentIndex(index)
    box.activated.emit(index)


def from_menu(qtbot: QtBot, form: ParamsForm, where: QWidget, text: str) -> None:
    """Alt+Down in a field, then a line of its menu."""
    where.setFocus()
    qtbot.keyClick(where, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    menus = [each for each in form.findChildren(QMenu) if each.isVisible()]
    (act,) = [each for each in menus[-1].actions() if each.text() == text]
    act.trigger()
    menus[-1].close()


def test_what_is_typed_is_json_and_what_is_not_typed_is_not_sent(made: Make, qtbot: QtBot) -> None:
    form = made()
    assert form.value() == {}
    with qtbot.waitSignal(form.changed):
        write(qtbot, part(form, QLineEdit, "id"), "4711")
    write(qtbot, part(form, QLineEdit, "since"), "2026-03-01")
    assert form.value() == {"id": 4711, "since": "2026-03-01"}
    assert form.problems() == []
    qtbot.waitUntil(lambda: "= 2026-03-01 00:00:00 UTC" in texts(form))
    write(qtbot, part(form, QLineEdit, "since"), "")
    assert form.value() == {"id": 4711}


def test_problems_stand_under_their_field_with_a_sign(made: Make, qtbot: QtBot) -> None:
    form = made()
    assert wrong(form) == []  # nobody was there yet
    write(qtbot, part(form, QLineEdit, "id"), "-1")
    write(qtbot, part(form, QLineEdit, "since"), "2026-13-01")
    qtbot.waitUntil(lambda: wrong(form) == ["▲ must be a positive number", "▲ not a date: month is 13"])
    write(qtbot, part(form, QLineEdit, "id"), "x")
    qtbot.waitUntil(lambda: wrong(form)[:1] == ["▲ must be a number"])
    assert form.value()["id"] == "x"


def test_what_is_missing_is_told_when_somebody_was_there_or_wants_to_send(made: Make, qtbot: QtBot) -> None:
    form = made({"id": "number", "name": "string"})
    part(form, QLineEdit, "id").setFocus()
    part(form, QLineEdit, "name").setFocus()
    qtbot.waitUntil(lambda: wrong(form) == ["▲ is required"])
    form.show_all_problems()
    assert wrong(form) == ["▲ is required", "▲ is required"]
    assert part(form, QPushButton, "Go to the first problem").text() == "▲ 2 problems"
    press(qtbot, form, "Go to the first problem")
    assert part(form, QLineEdit, "id").hasFocus()


def test_a_variable_is_no_problem_until_it_is_filled_in_and_has_a_colour(made: Make, qtbot: QtBot) -> None:
    form = made()
    line = part(form, QLineEdit, "id")
    write(qtbot, line, "{{order}}")
    assert form.value() == {"id": "{{order}}"}
    form.show_all_problems()
    assert form.problems() == []
    assert line.property("state") == "variable"


def test_tab_goes_through_all_fields_in_order(made: Make, qtbot: QtBot) -> None:
    form = made({"a": "string", "b": "number", "c": "boolean", "d": {"$$type": "object", "e": "string"}, "f": "any"})
    qtbot.wait(20)
    part(form, QLineEdit, "a").setFocus()
    seen = []
    for _ in range(7):
        focused = QApplication.focusWidget()
        assert focused is not None
        seen.append(focused.accessibleName())
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert [each for each in seen if len(each) == 1] == ["a", "b", "c", "e", "f"]


def test_chips_of_a_list_of_choices_are_taken_in_and_out(made: Make, qtbot: QtBot) -> None:
    form = made()
    for name in ("user", "status", "user"):
        chip = next(each for each in form.findChildren(QPushButton) if each.text().removeprefix("✓ ") == name)
        chip.setFocus()
        qtbot.keyClick(chip, Qt.Key.Key_Space)
    assert form.value() == {"fields": ["status"]}
    press(qtbot, form, "Leave fields out")
    assert form.value() == {}
    form.set_value({"fields": ["lines", "nonsense"]})
    press(qtbot, form, "Take nonsense away")
    assert form.value() == {"fields": ["lines"]}


def test_an_optional_object_is_added_filled_in_and_left_out(made: Make, qtbot: QtBot) -> None:
    form = made()
    press(qtbot, form, "Add options")
    assert form.value() == {"options": {}}
    choose(form, "expand", "true")
    write(qtbot, part(form, QLineEdit, "note"), "x")
    assert form.value() == {"options": {"expand": True, "note": "x"}}
    from_menu(qtbot, form, part(form, QLineEdit, "note"), "Send null")
    assert form.value() == {"options": {"expand": True, "note": None}}
    from_menu(qtbot, form, part(form, QLineEdit, "note"), "Send an empty text")
    assert form.value() == {"options": {"expand": True, "note": ""}}
    from_menu(qtbot, form, part(form, QLineEdit, "note"), "Leave it out")
    choose(form, "expand", "default false")
    assert form.value() == {"options": {}}
    press(qtbot, form, "Leave options out")
    assert form.value() == {}


def test_items_come_move_and_go(made: Make, qtbot: QtBot) -> None:
    form = made()
    press(qtbot, form, "Add tags")
    for place, text in enumerate(("a", "b", "c"), 1):
        press(qtbot, form, "Add an item to tags")
        assert part(form, QLineEdit, str(place)).hasFocus()
        qtbot.keyClicks(part(form, QLineEdit, str(place)), text)
    assert form.value() == {"tags": ["a", "b", "c"]}
    press(qtbot, form, "Move item 3 of tags up")
    press(qtbot, form, "Remove item 1 of tags")
    assert form.value() == {"tags": ["c", "b"]}
    assert part(form, QLineEdit, "1").text() == "c"


def test_a_union_shows_the_alternative_that_the_value_is_and_lets_choose_another(made: Make, qtbot: QtBot) -> None:
    form = made(value={"id": 1, "pay": {"kind": "iban", "iban": "DE12"}})
    assert part(form, QComboBox, "Kind of pay").currentText() == 'kind "iban"'
    assert wrong(form) == ["▲ length must be greater than or equal to 15 characters long"]
    choose(form, "Kind of pay", 'kind "card"')
    assert form.value() == {"id": 1, "pay": {"kind": "card"}}
    write(qtbot, part(form, QLineEdit, "number"), "4242 4242 4242 4242")
    assert form.problems() == []
    choose(form, "Kind of pay", "number")
    write(qtbot, part(form, QLineEdit, "pay"), "5")
    assert form.value() == {"id": 1, "pay": 5}
    choose(form, "Kind of pay", "not sent")
    assert form.value() == {"id": 1}


def test_keys_of_a_record_are_written_renamed_and_removed(made: Make, qtbot: QtBot) -> None:
    form = made()
    press(qtbot, form, "Add labels")
    press(qtbot, form, "Add a key to labels")
    line = part(form, QLineEdit, "Key of labels")
    write(qtbot, line, "rack")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    write(qtbot, part(form, QLineEdit, "rack"), "7")
    assert form.value() == {"labels": {"rack": 7}}
    press(qtbot, form, "Remove rack of labels")
    assert form.value() == {"labels": {}}


def json_edit(form: ParamsForm) -> QPlainTextEdit:
    return part(form, QPlainTextEdit, "Parameters as JSON")


def test_json_follows_the_form_with_the_cursor_kept_and_the_form_follows_json(made: Make, qtbot: QtBot) -> None:
    form = made(value={"id": 1, "unknown": [1, {"kept": 1.5}]})
    form.show_side("both")
    edit = json_edit(form)
    cursor = edit.textCursor()
    cursor.setPosition(len(edit.toPlainText()) - 3)
    edit.setTextCursor(cursor)
    behind = edit.toPlainText()[cursor.position() :]
    write(qtbot, part(form, QLineEdit, "id"), "12345")
    assert json.loads(edit.toPlainText()) == {"id": 12345, "unknown": [1, {"kept": 1.5}]}
    assert edit.toPlainText()[edit.textCursor().position() :] == behind
    assert "Also sent, not in the schema: unknown" in texts(form)
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, '{"id": 7, "since": "2026-01-01"}')
    assert part(form, QLineEdit, "id").text() == "7"
    assert part(form, QLineEdit, "since").text() == "2026-01-01"
    assert form.value() == {"id": 7, "since": "2026-01-01"}


def test_json_with_a_mistake_is_pointed_at_and_the_form_waits(made: Make, qtbot: QtBot) -> None:
    form = made(value={"id": 1})
    form.show_side("both")
    edit = json_edit(form)
    edit.selectAll()
    qtbot.keyClicks(edit, '{"id": 5,, }')
    assert form.mistake() is not None
    assert not part(form, QLineEdit, "id").isEnabled()
    assert any("line 1, column 10: expected a key in double quotes" in each for each in texts(form))
    assert form.text() == '{"id": 5,, }'
    press(qtbot, form, "Go to the mistake")
    assert edit.textCursor().position() == 9
    qtbot.keyClick(edit, Qt.Key.Key_Delete)
    assert form.mistake() is not None
    qtbot.keyClicks(edit, ' "b": 2')
    assert form.mistake() is None
    assert form.value() == {"id": 5, "b": 2}
    assert part(form, QLineEdit, "id").isEnabled()


def test_json_in_a_field_is_taken_when_it_is_json(made: Make, qtbot: QtBot) -> None:
    form = made({"data": "any"})
    edit = part(form, QPlainTextEdit, "data")
    edit.setFocus()
    qtbot.keyClicks(edit, "[1, ")
    assert form.value() == {}
    assert str(form.mistake()).endswith("in 'data': expected a value; a text needs quotes")
    qtbot.keyClicks(edit, "2]")
    assert form.value() == {"data": [1, 2]}
    assert form.mistake() is None


def test_a_value_that_a_field_cannot_show_as_text_stands_there_as_json(made: Make, qtbot: QtBot) -> None:
    form = made(value={"id": {"$gt": 1}, "tags": "{{tags}}", "options": 5})
    assert part(form, QPlainTextEdit, "id").toPlainText() == '{\n  "$gt": 1\n}'
    assert form.value() == {"id": {"$gt": 1}, "tags": "{{tags}}", "options": 5}
    write(qtbot, part(form, QLineEdit, "tags"), "{{others}}")
    assert form.value()["tags"] == "{{others}}"


def test_big_integers_and_halves_of_characters_stay_what_they_are(made: Make) -> None:
    form = made({"n": "number", "s": "string"}, {"n": 9007199254740993, "s": "\ud83d"})
    assert json.loads(form.text()) == {"n": 9007199254740993, "s": "\ud83d"}
    assert part(form, QLineEdit, "n").text() == "9007199254740993"


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (None, "This action does not say what parameters it takes."),
        ({}, "This action checks no parameters"),
        ({"a": {"joi": True}}, "Its schema cannot be read as one of fastest-validator's at 'a'"),
    ],
)
def test_without_a_schema_that_can_be_read_there_is_json_and_a_sentence_why(
    made: Make, qtbot: QtBot, schema: object, why: str
) -> None:
    form = made(schema)
    assert any(each.startswith(why) for each in texts(form))
    edit = json_edit(form)
    edit.selectAll()
    qtbot.keyClicks(edit, '{"x": 1}')
    assert form.value() == {"x": 1}
    assert not part(form, QPushButton, "Form").isEnabled()


def test_three_hundred_fields_are_all_there_and_can_be_found(made: Make, qtbot: QtBot) -> None:
    form = made({f"field{n}": "number|optional" for n in range(300)})
    qtbot.waitUntil(
        lambda: len([e for e in form.findChildren(QLineEdit) if e.accessibleName()[:5] == "field"]) == 300,
        timeout=PATIENCE_MS,
    )
    qtbot.keyClicks(part(form, QLineEdit, "Find a field"), "field299")
    assert [each.accessibleName() for each in form.findChildren(QLineEdit) if each.isVisible()] == [
        "Find a field",
        "field299",
    ]
    write(qtbot, part(form, QLineEdit, "field299"), "5")
    assert form.value() == {"field299": 5}


@pytest.mark.parametrize("name", INFO)
def test_every_real_form_opens_shows_its_problems_and_changes_nothing_by_itself(made: Make, name: str) -> None:
    form = made(INFO[name])
    before = write_json(form.value())
    form.show_all_problems()
    form.show_side("both")
    form.grab()
    assert write_json(form.value()) == before
    assert not any(each.isWindow() and each.isVisible() for each in form.findChildren(QWidget))


def test_keys_texts_numbers_and_variables_in_json_have_colours_of_their_own(made: Make) -> None:
    form = made(value={"id": 5, "a b": "2026-01-01 {{day}}", "c": None})
    form.show_side("json")
    colours: dict[str, str] = {}
    block = json_edit(form).document().begin()
    while block.isValid():
        for each in block.layout().formats():
            colours[block.text()[each.start : each.start + each.length]] = each.format.foreground().color().name()
        block = block.next()
    assert set(colours) == {'"id"', "5", '"a b"', '"2026-01-01 ', "{{day}}", '"', '"c"', "null"}
    assert colours['"id"'] == colours['"a b"']
    assert len({colours[part] for part in ('"id"', "5", '"2026-01-01 ', "{{day}}")}) == 4


def test_control_enter_in_a_field_reaches_who_sends(made: Make, qtbot: QtBot) -> None:
    form = made({"name": "string", "data": "any"})
    form.show_side("both")
    sent: list[object] = []
    send = QShortcut(QKeySequence("Ctrl+Return"), form)
    send.activated.connect(lambda: sent.append(form.value()))
    for where in (part(form, QLineEdit, "name"), part(form, QPlainTextEdit, "data"), json_edit(form)):
        where.setFocus()
        qtbot.keyClick(where, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert sent == [{}, {}, {}]
