"""What stands below the board: the matrix, every change, the holds in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.breaker_words import sign_of, source_of
from app.breakers.cards import SIGNS, WORDS, left_text
from app.items.records import Column
from app.permits import allow
from app.widgets.choice_chip import ChoiceChip
from app.widgets.controls import Tone, button, column, label, row, set_text
from app.widgets.format import clock_time, count
from app.widgets.state_matrix import ROW_PX, UPRIGHT_PX, Mark, StateMatrix
from app.widgets.table import RecordTable
from broker.mesh.breaker_matrix import CELLS, Matrix
from broker.mesh.breaker_states import Breaker, BreakerChange, BreakerKey

_MARKS: Final = {"closed": "dot", "off": "ring"}
_OFF: Final[tuple[str, Tone]] = ("closed, breaker off", "dim")


def _mark(state: str) -> Mark:
    if state == "off":
        return Mark(_MARKS["off"], _OFF[1], _OFF[0])
    return Mark(_MARKS.get(state) or SIGNS[state], sign_of(state)[1] or "dim", WORDS.get(state, state))


MARKS: Final = tuple(_mark(state) for state in CELLS[1:])
LEGEND: Final = (
    "● closed   ○ closed, breaker off   ▬ open   ◐ half-open   ❚❚ held open   ▶ held closed   ? not seen yet"
)


class MatrixPanel(QWidget):
    """Every caller node by every endpoint, or by every node."""

    chosen = Signal(object)
    """A BreakerKey; its action is empty where the column is a node."""
    opened = Signal(object)
    menu_wanted = Signal(object, QPoint)
    columns_wanted = Signal(bool)
    """Whether a column shall be a node instead of an endpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.table = StateMatrix("Every caller by every endpoint", "caller \\ endpoint", MARKS)
        self.table.setMinimumHeight(UPRIGHT_PX + ROW_PX)
        self.by = ChoiceChip("Columns", "Whether a column is an endpoint or a whole node")
        self.by.offer({"endpoint": "endpoints", "node": "nodes"}, "endpoint")
        self.by.picked.connect(lambda value: self.columns_wanted.emit(value == "node"))
        self._left_out = label("", "small", tone="slow")
        self._matrix: Matrix | None = None
        foot = row(label(LEGEND, "small", name="What the signs mean"), None, self._left_out, self.by)
        foot.setContentsMargins(12, 2, 8, 6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.table, 1)
        layout.addLayout(foot)
        self.table.chosen.connect(lambda r, c: self.chosen.emit(self.key_at(r, c)))
        self.table.opened.connect(lambda r, c: self.opened.emit(self.key_at(r, c)))
        self.table.menu_wanted.connect(lambda r, c, at: self.menu_wanted.emit(self.key_at(r, c), at))
        self.table.tell = self._tell
        self.setFocusProxy(self.table)

    def show_matrix(self, found: Matrix, *, has_spaces: bool) -> None:
        """Show what there is.

        Args:
            found: The matrix.
            has_spaces: Whether names need their namespace to be told apart.
        """
        self._matrix = found

        def name(namespace: str, node_id: str) -> str:
            return f"{namespace or '-'}/{node_id}" if has_spaces else node_id

        rows = [name(*caller) for caller in found.callers]
        columns = [
            (one.action or name(one.namespace, one.node_id), name(one.namespace, one.node_id) if one.action else "")
            for one in found.endpoints
        ]
        self.table.show_states(rows, columns, found.cells)
        set_text(self._left_out, f"{count(found.left_out)} rows and columns left out" if found.left_out else "")

    def select(self, key: BreakerKey | None) -> None:
        """Select the cell of a breaker, if there is one."""
        self.table.select(self._cell(key) if key is not None else None)

    def key_at(self, at_row: int, at_column: int) -> BreakerKey:
        """Which breaker a cell means."""
        assert self._matrix is not None  # noqa: S101 - a cell was chosen
        caller, endpoint = self._matrix.callers[at_row], self._matrix.endpoints[at_column]
        return BreakerKey(caller.namespace, caller.node_id, endpoint.node_id, endpoint.action)

    def _cell(self, key: BreakerKey) -> tuple[int, int] | None:
        found = self._matrix
        if found is None:
            return None
        rows = {(one.namespace, one.node_id): at for at, one in enumerate(found.callers)}
        columns = {tuple(one): at for at, one in enumerate(found.endpoints)}
        at_row = rows.get((key.namespace, key.owner))
        at_column = columns.get((key.namespace, key.node_id, key.action))
        return (at_row, at_column) if at_row is not None and at_column is not None else None

    def _tell(self, at_row: int, at_column: int) -> str:
        key = self.key_at(at_row, at_column)
        word = self.table.word(at_row, at_column) or "no calls seen in this window"
        return f"{key.owner} → {key.endpoint if key.action else key.node_id}\n{word}"


