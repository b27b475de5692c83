"""What was sent before, and what was kept under a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QMenu, QSplitter, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from app.caller.answer_words import VERDICTS
from app.items.records import Column
from app.widgets.controls import button, label, row, section, set_text
from app.widgets.format import clock_time, date_time, duration_ms
from app.widgets.table import RecordTable
from broker.clock import SECOND
from broker.operate.calling.collection import Saved
from broker.operate.calling.history import Entry

DAY_S: Final = 86_400
TWO_LINES_PX: Final = 42
MOST_TIP_LETTERS: Final = 400
SAVED_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 1


def outcome_told(entry: Entry) -> str:
    """How it went, and where: "✓ shop-2", "▲ 422 VALIDATION_ERROR"."""
    text, _ = VERDICTS.get(entry.outcome, (entry.outcome, ""))
    if entry.outcome == "done":
        return f"✓ {entry.node_id}" if entry.node_id else "✓ sent"
    return f"▲ {entry.message}" if entry.outcome == "failed" and entry.message else text


def moment_told(entry: Entry, now_ns: int) -> str:
    """When: the time today, the date before."""
    is_recent = now_ns - entry.at_ns < DAY_S * SECOND
    return clock_time(entry.at_ns) if is_recent else date_time(entry.at_ns)[5:16]


class _Now:
    """The moment as of which history says "today"."""

    ns = 0


def _when(entry: Entry) -> str:
    took = f" · {duration_ms(entry.duration_ms)}" if entry.duration_ms else ""
    return f"{moment_told(entry, _Now.ns)}{took}"


def _tip(entry: Entry) -> str:
    lines = (entry.request.title, f"{date_time(entry.at_ns)} in {entry.place or 'this session'}", entry.message)
    return "\n".join(filter(None, (*lines, entry.request.params[:MOST_TIP_LETTERS])))


HISTORY_COLUMNS: Final[tuple[Column[Entry], ...]] = (
    Column(
        "what",
        lambda e: e.request.name if e.request.kind == "call" else f"{e.request.kind} {e.request.name}",
        lambda e: e.at_ns,
        width=0,
        tip=_tip,
        below=_when,
    ),
    Column(
        "outcome",
        lambda e: VERDICTS.get(e.outcome, (e.outcome, ""))[0],
        width=104,
        tone=lambda e: VERDICTS.get(e.outcome, ("", ""))[1],
        tip=outcome_told,
        below=lambda e: e.message or e.node_id or " ",
    ),
)


class PastPanel(QFrame):
    """History above, collections below. Enter or a double click takes one as template."""

    searched = Signal(str)
    taken = Signal(object, str)
    """A Request, and the name under which it is saved; "" for one of the history."""
    renamed = Signal(str)
    deleted = Signal(str)
    import_wanted = Signal()
    folder_wanted = Signal()
    forget_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.search = QLineEdit()
        self.search.setAccessibleName("Search the history")
        self.search.setPlaceholderText("Search: action, node, error, parameters")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.searched)
        self.history = RecordTable(
            "History",
            HISTORY_COLUMNS,
            lambda e: (e.at_ns, e.request.name),
            is_descending=True,
            row_px=TWO_LINES_PX,
            nothing="Nothing sent yet.",
        )
        self.history.horizontalHeader().hide()
        self.history.opened.connect(lambda entry: self.taken.emit(entry.request, ""))
        self.history.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.history.customContextMenuRequested.connect(self._history_menu)
        self.history_note = label("", "small", name="About the history")
        self.saved = QTreeWidget()
        self.saved.setAccessibleName("Collections")
        self.saved.setHeaderHidden(True)
        self.saved.setIndentation(14)
        self.saved.itemDoubleClicked.connect(lambda item, _column: self._take(item))
        self.saved.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.saved.customContextMenuRequested.connect(self._saved_menu)
        self.saved.installEventFilter(self)
        self.saved_note = label("", "small", wraps=True, name="About collections")
        self.take_in = button("Import…", self.import_wanted.emit, role="link", name="Import requests")
        self.folder = button("Folder…", self.folder_wanted.emit, role="link", name="Choose the folder of collections")
        self._lay_out()

    def _lay_out(self) -> None:
        above, below = QWidget(), QWidget()
        top = QVBoxLayout(above)
        top.setContentsMargins(1, 10, 1, 0)
        top.setSpacing(6)
        head = row(section("History"), None, self.history_note)
        head.setContentsMargins(13, 0, 13, 0)
        search = row(self.search)
        search.setContentsMargins(12, 0, 12, 0)
        top.addLayout(head)
        top.addLayout(search)
        top.addWidget(self.history, 1)
        bottom = QVBoxLayout(below)
        bottom.setContentsMargins(1, 8, 1, 8)
        bottom.setSpacing(4)
        title = row(section("Collections"), None, self.take_in, self.folder, spacing=2)
        title.setContentsMargins(13, 0, 8, 0)
        note = row(self.saved_note)
        note.setContentsMargins(13, 0, 13, 0)
        bottom.addLayout(title)
        bottom.addWidget(self.saved, 1)
        bottom.addLayout(note)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(above)
        split.addWidget(below)
        split.setSizes([330, 260])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)

    # what it shows

    def show_history(self, entries: Sequence[Entry], total: int, now_ns: int) -> None:
        """Show these of all that is kept."""
        _Now.ns = now_ns
        self.history.show_records(list(entries))
        searched = self.search.text().strip()
        set_text(self.history_note, f"{len(entries)} of {total}" if searched else f"{total}" if total else "")

    def show_saved(self, saved: Sequence[Saved], note: str = "") -> None:
        """Show what is kept under a name; groups that were closed stay closed."""
        closed = {self._group_of(item) for item in self._groups() if not item.isExpanded()}
        current = self.current_name
        self.saved.clear()
        groups: dict[str, QTreeWidgetItem] = {}
        for one in saved:
            item = QTreeWidgetItem([f"▲ {one.title}" if one.request is None else one.title])
            item.setData(0, SAVED_ROLE, one)
            item.setToolTip(0, one.wrong or (one.request.title if one.request else ""))
            self._holder(one.group, groups).addChild(item)
            if one.name == current:
                self.saved.setCurrentItem(item)
        for item in self._groups():
            item.setExpanded(self._group_of(item) not in closed)
        set_text(self.saved_note, note)
        self.saved_note.setVisible(bool(note))

    @property
    def current_name(self) -> str:
        """The name of the request that is selected; "" for none."""
        item = self.saved.currentItem()
        one = item.data(0, SAVED_ROLE) if item is not None else None
        return one.name if isinstance(one, Saved) else ""

    def saved_texts(self) -> list[str]:
        """What stands there, deeper ones indented."""
        return [f"{'  ' * depth}{item.text(0)}" for item, depth in self._items()]

    def select_saved(self, name: str) -> None:
        """Select what is kept under a name."""
        for item, _ in self._items():
            one = item.data(0, SAVED_ROLE)
            if isinstance(one, Saved) and one.name == name:
                self.saved.setCurrentItem(item)

    # inside

    def _holder(self, group: str, groups: dict[str, QTreeWidgetItem]) -> QTreeWidgetItem:
        if not group:
            return self.saved.invisibleRootItem()
        if group not in groups:
            above, _, title = group.rpartition("/")
            made = QTreeWidgetItem([title])
            self._holder(above, groups).addChild(made)
            groups[group] = made
        return groups[group]

    def _items(self, above: QTreeWidgetItem | None = None, depth: int = 0) -> list[tuple[QTreeWidgetItem, int]]:
        """All items with their depth, as they stand."""
        root = above if above is not None else self.saved.invisibleRootItem()
        found: list[tuple[QTreeWidgetItem, int]] = []
        for number in range(root.childCount()):
            inner = root.child(number)
            if inner is not None:
                found += [(inner, depth), *self._items(inner, depth + 1)]
        return found

    def _groups(self) -> list[QTreeWidgetItem]:
        return [item for item, _ in self._items() if item.childCount()]

    def _group_of(self, item: QTreeWidgetItem) -> str:
        above = item.parent()
        return f"{self._group_of(above)}/{item.text(0)}" if above is not None else item.text(0)

    def _take(self, item: QTreeWidgetItem | None) -> None:
        one = item.data(0, SAVED_ROLE) if item is not None else None
        if isinstance(one, Saved) and one.request is not None:
            self.taken.emit(one.request, one.name)

    def _history_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        entry = self.history.records.record(self.history.currentIndex().row())
        if isinstance(entry, Entry):
            menu.addAction("Use as template", lambda: self.taken.emit(entry.request, ""))
        menu.addAction("Forget all of the history…", self.forget_wanted.emit)
        menu.popup(self.history.viewport().mapToGlobal(at))

    def _saved_menu(self, at: QPoint) -> None:
        item = self.saved.itemAt(at)
        one = item.data(0, SAVED_ROLE) if item is not None else None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if isinstance(one, Saved):
            if one.request is not None:
                menu.addAction("Use", lambda: self._take(item))
            menu.addAction("Rename or move…\tF2", lambda: self.renamed.emit(one.name))
            menu.addAction("Delete…\tDel", lambda: self.deleted.emit(one.name))
            menu.addSeparator()
        menu.addAction("Import…", self.import_wanted.emit)
        menu.popup(self.saved.viewport().mapToGlobal(at))

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Keys of the collections: Enter, F2, Del."""
        if watched is self.saved and isinstance(event, QKeyEvent) and event.type() == QKeyEvent.Type.KeyPress:
            name = self.current_name
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
                self._take(self.saved.currentItem())
                return bool(name)
            if name and event.key() == Qt.Key.Key_F2:
                self.renamed.emit(name)
                return True
            if name and event.key() == Qt.Key.Key_Delete:
                self.deleted.emit(name)
                return True
        return super().eventFilter(watched, event)
