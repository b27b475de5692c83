"""The views at the left, one of them shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QPushButton, QVBoxLayout, QWidget

from app.widgets.controls import button, retint, set_icon

WIDTH_PX = 128


class Rail(QFrame):
    """A button a view; the right mouse button asks for its menu."""

    chosen = Signal(str)
    menu_wanted = Signal(str, QPoint)
    """A view id, and where on the screen the menu shall open."""

    def __init__(self, views: Sequence[tuple[str, str, str]], parent: QWidget | None = None) -> None:
        """Make the buttons.

        Args:
            views: Id, title and icon of each, from above.
            parent: What it belongs to.
        """
        super().__init__(parent)
        self.setObjectName("rail")
        self.setAccessibleName("Views")
        self.setFixedWidth(WIDTH_PX)
        self.buttons: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 10, 8, 10)
        layout.setSpacing(2)
        for number, (view_id, title, icon) in enumerate(views, 1):
            made = self._button(view_id, title, icon, number)
            group.addButton(made)
            layout.addWidget(made)
            self.buttons[view_id] = made
        layout.addStretch(1)

    def _button(self, view_id: str, title: str, icon: str, number: int) -> QPushButton:
        made = button(title, partial(self.chosen.emit, view_id), role="rail")
        made.setCheckable(True)
        set_icon(made, icon)
        made.setToolTip(f"{title}  Ctrl+{number}" if number <= 9 else title)
        made.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        made.customContextMenuRequested.connect(lambda at: self.menu_wanted.emit(view_id, made.mapToGlobal(at)))
        return made

    def show_current(self, view_id: str) -> None:
        """Mark the view that is shown."""
        if view_id in self.buttons:
            self.buttons[view_id].setChecked(True)
        retint(self)
