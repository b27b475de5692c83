"""Audit: every act from this machine's user, who did it, where, to what, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu, QStackedWidget

from app.audit_facts import OUTCOMES, ActRow, Log, act_facts, matching, read_log, subject_of
from app.desk import Desk
from app.items.records import Column, in_order
from app.live import LiveView
from app.side_facts import SideFacts
from app.views.registry import MAIN, View, register
from app.widgets.controls import button, column, label, row, set_property, set_text, titled_panel
from app.widgets.empty_state import EmptyState
from app.widgets.format import NOTHING, byte_size, count, date_time
from app.widgets.table import RecordTable
from broker.mesh.subject import Subject
from broker.operate.audit import Audit, Entry, who
from broker.operate.audit_export import as_csv, as_json


def _moment(entry: Entry) -> str:
    # the zone is said at the foot of the window
    return date_time(entry.at_ns).rpartition(" ")[0] if entry.at_ns else NOTHING


COLUMNS: tuple[Column[ActRow], ...] = (
    Column("when", lambda r: _moment(r.entry), lambda r: (r.entry.at_ns, int(r.key)), width=172),
    Column("outcome", lambda r: OUTCOMES.get(r.entry.outcome, (r.entry.outcome, ""))[0], width=112,
           tone=lambda r: OUTCOMES.get(r.entry.outcome, ("", ""))[1]),
    Column("what", lambda r: r.what, width=84),
    Column("target", lambda r: r.target, width=0),
    Column("message", lambda r: r.entry.message, width=0, tone=lambda _r: "dim"),
    Column("profile", lambda r: r.where, width=130),
    Column("who", lambda r: r.who, width=170, tone=lambda r: "dim" if r.is_ours else "slow"),
    Column("source", lambda r: r.entry.before.source if r.entry.before else NOTHING, width=110, tone=lambda _r: "dim"),
)  # fmt: skip
GIVEN_UP = ("source", "profile", "who")
"""What a narrow table goes without, the first one first: the side panel tells it too."""
TEXT_PX = 190
"""What target and message have at least, before that."""


class AuditView(LiveView):
    """One row an act; a line that cannot be read, and an act of which nobody knows the outcome, stand there as such."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, every_ms=1000)
        self._audit = desk.audit or Audit()
        self._log, self._shown = Log(), 0
        self._whose = who()
        self._count = label("", "dim", name="How many acts")
        self._note = label("", "small", name="What is not shown")
        self.search = QLineEdit()
        self.search.setAccessibleName("Find acts")
        self.search.setPlaceholderText("Find: words of an act, its target, who, outcome")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._fill)
        self.export = button("Export ▾", None, icon="tray-arrow-down", name="Export what is shown")
        self.export.setMenu(self._export_menu())
        self.table = RecordTable("Acts", COLUMNS, lambda r: r.key, is_descending=True)
        self.table.chosen.connect(lambda chosen: desk.select(subject_of(chosen)) if chosen is not None else None)
        self.table.sort_changed.connect(self._fill)
        self.table.resized.connect(self._fit_columns)
        self.empty = EmptyState("clipboard-text-clock-outline")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        head = row(label("Audit", "title"), self._count, None, self._note, self.search, self.export, spacing=10)
        head.setStretch(4, 2)
        self.setLayout(column(titled_panel(head, self._stack), margin=12))
        self.setFocusProxy(self.table)
        desk.tellers["act"] = self._tell
        desk.selection_changed.connect(self._show_selection)
        desk.reported.connect(self._pace.now)

    def _export_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("As JSON…", partial(self._export_with_dialog, "json"))
        menu.addAction("As CSV…", partial(self._export_with_dialog, "csv"))
        return menu

    def _fit_columns(self) -> None:
        room = self.table.viewport().width() - sum(made.width or TEXT_PX for made in COLUMNS)
        given_up = []
        for title in GIVEN_UP:
            if room < 0:
                number = next(number for number, made in enumerate(COLUMNS) if made.title == title)
                given_up.append(number)
                room += COLUMNS[number].width
        self.table.columns.hide(given_up)

    def refresh(self) -> None:
        """Read the log, if something was added to it."""
        audit, whose, masks, known = self._audit, self._whose, self.desk.masks, self._log
        self.desk.ask(self, "audit", lambda _snapshot: read_log(audit, whose, masks, known), self._show)

    def retheme(self) -> None:
        """Take the colours of the theme in use."""
        self.empty.tint()
        self.table.viewport().update()

    def _show(self, log: Log) -> None:
        if log is not self._log or not self._shown:
            self._log = log
            self._fill()

    def _fill(self) -> None:
        log, text = self._log, self.search.text()
        found = matching(log.rows, text)
        order, is_descending = self.table.order
        self.table.show_records(in_order(found, order, is_descending=is_descending))
        self._shown += 1
        of_all = f" of {count(len(log.rows))}" if len(found) != len(log.rows) else ""
        set_text(self._count, f"{count(len(found))}{of_all}")
        set_property(self.search, "state", "wrong" if text and not found else "")
        older = f"the oldest {byte_size(log.left_out_bytes)} of the log are not shown" if log.left_out_bytes else ""
        set_text(self._note, older)
        self.export.setEnabled(bool(found))
        self._stack.setCurrentIndex(1 if found else 0)
        if not found:
            self._say_why(log, text)
        self._show_selection()

    def _say_why(self, log: Log, text: str) -> None:
        if log.trouble:
            self.empty.say("The audit log cannot be read", log.trouble, icon="alert-outline")
        elif log.rows:
            self.empty.say(
                "No act with these words", f"Nothing in the log matches “{text}”.", "Show all", self.search.clear
            )
        else:
            self.empty.say(
                "Nothing was done from here yet",
                "Every act is written down before it is sent and with its outcome: calls, events, broadcasts, benches, "
                f"breakers, unlocking; in the window and on the command line. The log is {self._audit.path}.",
            )

    # what is selected

    def _show_selection(self) -> None:
        chosen = self.desk.selection
        self.table.select(chosen.name if chosen is not None and chosen.kind == "act" else None)

    def _tell(self, subject: Subject) -> SideFacts:
        """In the worker: what the side panel says of an act."""
        return act_facts(subject, next((each for each in self._log.rows if each.key == subject.name), None))

    # export

    def _export_with_dialog(self, kind: str) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Export acts", f"meshscope-audit.{kind}", f"*.{kind}")
        if chosen:
            self.export_to(Path(chosen))

    def export_to(self, path: Path) -> None:
        """Write what is shown, in its order: as CSV or as JSON, by the ending of the file. Its user's alone."""
        records = (self.table.records.record(number) for number in range(self.table.records.rowCount()))
        entries = [each.entry for each in records if each is not None]
        self.desk.keep(self, partial(_write, entries, path), partial(set_text, self._note))

    def showEvent(self, event: object) -> None:
        """It is read anew whenever it comes into sight."""
        super().showEvent(event)  # type: ignore[arg-type]
        self.refresh()


def _write(entries: Sequence[Entry], path: Path) -> str:
    """In the thread of the disk. What became of it."""
    text = as_csv(entries) if path.suffix == ".csv" else as_json(entries)
    try:
        path.touch(mode=0o600)
        path.write_text(text, "utf-8")
    except OSError as error:
        return f"▲ {path} cannot be written: {error.strerror}"
    return f"{count(len(entries))} acts written to {path}"


def build(desk: Desk) -> AuditView:
    """The view for a desk."""
    return AuditView(desk)


register(View(id="audit", title="Audit", area=MAIN, order=120, icon="clipboard-text-clock-outline", build=build))
