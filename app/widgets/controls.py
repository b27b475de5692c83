"""Small parts that every screen is made of: labels, chips, buttons, lines. They know no mesh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import theme

Tone = Literal["", "ok", "slow", "failed", "held", "dim"]
Role = Literal["", "chip", "primary", "danger", "flat", "rail", "link", "row", "segment"]
Box = TypeVar("Box", QHBoxLayout, QVBoxLayout)
ICON_PX = 16
SIGNS: dict[str, str] = {"ok": "", "slow": "◷", "failed": "▲", "held": "✋", "none": ""}
"""What stands beside a colour of health, so that the colour is never the only sign."""


def set_property(widget: QWidget, name: str, value: str) -> None:
    """Set a property that the style sheet looks at, and style the widget anew if it changed."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def set_text(label: QLabel | QAbstractButton, text: str) -> None:
    """Set a text only if it is another one: setting lays out and paints anew."""
    if label.text() != text:
        label.setText(text)


def label(text: str = "", role: str = "", *, name: str = "", wraps: bool = False, tone: Tone = "") -> QLabel:
    """A text.

    Args:
        text: What it says; never interpreted as rich text.
        role: A look of the style sheet: title, section, dim, small, figure, chip.
        name: Its accessible name, where the text alone does not say what it is.
        wraps: Whether it breaks into lines.
        tone: A colour of health.
    """
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setProperty("tone", tone)
    made.setWordWrap(wraps)
    if name:
        made.setAccessibleName(name)
    return made


def section(text: str) -> QLabel:
    """The heading of a part of a panel."""
    return label(text.upper(), "section", name=text)


def button(
    text: str,
    clicked: Callable[[], object] | None = None,
    *,
    role: Role = "",
    icon: str = "",
    name: str = "",
    tip: str = "",
) -> QPushButton:
    """A button that the keyboard reaches.

    Args:
        text: What it says; may be empty when it has an icon and a name.
        clicked: What it does.
        role: A look of the style sheet.
        icon: A name that `app.theme.icon` knows.
        name: Its accessible name; the text if left out.
        tip: What the mouse is told.
    """
    made = QPushButton(text)
    made.setProperty("role", role)
    made.setAccessibleName(name or text)
    made.setToolTip(tip or ("" if text else name))
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    # not by the mouse: Space after a click shall pause, not click again
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setAutoDefault(False)
    if icon:
        set_icon(made, icon)
    if clicked is not None:
        made.clicked.connect(lambda _checked=False: clicked())
    return made


def field_line(name: str, hint: str = "", text: str = "") -> QLineEdit:
    """A line to write in.

    Args:
        name: Its accessible name.
        hint: What stands in it while it is empty.
        text: What is written in it at first.
    """
    made = QLineEdit(text)
    made.setAccessibleName(name)
    made.setPlaceholderText(hint)
    return made


class ElidedButton(QPushButton):
    """A button whose text gives way when there is no room for it."""

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        return QSize(60, super().minimumSizeHint().height())

    def set_full_text(self, text: str) -> None:
        """What it says when there is room; also what it is called."""
        self.setProperty("fullText", text)
        self.setAccessibleDescription(text)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width, other letters."""
        super().resizeEvent(event)
        self._elide()

    def sizeHint(self) -> QSize:
        """Room for all of it."""
        full = str(self.property("fullText") or "")
        return QSize(self.fontMetrics().horizontalAdvance(full) + 14, super().sizeHint().height())

    def _elide(self) -> None:
        full = str(self.property("fullText") or "")
        set_text(self, self.fontMetrics().elidedText(full, Qt.TextElideMode.ElideMiddle, max(20, self.width() - 12)))
        self.updateGeometry()


class ElidedLabel(QLabel):
    """A text that gives way when there is no room for it, and says so with an ellipsis."""

    def __init__(self, text: str, role: str = "") -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        return QSize(40, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """All of it, or its beginning."""
        painter = QPainter(self)
        fitted = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), fitted)
        painter.end()
        event.accept()


def set_icon(made: QAbstractButton, icon: str, tone: Tone = "") -> None:
    """Give a button an icon that follows the theme (see `retint`)."""
    made.setProperty("iconName", icon)
    made.setProperty("iconTone", tone)
    _tint(made)


def _tint(made: QAbstractButton) -> None:
    colours = theme.current()
    tone = str(made.property("iconTone") or "")
    role = made.property("role")
    colour = colours.text
    if tone:
        colour = colours.ink(colours.colours()[tone])
    elif role == "primary":
        colour = colours.on_accent
    elif role == "rail" and not made.isChecked():
        colour = colours.dim
    made.setIcon(theme.icon(str(made.property("iconName")), colour))
    made.setIconSize(QSize(ICON_PX, ICON_PX))


def retint(root: QWidget) -> None:
    """Give every button below a widget its icon in the colours of the theme in use."""
    for made in root.findChildren(QAbstractButton):
        if made.property("iconName"):
            _tint(made)


def line() -> QFrame:
    """A thin line across."""
    made = QFrame()
    made.setProperty("role", "line")
    return made


def frame(role: Literal["panel", "card"]) -> QFrame:
    """A surface with round corners."""
    made = QFrame()
    made.setProperty("role", role)
    return made


def titled_panel(title: QWidget | QLayout, content: QWidget | QLayout) -> QFrame:
    """A panel with a heading that keeps its distance, and a content that reaches its edges."""
    made = frame("panel")
    layout = QVBoxLayout(made)
    layout.setContentsMargins(1, 10, 1, 1)
    layout.setSpacing(6)
    head = title if isinstance(title, QLayout) else row(title)
    head.setContentsMargins(12, 0, 12, 0)
    layout.addLayout(head)
    if isinstance(content, QLayout):
        layout.addLayout(content, 1)
    else:
        layout.addWidget(content, 1)
    return made


def row(*parts: QWidget | QLayout | int | None, spacing: int = 8, margin: int = 0) -> QHBoxLayout:
    """Parts beside each other. A number is that many pixels, None takes what is left."""
    return _fill(QHBoxLayout(), parts, spacing, margin)


def column(*parts: QWidget | QLayout | int | None, spacing: int = 8, margin: int = 0) -> QVBoxLayout:
    """Parts below each other. A number is that many pixels, None takes what is left."""
    return _fill(QVBoxLayout(), parts, spacing, margin)


def _fill(layout: Box, parts: tuple[QWidget | QLayout | int | None, ...], spacing: int, margin: int) -> Box:
    layout.setSpacing(spacing)
    layout.setContentsMargins(margin, margin, margin, margin)
    for part in parts:
        if part is None:
            layout.addStretch(1)
        elif isinstance(part, int):
            layout.addSpacing(part)
        elif isinstance(part, QWidget):
            layout.addWidget(part)
        else:
            layout.addLayout(part)
    return layout


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and delete it."""
    while (item := layout.takeAt(0)) is not None:
        inner, widget = item.layout(), item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)
