"""Keeps the list of what was sent in step with the history on the disk."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.caller.past_panel import PastPanel
from app.caller.wording import entry_of
from app.desk import Desk
from app.widgets.confirm import ConfirmDialog
from broker.clock import SystemClock
from broker.mesh.timeline import Snapshot
from broker.operate.calling.history import Entry, History
from broker.operate.calling.request import Request
from broker.operate.commands import Report

Looked = tuple[list[Entry], int]
"""What was found, of how many."""


def _look(history: History, words: str, _snapshot: Snapshot) -> Looked:
    """In the worker."""
    found = history.search(words)
    return found, len(history.entries()) if words.strip() else len(found)


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
        keeping.history.add(entry_of(request, report, keeping, self._clock.now_ns()))
        self.show()

    def show(self) -> None:
        """Show what is kept, as far as it is searched for; soon, for it is read from the disk."""
        question = partial(_look, self._desk.keeping.history, self._panel.search.text())
        self._desk.ask(self, "history", question, self._show)

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
        self._desk.keeping.history.clear()
        self.show()
