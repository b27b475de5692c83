"""The filter box: completes, says at once whether it understands, and points at the mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView, QMenu, QVBoxLayout, QWidget

from app import theme
from app.widgets.controls import button, label, row, set_property

APPLY_AFTER_MS = 300
EXAMPLES = ("outcome = failed", "duration > 200ms", "service = v2.orders and error = 504", "not (node ~ shop-*)")


class Proposal(Protocol):
    """What a completion is: a text for the place from start to end, and what it means."""

    @property
    def text(self) -> str:
        """What would stand there."""

    @property
    def start(self) -> int:
        """Where it begins."""

    @property
    def end(self) -> int:
        """Where it ends."""

    @property
    def note(self) -> str:
        """What it means."""


class FilterBar(QWidget):
    """A line in which a filter is written. Right filters are applied while typing, wrong ones are not."""

    applied = Signal(str)
    """A filter that was understood; "" for none."""
    saved = Signal(str)

    def __init__(
        self,
        parse: Callable[[str], object],
        complete: Callable[[str, int], Sequence[Proposal]],
        mistake: type[Exception],
        parent: QWidget | None = None,
    ) -> None:
        """Make the line.

        Args:
            parse: Understands a text, or raises `mistake`.
            complete: What may stand at a position of a text.
            mistake: An exception with `position`, `length` and `message`.
        """
        super().__init__(parent)
        self._parse, self._complete, self._mistake = parse, complete, mistake
        self._proposals: list[Proposal] = []
        self._history: list[str] = []
        self._saved: list[str] = []
        self._applied = ""
        self._edit = QLineEdit()
        self._edit.setAccessibleName("Filter")
        self._edit.setPlaceholderText("Filter everything:  " + "   ·   ".join(EXAMPLES[:3]))
        self._edit.setClearButtonEnabled(True)
        self._edit.textEdited.connect(self._on_edited)
        self._edit.textChanged.connect(self._on_changed)
        self._edit.installEventFilter(self)
        self._set_completer()
        self._sign = label("", "small", name="Whether the filter is understood")
        self._sign.setMinimumWidth(16)
        self._message = label("", "small", name="What is wrong with the filter")
        self._message.setTextFormat(Qt.TextFormat.RichText)
        self._message.hide()
        self._menu = button("", self._open_menu, icon="history", name="Filters used before", role="flat")
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(APPLY_AFTER_MS)
        self._delay.timeout.connect(self.apply)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row(self._edit, self._sign, self._menu, spacing=4))
        layout.addWidget(self._message)
        self.setFocusProxy(self._edit)

    def _set_completer(self) -> None:
        self._words = QStringListModel(self)
        completer = QCompleter(self._words, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setWidget(self._edit)
        completer.setMaxVisibleItems(10)
        self._popup = QListView()
        self._popup.setAccessibleName("What may stand here")
        completer.setPopup(self._popup)
        completer.activated.connect(self._insert)
        self._completer = completer

    # what it is told

    @property
    def text(self) -> str:
        """What stands in it, understood or not."""
        return self._edit.text()

    def set_text(self, text: str) -> None:
        """Put a filter in and apply it."""
        self._edit.setText(text)
        self.apply()

    @property
    def last(self) -> QWidget:
        """The last of its controls, from which Tab leads on."""
        return self._menu

    def set_history(self, used: Sequence[str], saved: Sequence[str]) -> None:
        """Filters for its menu, newest first."""
        self._history, self._saved = list(used), list(saved)

    @property
    def message(self) -> str:
        """What it says is wrong; "" when nothing is."""
        return self._message.accessibleDescription() if not self._message.isHidden() else ""

    # what it does

    def apply(self) -> None:
        """Apply what stands in it, if it is understood."""
        self._delay.stop()
        text = self._edit.text().strip()
        if self._judge(text) and text != self._applied:
            self._applied = text
            self.applied.emit(text)

    def _on_edited(self, _text: str) -> None:
        self._propose()

    def _on_changed(self, text: str) -> None:
        if self._judge(text.strip()):
            self._delay.start()
        else:
            self._delay.stop()

    def _judge(self, text: str) -> bool:
        """Show whether a text is understood. Whether it is."""
        try:
            self._parse(text)
        except self._mistake as error:
            self._show_mistake(text, error)
            return False
        set_property(self._edit, "state", "right" if text else "")
        set_property(self._sign, "tone", "ok" if text else "")
        self._sign.setText("✓" if text else "")
        self._message.hide()
        return True

    def _show_mistake(self, text: str, error: Exception) -> None:
        at = int(getattr(error, "position", 0))
        length = max(1, int(getattr(error, "length", 1)))
        message = str(getattr(error, "message", "") or error)
        colours = theme.current()
        red = colours.ink(colours.failed)
        wrong = escape(text[at : at + length]) or "&nbsp;&nbsp;"
        self._message.setText(
            f"<span style='color:{red}'>▲ {escape(message)}</span> &nbsp; {escape(text[:at])}"
            f"<u style='color:{red}'><b>{wrong}</b></u>{escape(text[at + length :])}"
        )
        self._message.setAccessibleDescription(message)
        self._message.show()
        self._sign.setText("▲")
        set_property(self._sign, "tone", "failed")
        set_property(self._edit, "state", "wrong")

    # completion

    def _propose(self) -> None:
        self._proposals = list(self._complete(self._edit.text(), self._edit.cursorPosition()))[:40]
        popup = self._popup
        if not self._proposals:
            popup.hide()
            return
        self._words.setStringList([f"{p.text}   {p.note}".rstrip() for p in self._proposals])
        popup.setMinimumWidth(360)
        self._completer.complete()

    def _insert(self, line: str) -> None:
        chosen = next((p for p in self._proposals if f"{p.text}   {p.note}".rstrip() == line), None)
        if chosen is None:
            return
        text = self._edit.text()
        space = "" if text[chosen.end : chosen.end + 1] == " " else " "
        self._edit.setText(text[: chosen.start] + chosen.text + space + text[chosen.end :])
        self._edit.setCursorPosition(chosen.start + len(chosen.text) + 1)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter applies, Ctrl+Space completes, Escape empties, Alt+Down opens the history."""
        if watched is self._edit and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key, modifiers = event.key(), event.modifiers()
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.apply()
                return True
            if key == Qt.Key.Key_Space and modifiers & Qt.KeyboardModifier.ControlModifier:
                self._propose()
                return True
            if key == Qt.Key.Key_Escape and self._edit.text():
                self.set_text("")
                return True
            if key == Qt.Key.Key_Down and modifiers & Qt.KeyboardModifier.AltModifier:
                self._open_menu()
                return True
        return super().eventFilter(watched, event)

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._applied and self._applied not in self._saved:
            keep = QAction(f"Save “{self._applied}”", menu)
            keep.triggered.connect(lambda: self.saved.emit(self._applied))
            menu.addAction(keep)
        for heading, texts in (("Saved", self._saved), ("Used before", self._history), ("Examples", EXAMPLES)):
            if texts:
                menu.addSection(heading)
            for text in texts[:12]:
                action = QAction(text, menu)
                action.triggered.connect(lambda _=False, text=text: self.set_text(text))
                menu.addAction(action)
        menu.popup(self._menu.mapToGlobal(self._menu.rect().bottomLeft()))
