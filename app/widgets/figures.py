"""Big numbers in cards: one figure, what it is, how it changed, its curve."""

from __future__ import annotations

from typing import Final, NamedTuple

from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from app.widgets.controls import Tone, label, set_property, set_text
from app.widgets.small_charts import Curves

FULL_PX: Final = 16
"""How large a small figure is written where it has room, as the style sheet says."""


class Figure(NamedTuple):
    """One number to be shown: "58/s", "calls", its tone, a sentence behind it."""

    value: str
    what: str
    tone: Tone = ""
    note: str = ""


class FigureCard(QFrame):
    """One figure. With a curve when there is room for one."""

    def __init__(self, what: str, *, has_curve: bool = False, parent: QWidget | None = None) -> None:
        """
        Args:
            what: What the figure is.
            has_curve: Whether there is room for one.
            parent: What it belongs to.
        """
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setAccessibleName(what)
        self._value = label("–", "figure" if has_curve else "figureSmall", name=what)
        self._what = label(what, "small")
        self._change = label("", "small", name=f"Change of {what}")
        for text in (self._value, self._what):
            # a card may get narrower than its text; four of them stand in a narrow panel
            text.setMinimumWidth(10)
            text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*((12, 8, 10, 8) if has_curve else (8, 6, 2, 6)))
        layout.setSpacing(1)
        grid = QGridLayout()
        grid.setSpacing(0)
        grid.addWidget(self._value, 0, 0)
        grid.addWidget(self._what, 1, 0, 1, 2)
        grid.addWidget(self._change, 0, 1)
        grid.setColumnStretch(0, 1)
        layout.addLayout(grid)
        self.curve: Curves | None = None
        if has_curve:
            self.curve = Curves(f"{what} over time", height=66)
            layout.addSpacing(6)
            layout.addWidget(self.curve)

    def show_figure(self, figure: Figure, change: str = "", change_tone: Tone = "") -> None:
        """Show a figure, and how it changed."""
        set_text(self._value, figure.value)
        set_property(self._value, "tone", figure.tone)
        set_text(self._what, figure.what)
        set_text(self._change, change)
        set_property(self._change, "tone", change_tone)
        self.setToolTip(figure.note)
        self.setAccessibleDescription(f"{figure.value} {figure.what}. {change} {figure.note}".strip())

    @property
    def is_tight(self) -> bool:
        """Whether its figure would be cut off at its full size."""
        font = QFont(self._value.font())
        font.setPixelSize(FULL_PX)
        return QFontMetrics(font).horizontalAdvance(self._value.text()) > self.contentsRect().width() - 12

    def write_small(self, is_small: bool) -> None:
        """Write the figure smaller, or at its full size."""
        set_property(self._value, "fit", "tight" if is_small else "")

    @property
    def text(self) -> str:
        """All it says."""
        return f"{self._value.text()} {self._what.text()} {self._change.text()}".strip()


class FigureRow(QWidget):
    """Four figures beside each other, as the side panel has them."""

    def __init__(self, whats: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        self.cards = [FigureCard(what) for what in whats]
        for number, card in enumerate(self.cards):
            grid.addWidget(card, 0, number)
            grid.setColumnStretch(number, 1)

    def show_figures(self, figures: list[Figure]) -> None:
        """Show as many figures as there are cards."""
        for card, figure in zip(self.cards, figures, strict=True):
            card.show_figure(figure)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Narrow cards write their figures smaller rather than cutting one off: all of them, so that they line up."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        is_small = any(card.is_tight for card in self.cards)
        for card in self.cards:
            card.write_small(is_small)
