"""A small table of texts inside a panel: no scrolling, as high as it has rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app import theme
from app.theme import Theme
from app.widgets.controls import Tone
from app.widgets.format import NOTHING
from app.widgets.row_walk import RowWalk

ROW_PX = 24
LEFT = (Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value
RIGHT = (Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value
GONE = -1
"""The width of a column that is not shown."""


class Cell(NamedTuple):
    """A text in a tone."""

    text: str
    tone: Tone = ""


class MiniRow(NamedTuple):
    """Cells, and what choosing the row means."""

    cells: Sequence[Cell]
    subject: Any = None
    tip: str = ""


class Column(NamedTuple):
    """Where the texts of a column are.

    Attributes:
        number: Of its cells.
        x, width: In px.
        flags: How they line up.
    """

    number: int
    x: int
    width: int
    flags: int


@lru_cache(maxsize=16)
def _colour(ground: str) -> QColor:
    return QColor(ground)


@lru_cache(maxsize=64)
def _pen(colours: Theme, tone: str, ground: str) -> QPen:
    """For words in a tone, or for lines."""
    if tone == "line":
        return QPen(QColor(colours.line))
    return QPen(QColor(colours.ink(colours.colours()[tone], ground) if tone else colours.text))


class MiniTable(RowWalk):
    """Rows of a few texts. A column in which nothing is said gives its room to the others."""

    menu_wanted = Signal(object, QPoint)
    """What a row means, and where on the screen its menu belongs."""

    def __init__(self, name: str, heads: Sequence[str], widths: Sequence[int], parent: QWidget | None = None) -> None:
        """Make the table.

        Args:
            name: Its accessible name.
            heads: Heading of each column; none for no headings.
            widths: Of each column in pixels: 0 takes what is left, negative ones line up at the right.
            parent: What it belongs to.
        """
        super().__init__(name, ROW_PX, head_rows=bool(heads), parent=parent)
        self._heads, self._all_widths = tuple(heads), tuple(widths)
        self._widths = self._all_widths
        self._rows: list[MiniRow] = []

    def show_rows(self, rows: Sequence[MiniRow]) -> None:
        """Show these rows."""
        is_other = len(rows) != len(self._rows)
        self._rows = list(rows)
        self._set_meanings([row.subject for row in rows], [row.tip for row in rows])
        self._widths = tuple(
            GONE if width < 0 and self._says_nothing(number) else width for number, width in enumerate(self._all_widths)
        )
        self.setAccessibleDescription("; ".join(" ".join(c.text for c in row.cells) for row in rows))
        if is_other:
            self.setFixedHeight(self.sizeHint().height())
        self.update()

    def texts(self) -> list[list[str]]:
        """What it says, row by row."""
        return [[cell.text for cell in row.cells] for row in self._rows]

    def sizeHint(self) -> QSize:
        """As high as its rows."""
        return QSize(240, ROW_PX * (len(self._rows) + bool(self._heads)) + 1)

    def _says_nothing(self, column: int) -> bool:
        return bool(self._rows) and all(row.cells[column].text in ("", NOTHING) for row in self._rows)

    def columns(self) -> list[Column]:
        """Those that are shown, and what room for text they have."""
        left = self.width() - sum(0 if width == GONE else abs(width) for width in self._widths)
        columns, x = [], 0
        for number, width in enumerate(self._widths):
            if width == GONE:
                continue
            real = max(40, left) if width == 0 else abs(width)
            columns.append(Column(number, x + 2, real - (8 if width >= 0 else 6), RIGHT if width < 0 else LEFT))
            x += real
        return columns

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Headings, rows, hairlines."""
        painter = QPainter(self)
        colours, columns = theme.current(), self.columns()
        top = 0
        if self._heads:
            painter.setFont(theme.font(theme.SMALL_PX))
            heads = [Cell(head, "dim") for head in self._heads]
            self._paint_row(painter, painter.fontMetrics(), heads, columns, top, colours.surface1)
            top += ROW_PX
        painter.setFont(theme.font(12))
        metrics = painter.fontMetrics()
        for number, row in enumerate(self._rows):
            ground = colours.selected if self._is_marked(number) else colours.surface1
            painter.fillRect(0, top, self.width(), ROW_PX, _colour(ground))
            self._paint_row(painter, metrics, row.cells, columns, top, ground)
            top += ROW_PX
        painter.end()

    def _paint_row(
        self,
        painter: QPainter,
        metrics: QFontMetrics,
        cells: Sequence[Cell],
        columns: Sequence[Column],
        top: int,
        ground: str,
    ) -> None:
        for column in columns:
            text, tone = cells[column.number]
            if metrics.horizontalAdvance(text) > column.width:
                text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, column.width)
            painter.setPen(_pen(theme.current(), tone, ground))
            painter.drawText(column.x, top, column.width, ROW_PX, column.flags, text)
        painter.setPen(_pen(theme.current(), "line", ground))
        painter.drawLine(0, top + ROW_PX - 1, self.width(), top + ROW_PX - 1)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the row under the mouse, or of the one with the keyboard."""
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        meaning = self._meaning(self._row_at(event.pos().y()) if by_mouse else self._current)
        if meaning is not None:
            self.menu_wanted.emit(meaning, event.globalPos())
