"""Two lists of the overview: calls that wait now, what appeared and vanished; beside each other if there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.items.records import Column
from app.widgets.controls import row, section, set_text, titled_panel
from app.widgets.format import clock_time, count, duration_ms
from app.widgets.table import RecordTable
from broker.mesh.answers import Coming, WaitingCall

WIDE_PX: Final = 1300
CAME: tuple[Column[Coming], ...] = (
    Column("when", lambda c: clock_time(c.at_ns), width=86, tone=lambda _c: "dim"),
    Column("what", lambda c: c.what if c.kind in ("gap", "clock") else f"{c.kind} {c.what}", width=220),
    Column("change", lambda c: c.change, width=100),
    Column("detail", lambda c: c.detail, width=0, tone=lambda _c: "dim"),
)
WAITING: tuple[Column[WaitingCall], ...] = (
    Column("since", lambda c: clock_time(c.begin_ns), width=86, tone=lambda _c: "dim"),
    Column("waited", lambda c: duration_ms(c.waited_ms), lambda c: c.waited_ms, True, 96, tone=lambda _c: "slow"),
    Column("action", lambda c: c.action, width=200),
    Column("caller", lambda c: c.caller or "outside services", width=0, tone=lambda c: "" if c.caller else "dim"),
    Column("on its way", lambda c: f"{c.source} → {c.target or '(not known)'}", width=190, tone=lambda _c: "dim"),
)


class LatelyPanel(QWidget):
    """The two lists; in a narrow window one at a time."""

    chosen = Signal(object)
    """A Coming or a WaitingCall that was selected, or None."""
    opened = Signal(object)
    """A WaitingCall that was drilled into."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = RecordTable(
            "Calls waiting now, oldest first",
            WAITING,
            lambda c: (c.namespace, c.begin_ns, c.action, c.source, c.target),
            nothing="No call has waited for more than a second.",
        )
        self.comings = RecordTable(
            "What appeared and vanished",
            CAME,
            lambda c: (c.at_ns, c.namespace, c.kind, c.what, c.change),
            nothing="Nothing came or went in this window.",
        )
        for table in (self.waiting, self.comings):
            table.horizontalHeader().setSectionsClickable(False)
            table.horizontalHeader().setSortIndicatorShown(False)
            table.chosen.connect(self.chosen)
        self.waiting.opened.connect(self.opened)
        self._waiting_title = section("Calls waiting now, oldest first")
        self._pick_came, self._pick_waiting = QPushButton("Appeared and vanished"), QPushButton("Calls waiting")
        self._picks = QWidget()
        group = QButtonGroup(self)
        self._pick_came.setAccessibleName("Show what appeared and vanished")
        self._pick_waiting.setAccessibleName("Show calls that wait")
        for pick in (self._pick_came, self._pick_waiting):
            pick.setCheckable(True)
            pick.setAutoDefault(False)
            group.addButton(pick)
        self._pick_came.setChecked(True)
        self._lay_out()
        group.buttonToggled.connect(lambda *_: self._arrange())

    def _lay_out(self) -> None:
        self._came_title = section("What appeared and vanished")
        self._waiting_panel = titled_panel(row(self._waiting_title, None), self.waiting)
        self._came_panel = titled_panel(row(self._came_title, None), self.comings)
        picks = row(self._pick_came, self._pick_waiting, None, spacing=6)
        self._picks.setLayout(picks)
        beside = QHBoxLayout()
        beside.setSpacing(10)
        beside.addWidget(self._came_panel, 1)
        beside.addWidget(self._waiting_panel, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(6)
        outer.addWidget(self._picks)
        outer.addLayout(beside, 1)

    def show_lists(self, came: Sequence[Coming], waiting: Sequence[WaitingCall]) -> None:
        """Show what there is."""
        self.comings.show_records(came)
        self.waiting.show_records(waiting)
        set_text(self._pick_waiting, f"Calls waiting · {count(len(waiting))}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Both where there is room."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        is_wide = self.width() >= WIDE_PX
        self._picks.setVisible(not is_wide)
        for title in (self._came_title, self._waiting_title):
            title.setVisible(is_wide)
        self._came_panel.setVisible(is_wide or self._pick_came.isChecked())
        self._waiting_panel.setVisible(is_wide or self._pick_waiting.isChecked())
