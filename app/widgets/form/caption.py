"""What stands above and below a field: its name, what it may be, what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app import theme
from app.widgets.controls import label, set_text
from broker.operate.forms import Field, Problem

_SEVERAL = 3
_GAP_PX = 7
_MORE_PX = 26
_HEIGHT_PX = 20


class Caption(QWidget):
    """Name, a star where it must be there, constraints dim; and what opens the menu, if it has one.

    It is painted: a form of 300 fields would otherwise be thousands of labels.
    """

    more = Signal()
    """The menu is wanted."""

    def __init__(self, field: Field, name: str, *, has_menu: bool = False) -> None:
        super().__init__()
        self._name = f"{name} ⓘ" if field.help else name
        self._is_required = field.is_required and bool(field.name)
        self._words = f"“{field.label}”, {field.words}" if field.label not in ("", field.name) else field.words
        self._has_menu = has_menu
        self.setAccessibleName(f"{name}{' must be there,' if self._is_required else ''} {self._words}")
        self.setToolTip("\n".join(each for each in (field.help, self._words) if each))
        self.setFixedHeight(_HEIGHT_PX)
        self.setMouseTracking(has_menu)

    def sizeHint(self) -> QSize:
        """Room for all of it."""
        name, words = QFontMetrics(theme.font()), QFontMetrics(theme.font(theme.SMALL_PX))
        width = name.horizontalAdvance(f"{self._name} *") + words.horizontalAdvance(self._words) + 3 * _GAP_PX
        return QSize(width + (_MORE_PX if self._has_menu else 0), _HEIGHT_PX)

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        return QSize(40, _HEIGHT_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """From left to right, until there is no more room."""
        painter = QPainter(self)
        colours = theme.current()
        right = self.width() - (_MORE_PX if self._has_menu else 0)
        at = self._write(painter, 0, right, self._name, theme.font(), colours.text)
        if self._is_required:
            at = self._write(painter, at, right, "*", theme.font(), colours.ink(colours.failed))
        self._write(painter, at, right, self._words, theme.font(theme.SMALL_PX), colours.dim)
        if self._has_menu:
            self._write(painter, right + 6, self.width(), "⋯", theme.font(), colours.dim)
        painter.end()

    def _write(self, painter: QPainter, at: int, right: int, text: str, font: QFont, colour: str) -> int:
        metrics = QFontMetrics(font)
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, right - at))
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(QPointF(at, (_HEIGHT_PX + metrics.ascent() - metrics.descent()) / 2), text)
        return at + metrics.horizontalAdvance(text) + _GAP_PX

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on the three points opens the menu."""
        if self._has_menu and self._points().contains(event.position().toPoint()):
            self.more.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show by the cursor where a click does something."""
        if self._has_menu:
            is_over = self._points().contains(event.position().toPoint())
            self.setCursor(Qt.CursorShape.PointingHandCursor if is_over else Qt.CursorShape.ArrowCursor)

    def _points(self) -> QRect:
        return QRect(self.width() - _MORE_PX, 0, _MORE_PX, _HEIGHT_PX)


class Remarks(QWidget):
    """Below a field: what is wrong, with a sign, and what only the service can check. Nothing, mostly."""

    def __init__(self, field: Field) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self._problem: QLabel | None = None
        self._hint: QLabel | None = None
        self._is_unsure = bool(field.unsure)
        if field.unsure:
            text = f"◌ checked by the service only: {'; '.join(field.unsure)}"
            self._column.addWidget(label(text, "small", wraps=True))
        else:  # shown without a parent it would be a window
            self.hide()

    def tell(self, problems: Sequence[Problem], mistake: str = "") -> None:
        """What is wrong; nothing when nothing is."""
        said = [mistake] if mistake else list(dict.fromkeys(each.short for each in problems[:_SEVERAL]))
        if said and self._problem is None:
            self._problem = label("", wraps=True, tone="failed")
            self._column.insertWidget(0, self._problem)
        self._set(self._problem, "\n".join(f"▲ {each}" for each in said))

    def hint(self, text: str) -> None:
        """What the value is taken for."""
        if text and self._hint is None:
            self._hint = label("", "small", wraps=True)
            self._column.addWidget(self._hint)
        self._set(self._hint, text)

    def _set(self, where: QLabel | None, text: str) -> None:
        if where is not None:
            set_text(where, text)
            where.setVisible(bool(text))
        shown = [each for each in (self._problem, self._hint) if each is not None and each.text()]
        wanted = self._is_unsure or bool(shown)
        if wanted == self.isHidden():
            self.setVisible(wanted)
