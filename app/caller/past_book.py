"""Keeps the list of what was sent in step with the history on the disk."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.caller.past_panel import PastPanel
from app.caller.wording import entry_of
from app.desk import Desk
from app.disk import Disk
from app.widgets.confirm import ConfirmDialog
from app.widgets.controls import set_text
from broker.clock import SystemClock
from broker.operate.calling.history import Entry, History
from broker.operate.calling.request import Request
from broker.operate.commands import Report

Looked = tuple[list[Entry], int]
"""What was found, of how many."""


# in the thread of the disk


def _look(history: History, words: str) -> Looked:
    found = history.search(words)
    return found, len(history.entries()) if words.strip() else len(found)


def _add(history: History, entry: Entry, disk: Disk) -> None:
    history.add(entry)
    if history.folder is not None:
        disk.note(history.folder, "What was sent", history.trouble)


def _clear(history: History) -> str:
    """Why not all is forgotten; empty if it is."""
    try:
        history.clear()
    except OSError as error:
        return f"▲ Not forgotten: {error}"
    return ""


class PastBook(QObject):
    """Writes down, searches, forgets."""

    def __init__(self, owner: QWidget, desk: Desk, panel: PastPanel) -> None:
        super().__init__(owner)
        self._owner, self._desk, self._panel = owner, desk, panel
        self._clock = SystemClock()
        panel.searched.connect(lambda _words: self.show())
        panel.forget_wanted.connect(self.ask_forget)

    def keep(self, request: Request, report: Report) -> None:
        """Write down what was sent; what was not sent is nothing to find again."""
        if report.outcome == "refused":
            return
        keeping = self._desk.keeping
        entry = entry_of(request, report, keeping, self._clock.now_ns())
        self._desk.keep(self, partial(_add, keeping.history, entry, self._desk.disk))
        self.show()

    def show(self) -> None:
        """Show what is kept, as far as it is searched for; soon, for it is read from the disk."""
        look = partial(_look, self._desk.keeping.history, self._panel.search.text())
        self._desk.keep(self, look, self._show, key="history")

    def _show(self, looked: Looked) -> None:
        found, total = looked
        self._panel.show_history(found, total, self._clock.now_ns())

    def ask_forget(self) -> ConfirmDialog:
        """Ask, and forget everything."""
        dialog = ConfirmDialog(
            self._owner,
            title="Forget all of the history?",
            act="Forget it",
            about="On this machine, of all connections.",
        )
        dialog.confirmed.connect(lambda _typed: self._forget())
        dialog.open()
        return dialog

    def _forget(self) -> None:
        self._desk.keep(self, partial(_clear, self._desk.keeping.history), self._on_forgotten)

    def _on_forgotten(self, wrong: str) -> None:
        if wrong:
            set_text(self._panel.history_note, wrong)
        else:
            self.show()
