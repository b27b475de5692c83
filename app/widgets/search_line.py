"""A short line for a filter, with its name in front and proposals below."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView, QWidget

from app import theme
from app.widgets.choice_chip import HEIGHT
from app.widgets.controls import set_property
from app.widgets.filter_bar import Proposal

APPLY_AFTER_MS = 250


class SearchBox(QLineEdit):
    """A short line for a filter, with its name in front. What is understood is applied while it is typed."""

    applied = Signal(str)
    """A filter that was understood; "" for none."""
    refused = Signal(str)
    """What is wrong; "" when nothing is any more."""

    def __init__(
        self,
        name: str,
        tip: str,
        judge: Callable[[str], str],
        complete: Callable[[str, int], Sequence[Proposal]],
        parent: QWidget | None = None,
    ) -> None:
        """Make it.

        Args:
            name: Stands in front.
            tip: What the mouse is told, with an example.
            judge: What is wrong with a text; "" when nothing is.
            complete: What may stand at a position of a text.
        """
        super().__init__(parent)
        self._judge, self._complete = judge, complete
        self._prefix = name
        self._proposals: list[Proposal] = []
        self._applied = self._refused = ""
        self.setAccessibleName(name)
        self.setAccessibleDescription(tip)
        self.setToolTip(tip)
        self.setFixedHeight(HEIGHT)
        self.setTextMargins(QFontMetrics(self.font()).horizontalAdvance(name) + 6, 0, 0, 0)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(APPLY_AFTER_MS)
        self._delay.timeout.connect(self.apply)
        self.textChanged.connect(self._on_text)
        self.textEdited.connect(lambda _text: self._propose())
        self.returnPressed.connect(self.apply)
        self._words = QStringListModel(self)
        self._popup = QListView()
        self._popup.setAccessibleName("What may stand here")
        completer = QCompleter(self._words, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setWidget(self)
        completer.setPopup(self._popup)
        completer.activated.connect(self._insert)
        self._proposer = completer
        self._fit()

    def set_text(self, text: str) -> None:
        """Put a filter in and apply it."""
        self.setText(text)
        self.apply()

    def apply(self) -> None:
        """Apply what stands in it, if it is understood."""
        self._delay.stop()
        text = self.text().strip()
        if not self._refuse(self._judge(text)) and text != self._applied:
            self._applied = text
            self.applied.emit(text)

    @property
    def message(self) -> str:
        """What is wrong; "" when nothing is."""
        return self._refused

    def _on_text(self, text: str) -> None:
        self._fit()
        self._delay.start()
        # a message is not shown while somebody still types, but goes as soon as it is no longer true
        if self._refused and not self._judge(text.strip()):
            self._refuse("")

    def _refuse(self, message: str) -> bool:
        if message != self._refused:
            self._refused = message
            set_property(self, "state", "wrong" if message else "")
            self.refused.emit(message)
        return bool(message)

    def _fit(self) -> None:
        """As wide as its text, within reason."""
        metrics = QFontMetrics(theme.font(bold=True))
        text = metrics.horizontalAdvance(self.text()) if self.text() else 26
        wide = min(300, max(40, text + 12) if self.hasFocus() or self.text() else 16)
        self.setFixedWidth(wide + self.textMargins().left() + 16)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Room to type."""
        super().focusInEvent(event)
        self.setFixedWidth(max(self.width(), 220))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """What was typed counts."""
        super().focusOutEvent(event)
        self.apply()
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape empties it, Ctrl+Space completes."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.set_text("")
            event.accept()
        elif event.key() == Qt.Key.Key_Space and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._propose()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The line, and its name in front."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setPen(QColor(theme.current().dim))
        painter.setFont(self.font())
        inside = self.rect().adjusted(10, 0, 0, 0)
        painter.drawText(inside, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), self._prefix)
        painter.end()

    def _propose(self) -> None:
        self._proposals = list(self._complete(self.text(), self.cursorPosition()))[:30]
        if not self._proposals:
            self._popup.hide()
            return
        self._words.setStringList([_line(proposal) for proposal in self._proposals])
        self._popup.setMinimumWidth(300)
        self._proposer.complete()

    def _insert(self, line: str) -> None:
        chosen = next((proposal for proposal in self._proposals if _line(proposal) == line), None)
        if chosen is None:
            return
        text = self.text()
        space = "" if text[chosen.end : chosen.end + 1] == " " else " "
        self.setText(text[: chosen.start] + chosen.text + space + text[chosen.end :])
        self.setCursorPosition(chosen.start + len(chosen.text) + 1)


def _line(proposal: Proposal) -> str:
    return f"{proposal.text}   {proposal.note}".rstrip()
