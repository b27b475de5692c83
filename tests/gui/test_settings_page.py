"""Settings, as a user changes them: in use at once, there next time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app import settings, theme
from app.desk import Desk
from app.place import Place
from app.profile_keeper import ProfileKeeper
from app.settings_page import SettingsPage
from app.shell import Shell
from app.side import body_text
from app.views.registry import load_views
from app.window import Opener, Window
from broker.mesh.timeline import Timeline
from broker.operate.masks import MASKED
from broker.operate.profiles import ProfileStore
from tests.gui.conftest import no_check

BODY = b'{"params":{"iban":"DE02 1203 0000","amount":12,"password":"hunter22"}}'


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    return ProfileStore(tmp_path / "profiles.json")


@pytest.fixture
def window(store: ProfileStore, tmp_path: Path, qtbot: QtBot) -> Iterator[Window]:
    made = Window(settings.load(tmp_path / "window.json"), load_views(), no_check, Opener(), ProfileKeeper(store))
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()
    qtbot.waitUntil(lambda: not isValid(made), timeout=3000)


@pytest.fixture
def shell(window: Window) -> Shell:
    desk = Desk(Timeline())
    desk.mask_names = ("tax number",)
    return window.show_session(desk, Place("shop", "", "ghost", "redis://h"), desk.close)


def page(window: Window, qtbot: QtBot) -> SettingsPage:
    """Opened with its key."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    found = window.findChild(SettingsPage)
    assert found is not None
    return found


def test_look_and_times_are_others_at_once_and_next_time(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    shown = page(window, qtbot)
    shown.theme.setCurrentIndex(shown.theme.findData("light"))
    shown.utc.click()
    shown.calm.click()
    assert theme.current().name == "light"
    assert window.settings.disk.finish()
    kept = settings.load(tmp_path / "window.json")
    assert (kept.theme, kept.utc, kept.reduce_motion) == ("light", True, True)
    shown.utc.click()
    qtbot.keyClick(shown, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not isValid(shown))


def test_names_that_are_always_masked_are_shown(window: Window, qtbot: QtBot) -> None:
    shown = page(window, qtbot)
    always = next(
        part for part in shown.findChildren(QLabel) if part.accessibleName() == "Names that are always masked"
    )
    assert {"password", "token", "authorization"} <= set(always.text().split(", "))


def test_a_name_that_is_added_is_masked_at_once_in_what_is_shown_and_written_down(
    window: Window, shell: Shell, store: ProfileStore, qtbot: QtBot
) -> None:
    desk = shell.desk
    assert "DE02" in body_text(BODY, desk.masks)
    assert "hunter22" not in body_text(BODY, desk.masks)
    shown = page(window, qtbot)
    with qtbot.waitSignal(desk.masks_changed, timeout=3000):
        qtbot.keyClicks(shown.masks.own, "iban")
    assert f'"iban": "{MASKED}"' in body_text(BODY, desk.masks)
    assert {"iban", "tax number"} <= set(desk.keeping.masks.names)
    assert "iban" in desk.keeping.history.masks.names
    assert store.load().mask_names == ("iban",)
    with qtbot.waitSignal(desk.masks_changed, timeout=3000):
        shown.masks.own.clear()
    assert "DE02" in body_text(BODY, desk.masks)
    assert store.load().mask_names == ()


def test_a_name_that_would_break_packets_is_refused_with_the_reason(
    window: Window, shell: Shell, store: ProfileStore, qtbot: QtBot
) -> None:
    shown = page(window, qtbot)
    qtbot.keyClicks(shown.masks.own, "sender")
    qtbot.waitUntil(lambda: shown.masks._told.text().startswith("▲"), timeout=3000)
    assert "sender" in shown.masks._told.text()
    assert "sender" not in shell.desk.masks.names
    assert store.load().mask_names == ()


def test_a_name_just_written_is_kept_by_closing(window: Window, store: ProfileStore, qtbot: QtBot) -> None:
    shown = page(window, qtbot)
    qtbot.keyClicks(shown.masks.own, "iban")
    qtbot.keyClick(shown, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: store.load().mask_names == ("iban",), timeout=3000)
