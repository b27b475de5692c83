"""Settings of the window: its look, how moments are written, what moves, and whose values are masked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtWidgets import QCheckBox, QComboBox, QWidget

from app.mask_list import MaskList
from app.profile_keeper import ProfileKeeper
from app.settings import Settings
from app.widgets.controls import button, column, label, row, section
from app.widgets.edged import EdgedDialog

THEMES: Final = (("dark", "Dark"), ("light", "Light"), ("system", "As the system"))
WIDTH_PX: Final = 560


@dataclass(frozen=True, slots=True)
class Uses:
    """What takes a setting into use, at once and for the next time."""

    theme: Callable[[str], None]
    utc: Callable[[bool], None]
    reduce_motion: Callable[[bool], None]


class SettingsPage(EdgedDialog):
    """Everything takes effect as it is changed; there is nothing to be saved or given up."""

    def __init__(self, settings: Settings, keeper: ProfileKeeper, uses: Uses, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.setAccessibleName("Settings")
        self.setMinimumWidth(WIDTH_PX)
        self.theme = QComboBox()
        self.theme.setAccessibleName("Theme")
        for value, text in THEMES:
            self.theme.addItem(text, value)
        self.theme.setCurrentIndex(max(0, self.theme.findData(settings.theme)))
        self.theme.currentIndexChanged.connect(lambda _at: uses.theme(str(self.theme.currentData())))
        self.utc = QCheckBox("Times in UTC instead of local time")
        self.utc.setChecked(settings.utc)
        self.utc.toggled.connect(uses.utc)
        self.calm = QCheckBox("Reduce motion: nothing moves by itself")
        self.calm.setChecked(settings.reduce_motion)
        self.calm.toggled.connect(uses.reduce_motion)
        self.masks = MaskList(keeper.profiles.mask_names, keeper.can_keep)
        self.masks.changed.connect(keeper.set_mask_names)
        keeper.failed.connect(self.masks.say)
        themes = row(label("Theme", "dim"), self.theme, None, spacing=12)
        close = button("Close", self.accept)
        self.setLayout(
            column(
                label("Settings", "title"),
                section("Look"),
                themes,
                self.utc,
                self.calm,
                8,
                self.masks,
                row(None, close),
                spacing=10,
                margin=24,
            )
        )

    def done(self, result: int) -> None:
        """A name that was just written is kept too, however it is closed."""
        self.masks.keep()
        super().done(result)