def _change_word(state: str) -> str:
    return {"gone": "gone", "unknown": "not seen"}.get(state, WORDS.get(state, state))


CHANGES: Final[tuple[Column[BreakerChange], ...]] = (
    Column("when", lambda c: clock_time(c.at_ns), lambda c: c.at_ns, width=86, tone=lambda _c: "dim"),
    Column("caller", lambda c: c.key.owner, width=110),
    Column("endpoint", lambda c: c.key.endpoint, width=170),
    Column("was", lambda c: _change_word(c.was), width=86, tone=lambda _c: "dim"),
    Column(
        "is",
        lambda c: sign_of(c.state)[0] if c.state not in ("gone", "unknown") else _change_word(c.state),
        width=100,
        tone=lambda c: sign_of(c.state)[1] or "dim",
    ),
    Column("why", lambda c: c.reason, width=0, least=200),
    Column("by", lambda c: c.by, width=120, tone=lambda _c: "dim"),
    Column("known from", lambda c: source_of(c.source), width=150, tone=lambda _c: "dim"),
)


def changes_table() -> RecordTable:
    """Every change of every breaker in the window, newest first."""
    return RecordTable(
        "Changes of breakers",
        CHANGES,
        lambda c: (c.at_ns, c.key, c.was, c.state),
        is_descending=True,
        nothing="No breaker moved in this window.",
    )


class HoldsPanel(QWidget):
    """All holds in force: whose, where, until when; with a way to end them."""

    chosen = Signal(object)
    """The Breaker that was selected, or None."""
    release_wanted = Signal(object)
    """A Breaker whose hold shall be ended."""
    release_mine_wanted = Signal()

    def __init__(self, me: str) -> None:
        super().__init__()
        self._me = me
        self._now_ns, self._mine, self._why = 0, 0, ""
        columns: tuple[Column[Breaker], ...] = (
            Column("caller", lambda b: b.key.owner, width=150),
            Column("endpoint", lambda b: b.key.endpoint, width=230),
            Column("state", lambda b: sign_of(b.state)[0], width=120, tone=lambda _b: "held"),
            Column("by", self._by, width=150, tone=lambda b: "" if b.by == me else "dim"),
            Column("left", self._left, lambda b: b.until_ns, is_number=True, width=90),
            Column("ends at", lambda b: clock_time(b.until_ns), width=86, tone=lambda _b: "dim"),
            Column("reason", lambda b: b.reason, width=0),
            Column("beneath", lambda b: b.under, width=90, tone=lambda _b: "dim"),
        )
        self.table = RecordTable(
            "Holds in force", columns, lambda b: (b.key, b.hold), nothing="Nothing is held by hand."
        )
        self.release = button("Release", self._release, name="Release the selected hold")
        self.release_mine = button("Release all mine", self.release_mine_wanted.emit, icon="hand-back-left-off-outline")
        self._counts = label("", "dim", name="Holds")
        head = row(self._counts, None, self.release, self.release_mine)
        head.setContentsMargins(12, 0, 8, 0)
        layout = column(head, spacing=4)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self.table, 1)
        self.setLayout(layout)
        self.table.chosen.connect(self._choose)
        self.table.opened.connect(self.release_wanted)
        self.setFocusProxy(self.table)
        self.refuse("")

    def show_holds(self, holds: Sequence[Breaker], now_ns: int) -> None:
        """Show what is held."""
        self._now_ns = now_ns
        self.table.show_records(holds)
        mine = sum(one.by == self._me for one in holds)
        text = f"{count(len(holds))} held, {count(mine)} by you. They end by themselves, whoever is still there."
        set_text(self._counts, text if holds else "Holds are kept by the helpers, and end by themselves.")
        self._mine = mine
        self._weigh()

    def set_now(self, now_ns: int) -> None:
        """It is this moment."""
        self._now_ns = now_ns
        self.table.viewport().update()

    def refuse(self, why: str) -> None:
        """Why nothing can be released now; empty if it can."""
        self._why = why
        self._weigh()

    def _weigh(self) -> None:
        chosen = self.table.records.record(self.table.currentIndex().row())
        for made, missing in (
            (self.release, "" if chosen is not None else "Select a hold first."),
            (self.release_mine, "" if self._mine else "You hold nothing."),
        ):
            allow(made, "act", self._why or missing)

    def _choose(self, chosen: Breaker | None) -> None:
        self._weigh()
        self.chosen.emit(chosen)

    def _release(self) -> None:
        chosen = self.table.records.record(self.table.currentIndex().row())
        if chosen is not None:
            self.release_wanted.emit(chosen)

    def _by(self, held: Breaker) -> str:
        return "you" if held.by == self._me else held.by or "somebody"

    def _left(self, held: Breaker) -> str:
        return left_text(held.until_ns, self._now_ns) or "over"
