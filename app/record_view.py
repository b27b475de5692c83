"""What the views of tables share: heading, local choices, table, why it is empty, what came and went."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSplitter, QStackedWidget, QVBoxLayout

from app.caller.row_menu import offer_menu
from app.desk import Desk
from app.items.records import Column, in_order
from app.live import LiveView
from app.widgets.controls import label, row, section, set_text, titled_panel
from app.widgets.empty_state import EmptyState
from app.widgets.format import NOTHING, clock_time, count, length
from app.widgets.table import RecordTable
from broker.clock import SECOND
from broker.mesh import inventory
from broker.mesh.answers import Coming
from broker.mesh.filter import Filter
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot

Question = Callable[[Snapshot, Span, Filter], list[Any]]
COMING_TONES = {"vanished": "failed", "restarted": "slow", "appeared": "ok", "came back": "ok", "opened": "failed"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a view of a table shows.

    Attributes:
        title: Its heading, in the plural: "Nodes".
        icon: For its empty state.
        columns: Of its table.
        key: Of a record.
        subject: What a record leads to.
        question: Gives its records.
        comings: Which kinds of comings and goings stand below.
    """

    title: str
    icon: str
    columns: Sequence[Column[Any]]
    key: Callable[[Any], Hashable]
    subject: Callable[[Any], Subject]
    question: Question
    comings: tuple[str, ...]
    sorted_by: int = 0
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    records: list[Any]
    comings: list[Coming]
    heard_s: float
    namespaces: int
    is_filtered: bool
    span: Span


def _answer(kind: Kind, span: Span, wanted: Filter, order: tuple[Column[Any], bool], snapshot: Snapshot) -> _Answer:
    """In the worker."""
    records = in_order(kind.question(snapshot, span, wanted), order[0], is_descending=order[1])
    came = [one for one in inventory.comings(snapshot, span, limit=400) if one.kind in kind.comings][:200]
    heard_s = (snapshot.through_ns - snapshot.begin_ns) / SECOND if snapshot.begin_ns else 0.0
    return _Answer(records, came, heard_s, len(snapshot.namespaces()), not wanted.is_empty, span)


COMING_COLUMNS: tuple[Column[Coming], ...] = (
    Column("when", lambda c: clock_time(c.at_ns), lambda c: c.at_ns, width=90, tone=lambda _c: "dim"),
    Column("what", lambda c: c.what, width=240),
    Column("change", lambda c: c.change, width=110, tone=lambda c: COMING_TONES.get(c.change, "")),
    Column("detail", lambda c: c.detail, width=0, tone=lambda _c: "dim"),
    Column("namespace", lambda c: c.namespace or NOTHING, width=110, tone=lambda _c: "dim"),
)


