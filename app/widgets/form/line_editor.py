"""Texts, numbers and dates on one line or several."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from app.widgets.controls import set_property
from app.widgets.form.json_highlighter import JsonHighlighter

_MOST_LINES = 10
_PADDING_PX = 14


class LineEditor(QLineEdit):
    """One line."""

    edited = Signal(str)
    left = Signal()
    wants_menu = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.textEdited.connect(self.edited)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(lambda _at: self.wants_menu.emit())

    def say(self, text: str, placeholder: str, state: str) -> None:
        """Show a text; what stands instead of none; and "wrong", "variable" or ""."""
        if self.text() != text:
            self.setText(text)
            self.setCursorPosition(0)
        self.setPlaceholderText(placeholder)
        set_property(self, "state", state)

    def written(self) -> str:
        """What stands in it."""
        return self.text()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Somebody was here."""
        super().focusOutEvent(event)
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Alt+Down opens the menu."""
        if _opens_menu(event):
            self.wants_menu.emit()
            return
        super().keyPressEvent(event)


class TextEditor(QPlainTextEdit):
    """Several lines, as high as its text; for JSON in colours."""

    edited = Signal(str)
    left = Signal()
    wants_menu = Signal()

    def __init__(self, name: str, *, is_code: bool) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self._highlighter = None
        if is_code:
            self.setProperty("role", "code")
            self._highlighter = JsonHighlighter(self.document())
        self._is_told = False
        self.textChanged.connect(self._on_changed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(lambda _at: self.wants_menu.emit())
        self._fit()

    def say(self, text: str, placeholder: str, state: str) -> None:
        """Show a text; what stands instead of none; and "wrong", "variable" or ""."""
        if self.toPlainText() != text:
            self._is_told = True
            self.setPlainText(text)
            self._is_told = False
            self._fit()
        self.setPlaceholderText(placeholder)
        set_property(self, "state", state)

    def written(self) -> str:
        """What stands in it."""
        return self.toPlainText()

    def retint(self) -> None:
        """Take the colours of the theme in use."""
        if self._highlighter is not None:
            self._highlighter.retint()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Somebody was here."""
        super().focusOutEvent(event)
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Alt+Down opens the menu."""
        if _opens_menu(event):
            self.wants_menu.emit()
            return
        super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        """As high as its lines."""
        return QSize(super().sizeHint().width(), self.height())

    def _on_changed(self) -> None:
        if not self._is_told:
            self._fit()
            self.edited.emit(self.toPlainText())

    def _fit(self) -> None:
        lines = min(_MOST_LINES, max(1, self.document().blockCount()))
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + _PADDING_PX + 6)


def _opens_menu(event: QKeyEvent) -> bool:
    return event.key() == Qt.Key.Key_Down and event.modifiers() == Qt.KeyboardModifier.AltModifier


class WheelGuard(QObject):
    """Lets the wheel scroll the form instead of changing what is under the mouse."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ignore the wheel; the form takes it."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget):
            event.ignore()
            return True
        return super().eventFilter(watched, event)
