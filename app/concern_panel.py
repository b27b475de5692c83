"""What is wrong now, worst first; what of it somebody has muted, and until when."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QMenu, QStackedWidget, QVBoxLayout

from app.desk import Desk
from app.items.records import Column
from app.mutes import Mute, Split
from app.widgets.controls import Tone, button, column, label, row, section, set_text, titled_panel
from app.widgets.empty_state import EmptyState
from app.widgets.format import clock_time, count
from app.widgets.table import RecordTable
from broker.clock import SECOND
from broker.mesh.answers import Concern

SEVERITIES: dict[str, tuple[str, Tone]] = {"failed": ("▲", "failed"), "slow": ("◷", "slow"), "note": ("●", "dim")}
DURATIONS: Final = (("for 15 minutes", 900), ("for 1 hour", 3600), ("for 8 hours", 28_800), ("for 7 days", 604_800))
TWO_LINES_PX: Final = 42
HEAD_PX, LEAST_PX = 86, 240
Muted = tuple[Mute, Concern | None]

CONCERNS: tuple[Column[Concern], ...] = (
    Column(
        "",
        lambda c: SEVERITIES[c.severity][0],
        width=34,
        tone=lambda c: SEVERITIES[c.severity][1],
        tip=lambda c: c.severity,
    ),
    Column(
        "what is wrong, and why we think so",
        lambda c: c.title,
        width=0,
        tone=lambda c: "" if c.severity == "note" else c.severity,
        tip=lambda c: f"{c.title}\n{c.detail}",
        below=lambda c: c.detail,
    ),
    Column("since", lambda c: clock_time(c.since_ns) if c.since_ns else "", width=84, tone=lambda _c: "dim"),
    Column(
        "look at",
        lambda c: f"{c.leads_to.title()} →" if c.leads_to != "overview" else "",
        width=90,
        tone=lambda _c: "accent",
        tip=lambda c: f"Enter or a double click leads to {c.leads_to}; M mutes",
    ),
)
MUTED: tuple[Column[Muted], ...] = (
    Column("muted", lambda m: m[1].title if m[1] else m[0].title, width=0, tone=lambda _m: "dim"),
    Column("now", lambda m: "still so" if m[1] else "not now", width=80, tone=lambda m: "" if m[1] else "dim"),
    Column("since", lambda m: clock_time(m[0].since_ns), width=88, tone=lambda _m: "dim"),
    Column("until", lambda m: until_text(m[0]), width=150),
)


def until_text(mute: Mute) -> str:
    """Until when something is muted."""
    return "it is over or worse" if mute.is_note else clock_time(mute.until_ns)


class ConcernPanel(QFrame):
    """The list of concerns, how many are muted, and, where wanted, the list of those."""

    opened = Signal(object)
    """A Concern that was drilled into."""
    chosen = Signal(object)
    """A Concern that was selected, or None."""
    changed = Signal()
    """Something was muted, or shown again."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.counts = label("", "dim", name="Counts")
        self.table = RecordTable("What is wrong now, worst first", CONCERNS, lambda c: c.key, row_px=TWO_LINES_PX)
        self.muted = RecordTable("What is muted", MUTED, lambda m: m[0].key)
        self.empty = EmptyState("check-circle-outline")
        self.toggle = button("0 muted", self._show_muted, icon="bell-off-outline", role="flat", name="Muted lines")
        self.toggle.setCheckable(True)
        self._all = button("Show all again", self._unmute_all, role="link")
        self._one = button("Show this again", self._unmute_one, role="link")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        for table in (self.table, self.muted):
            table.horizontalHeader().setSectionsClickable(False)
            table.horizontalHeader().setSortIndicatorShown(False)
            table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.muted.setMaximumHeight(150)
        self._rows = 0
        self._below = QFrame()
        below = column(row(section("Muted"), None, self._one, self._all), self.muted, spacing=2)
        below.setContentsMargins(12, 4, 12, 0)
        self._below.setLayout(below)
        self._below.hide()
        self._lay_out()
        self._connect()
        self._show_toggle(0)

    def _lay_out(self) -> None:
        content = QVBoxLayout()
        content.setSpacing(0)
        content.addWidget(self._stack, 1)
        content.addWidget(self._below)
        panel = titled_panel(row(section("What is wrong now"), self.toggle, None, self.counts), content)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(panel)

    def _connect(self) -> None:
        self.table.chosen.connect(self.chosen)
        self.table.opened.connect(self.opened)
        self.table.customContextMenuRequested.connect(lambda at: self.open_menu(self.table.viewport().mapToGlobal(at)))
        self.muted.opened.connect(lambda _muted: self._unmute_one())
        self.muted.customContextMenuRequested.connect(self._open_muted_menu)
        for keys, where, do in (("M", self.table, self.open_menu), ("Delete", self.muted, self._unmute_one)):
            shortcut = QShortcut(QKeySequence(keys), where)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(do)

    # showing

    def show_concerns(self, split: Split) -> None:
        """Show what is wrong and not muted; the owner says why there is nothing when that is so."""
        self.table.show_records(split.shown)
        self.muted.show_records(split.muted)
        self._stack.setCurrentIndex(1 if split.shown else 0)
        self._rows = len(split.shown)
        self._show_toggle(len(split.muted))

    def _show_toggle(self, muted: int) -> None:
        set_text(self.toggle, f"{count(muted)} muted")
        self.toggle.setAccessibleName(f"{count(muted)} muted lines: show or hide their list")
        self.toggle.setToolTip("The list of what is muted, until when, and how to show it again")
        self.toggle.setVisible(muted > 0)
        if not muted and self.toggle.isChecked():
            self.toggle.setChecked(False)
        self._show_muted()

    def _show_muted(self) -> None:
        """The list of what is muted; the panel is no higher than what it has to say."""
        self._below.setVisible(self.toggle.isChecked())
        below = self._below.sizeHint().height() if self.toggle.isChecked() else 0
        self.setMaximumHeight(max(LEAST_PX, HEAD_PX + self._rows * TWO_LINES_PX) + below)

    # muting

    def open_menu(self, at: QPoint | None = None) -> None:
        """Offer to mute the selected line."""
        concern = self.table.records.record(self.table.currentIndex().row())
        if concern is None:
            return
        menu = self.menu_for(concern)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        here = self.table.visualRect(self.table.currentIndex()).bottomLeft()
        menu.popup(at if at is not None else self.table.viewport().mapToGlobal(here))

    def menu_for(self, concern: Concern) -> QMenu:
        """What can be done with a line."""
        menu = QMenu(self)
        menu.addAction(f"Lead to {concern.leads_to}\tEnter", partial(self.opened.emit, concern))
        menu.addSeparator()
        menu.addAction("Acknowledge: mute until it is over or worse", partial(self.mute, concern, 0))
        for text, seconds in DURATIONS:
            menu.addAction(f"Mute {text}", partial(self.mute, concern, seconds))
        return menu

    def mute(self, concern: Concern, seconds: int) -> None:
        """Mute a line for so long, in s; for 0 until it is over or worse."""
        now_ns = self._desk.snapshot.through_ns
        self._desk.mutes.add(concern, now_ns, now_ns + seconds * SECOND if seconds else 0)
        self.changed.emit()

    def _open_muted_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Show this again\tDelete", self._unmute_one)
        menu.addAction("Show all again", self._unmute_all)
        menu.popup(self.muted.viewport().mapToGlobal(at))

    def _unmute_one(self) -> None:
        chosen: Muted | None = self.muted.records.record(max(0, self.muted.currentIndex().row()))
        if chosen is not None:
            self._desk.mutes.remove(chosen[0].key)
            self.changed.emit()

    def _unmute_all(self) -> None:
        self._desk.mutes.clear()
        self.changed.emit()
