"""The graph as a table: for those who sort, and for those who are read to."""

from __future__ import annotations

from typing import Final, NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.columns import figure_columns
from app.graph.looks import key_of, telling, wire_key
from app.items.records import Column, in_order
from app.widgets.table import RecordTable
from broker.mesh.answers import Figures, Topology
from broker.mesh.subject import Subject

_WORDS: Final = {"none": "–", "ok": "fine", "slow": "◷ needs a look", "failed": "▲ failing"}


class Row(NamedTuple):
    """A card or a connection.

    Attributes:
        key: Its key on the canvas.
        what: "service", "calls", "events", ...
        name: Of the card, or of the caller.
        other: Of the called, or the instances of a card.
    """

    key: str
    what: str
    name: str
    other: str
    state: str
    health: str
    figures: Figures
    subject: Subject


COLUMNS: Final[tuple[Column[Row], ...]] = (
    Column("what", lambda row: row.what, width=80, tone=lambda _row: "dim"),
    Column("from, or name", lambda row: row.name, width=200),
    Column("to, or nodes", lambda row: row.other, width=0),
    Column("state", lambda row: row.state, width=150, tone=lambda row: row.health),
    *figure_columns(lambda row: row.figures),
)


def rows_of(topology: Topology) -> list[Row]:
    """A row for each card and each connection."""
    titles = {node.key: node.title for node in topology.nodes}
    rows = []
    for node in topology.nodes:
        state = "offline" if node.offline else "declared, silent" if node.silent else _WORDS[node.health]
        supposed = " (supposed)" if node.supposed else ""
        tone = node.health if node.health in ("slow", "failed") else ""
        rows.append(
            Row(
                node.key,
                node.kind,
                node.title,
                ", ".join(node.instances),
                state + supposed,
                tone,
                telling(node)[0],
                node.subject,
            )
        )
    for edge in topology.edges:
        tone = edge.health if edge.health in ("slow", "failed") else ""
        what = "calls" if edge.kind == "call" else "events"
        ends = titles.get(edge.source, edge.source), titles.get(edge.target, edge.target)
        rows.append(Row(wire_key(edge), what, *ends, _WORDS[edge.health], tone, edge.figures, edge.subject))
    return rows


class GraphTable(QWidget):
    """The rows of a graph, sorted by any column."""

    chosen = Signal(str)
    """The key of a card or connection was selected; "" for none."""
    opened = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = RecordTable(
            "The graph as a table: cards and connections",
            COLUMNS,
            lambda row: row.key,
            self,
            sorted_by=4,
            is_descending=True,
        )
        self._topology: Topology | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 10)
        layout.addWidget(self.table)
        self.table.chosen.connect(lambda row: self.chosen.emit(row.key if row is not None else ""))
        self.table.opened.connect(lambda row: self.opened.emit(row.key))
        self.table.sort_changed.connect(self._refresh)

    def show_topology(self, topology: Topology, selection: Subject | None) -> None:
        """Show another answer; the selection stays."""
        self._topology = topology
        self._refresh()
        self.table.select(key_of(topology, selection) or None)

    def _refresh(self) -> None:
        if self._topology is not None:
            column, is_descending = self.table.order
            self.table.show_records(in_order(rows_of(self._topology), column, is_descending=is_descending))
