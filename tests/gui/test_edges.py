"""Where no window manager draws a frame, as on the pictures, a dialog is told from what lies under it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from app import theme
from app.caller.bench_dialog import BenchDialog
from app.caller.name_dialog import NameDialog
from app.caller.variables_dialog import VariablesDialog
from app.desk import Desk
from app.profile_keeper import ProfileKeeper
from app.settings import Settings
from app.settings_page import SettingsPage, Uses
from app.widgets.key_sheet import KeySheet
from broker.operate.calling.request import Request

USES = Uses(lambda _theme: None, lambda _utc: None, lambda _calm: None)
DIALOGS: dict[str, Callable[[QWidget, Desk], QDialog]] = {
    "bench": lambda over, desk: BenchDialog(over, desk, Request("call", "users.get", "prod"), desk.keeping),
    "variables": VariablesDialog,
    "name": lambda over, _desk: NameDialog(over, "Save request", "users.get"),
    "settings": lambda over, _desk: SettingsPage(Settings(), ProfileKeeper(None, parent=over), USES, over),
    "keys": lambda over, _desk: KeySheet((("Everywhere", (("Esc", "step back"),)),), over),
}


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("kind", DIALOGS)
def test_a_dialog_has_an_edge_on_all_sides(kind: str, name: theme.Choice, desk: Desk, qtbot: QtBot) -> None:
    theme.use(name)
    over = QWidget()
    qtbot.addWidget(over)
    over.resize(900, 700)
    over.show()
    dialog = DIALOGS[kind](over, desk)
    dialog.show()
    qtbot.waitExposed(dialog)
    picture = dialog.grab().toImage()
    right, bottom = picture.width() - 1, picture.height() - 1
    middle_x, middle_y = right // 2, bottom // 2
    edge = {
        picture.pixelColor(*at).name() for at in ((0, middle_y), (right, middle_y), (middle_x, 0), (middle_x, bottom))
    }
    assert edge == {QColor(theme.current().accent).name()}
    assert picture.pixelColor(4, 4).name() == QColor(theme.current().surface0).name()
    dialog.close()
    assert desk.disk.finish()