class RecordView(LiveView):
    """A table of one kind of record, as of the desk's span."""

    def __init__(self, desk: Desk, kind: Kind) -> None:
        super().__init__(desk, every_ms=1000)
        self._kind = kind
        self._count = label("", "dim", name=f"How many {kind.title.lower()}")
        self._note = label("", "small")
        self.table = RecordTable(
            kind.title, kind.columns, kind.key, sorted_by=kind.sorted_by, is_descending=kind.is_descending
        )
        self.table.setObjectName(f"table-{kind.title.lower()}")
        self.comings = RecordTable(
            f"{kind.title}: what appeared and vanished",
            COMING_COLUMNS,
            lambda c: (c.at_ns, c.namespace, c.kind, c.what, c.change),
            is_descending=True,
            nothing="Nothing came or went in this window.",
        )
        self.empty = EmptyState(kind.icon)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        self._lay_out(label(kind.title, "title"))
        self.table.chosen.connect(self._on_chosen)
        self.table.opened.connect(self._on_opened)
        self.table.sort_changed.connect(self.refresh)
        self.comings.chosen.connect(lambda c: desk.select(c.subject) if c and c.subject else None)
        self.comings.sort_changed.connect(self.refresh)
        desk.selection_changed.connect(self._show_selection)
        offer_menu(self.table, desk, self._subject_at)
        self.setFocusProxy(self.table)

    def _lay_out(self, title: QLabel) -> None:
        panel = titled_panel(row(title, self._count, None, self._note, spacing=10), self._stack)
        below = titled_panel(section("What appeared and vanished"), self.comings)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setHandleWidth(8)
        split.setStyleSheet("QSplitter::handle { background: transparent; }")
        split.addWidget(panel)
        split.addWidget(below)
        split.setStretchFactor(0, 4)
        split.setStretchFactor(1, 1)
        split.setSizes([600, 170])
        split.setChildrenCollapsible(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 12)
        layout.addWidget(split)

    def refresh(self) -> None:
        """Ask for the records of the span."""
        span, wanted = self.desk.span(), self.desk.filter
        self.desk.ask(self, "records", partial(_answer, self._kind, span, wanted, self.table.order), self._show)

    def retheme(self) -> None:
        """Take the colours of the theme in use."""
        self.empty.tint()
        self.table.viewport().update()
        self.comings.viewport().update()

    def _show(self, answer: _Answer) -> None:
        for table in (self.table, self.comings):
            table.columns.show("namespace", is_shown=answer.namespaces > 1)
        self.table.show_records(answer.records)
        order, is_descending = self.comings.order
        self.comings.show_records(in_order(answer.comings, order, is_descending=is_descending))
        set_text(self._count, count(len(answer.records)))
        set_text(self._note, f"seen on the bus in {length(answer.span.seconds)}; calls inside one node are not")
        self._stack.setCurrentIndex(1 if answer.records else 0)
        if not answer.records:
            self._say_why(answer)
        self._show_selection()

    def _say_why(self, answer: _Answer) -> None:
        what = self._kind.title.lower()
        if answer.is_filtered:
            self.empty.say(
                f"The filter leaves no {what}",
                f"Nothing matches “{self.desk.wanted.text}” in the last {length(answer.span.seconds)}.",
                "Remove the filter",
                self.desk.clear_filter,
            )
        elif answer.heard_s < 1:
            self.empty.say("Nothing heard yet", "Waiting for the first packets from the bus.")
        else:
            self.empty.say(
                f"No {what} seen in {length(answer.heard_s)}",
                "Names come with traffic between nodes, schemas with the INFO packets that nodes send when they start "
                "or are asked. With the permission to ask, “Ask once” makes every node tell now. Calls inside one node "
                "are not on the bus.",
            )

    def _show_selection(self) -> None:
        wanted = self.desk.selection
        current = self.table.records.record(self.table.currentIndex().row())
        if current is not None and wanted is not None and self._kind.subject(current) == wanted:
            return
        chosen = None
        if wanted is not None:
            records = self.table.records
            for number in range(records.rowCount()):
                record = records.record(number)
                if record is not None and self._kind.subject(record) == wanted:
                    chosen = self._kind.key(record)
                    break
        self.table.select(chosen)

    def _subject_at(self, row: int) -> Subject | None:
        record = self.table.records.record(row)
        return self._kind.subject(record) if record is not None else None

    def _on_chosen(self, record: Any) -> None:
        if record is not None:
            self.desk.select(self._kind.subject(record))

    def _on_opened(self, record: Any) -> None:
        self.desk.show_view(self.opens_in, self._kind.subject(record))

    opens_in = "graph"
    """The view that drilling into a record leads to."""


def first_last(owner: str) -> tuple[Column[Any], Column[Any]]:
    """The columns of when something was seen first and last."""
    return (
        Column(
            "first seen",
            lambda r: clock_time(r.first_ns),
            lambda r: r.first_ns,
            width=90,
            tone=_dim,
            note=f"When {owner} was first seen or told of",
        ),
        Column(
            "last seen",
            lambda r: clock_time(r.last_ns),
            lambda r: r.last_ns,
            width=90,
            tone=_dim,
            note=f"When {owner} was last seen in traffic or told of",
        ),
    )


def _dim(_record: Any) -> str:
    return "dim"


def namespace_column() -> Column[Any]:
    """The column of the namespace; the empty one is a dash."""
    return Column("namespace", lambda r: r.namespace or NOTHING, width=100, tone=_dim, shown=True)
