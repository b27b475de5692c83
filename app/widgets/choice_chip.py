"""Small buttons in bars: one that is on or off, one that says what is chosen and offers the rest."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from app import theme
from app.widgets.controls import set_icon

HEIGHT = 28


class SwitchChip(QPushButton):
    """An icon that is on or off."""

    picked = Signal(str)
    """ "on" or "off"."""

    def __init__(self, name: str, icon: str, tip: str, *, is_on: bool) -> None:
        super().__init__()
        self._name = name
        self.setCheckable(True)
        self.setChecked(is_on)
        self.setToolTip(tip)
        self.setFixedSize(HEIGHT, HEIGHT)
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        # the style's padding leaves no room for an icon
        self.setStyleSheet("padding: 0")
        set_icon(self, icon)
        self._say()
        self.toggled.connect(self._on_toggled)

    @property
    def chosen(self) -> str:
        """ "on" or "off"."""
        return "on" if self.isChecked() else "off"

    def _say(self) -> None:
        self.setAccessibleName(f"{self._name}: {self.chosen}")

    def _on_toggled(self) -> None:
        self._say()
        self.picked.emit(self.chosen)


class ChoiceChip(QPushButton):
    """A button that says what is chosen ("Group **node** ▾") and offers the rest as a menu."""

    picked = Signal(str)

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = QLabel(name)
        self._name.setProperty("role", "dim")
        self._value = QLabel()
        self._value.setFont(theme.font(bold=True))
        self._arrow = QLabel("▾")
        self._arrow.setProperty("role", "dim")
        self._line = layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 7, 0)
        layout.setSpacing(4)
        for part in (self._name, self._value, self._arrow):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            part.setTextFormat(Qt.TextFormat.PlainText)
            layout.addWidget(part)
        self._choices: dict[str, str] = {}
        self._chosen = ""
        self.setToolTip(tip)
        self.setFixedHeight(HEIGHT)
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._say("")
        self.clicked.connect(self.open_menu)

    def sizeHint(self) -> QSize:
        """As wide as what it says."""
        return QSize(self._line.sizeHint().width(), HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """It is not cut."""
        return self.sizeHint()

    def offer(self, choices: dict[str, str], chosen: str) -> None:
        """What can be chosen: texts by value; an empty text is a line between."""
        self._choices = choices
        self.choose(chosen)

    def choose(self, value: str) -> None:
        """Say that this is chosen; nothing is emitted."""
        self._chosen = value
        self._say(self._choices.get(value, value))

    def say(self, text: str) -> None:
        """Say something instead of the text of what is chosen."""
        self._say(text)

    @property
    def chosen(self) -> str:
        """The value that is chosen."""
        return self._chosen

    @property
    def text_shown(self) -> str:
        """What it says beside its name."""
        return self._value.text()

    def _say(self, text: str) -> None:
        if text != self._value.text() or not self.accessibleName():
            self._value.setText(text)
            self.setAccessibleName(f"{self._name.text()}: {text}")
            self.updateGeometry()

    def open_menu(self) -> None:
        """Show what can be chosen."""
        menu = self.menu_of_choices()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def menu_of_choices(self) -> QMenu:
        """The menu it shows."""
        menu = QMenu(self)
        group = QActionGroup(menu)
        for value, text in self._choices.items():
            if not text:
                menu.addSeparator()
                continue
            action = group.addAction(menu.addAction(text))
            action.setCheckable(True)
            action.setChecked(value == self._chosen)
            action.triggered.connect(lambda _=False, value=value: self._pick(value))
        return menu

    def _pick(self, value: str) -> None:
        self.choose(value)
        self.picked.emit(value)
