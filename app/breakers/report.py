"""What became of it: a row for each target, and the offer to take back what was done."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QWidget

from app.items.records import Column
from app.widgets.controls import Tone, button, column, label, row, set_property, set_text
from app.widgets.table import ROW_PX, RecordTable
from broker.operate.breaking.carrying import Carrying
from broker.operate.commands import Report, TargetReport

WIDTH_PX, LEAST_PX, MOST_PX = 720, 200, 520
SIGNS: Final[dict[str, tuple[str, Tone]]] = {
    "done": ("✓ done", "ok"),
    "partly": ("◷ partly", "slow"),
    "refused": ("▲ refused", "failed"),
    "failed": ("▲ failed", "failed"),
    "cancelled": ("● cancelled", "dim"),
    "unknown": ("? unknown", "slow"),
}
COLUMNS: Final[tuple[Column[TargetReport], ...]] = (
    Column("breaker", lambda r: r.target, width=270),
    Column("outcome", lambda r: SIGNS[r.outcome][0], width=100, tone=lambda r: SIGNS[r.outcome][1]),
    Column("what the helper says", lambda r: r.message, width=0),
)


class ReportDialog(QDialog):
    """Fills in while answers come."""

    undo_wanted = Signal(object)
    """The Carrying whose effects shall be taken back."""

    def __init__(self, over: QWidget, carrying: Carrying | None, report: Report) -> None:
        """
        Args:
            over: Over whose window it stands.
            carrying: What is on its way; None if nothing was sent.
            report: As far as it is known.
        """
        super().__init__(over, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName("What became of it")
        self.setWindowTitle("What became of it")
        self.carrying = carrying
        self._title = label("", "title", name="Outcome")
        self._advice = label("", "dim", wraps=True)
        self.table = RecordTable("Targets", COLUMNS, lambda r: r.target, nothing="Nothing was sent.")
        self.undo = button("Undo what was done", self._undo, icon="undo-variant")
        self.close_button = button("Close", self.accept, role="primary")
        self.close_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        edge = QFrame()
        edge.setProperty("role", "confirm")
        inside = column(self._title, self._advice, self.table, row(self.undo, None, self.close_button), spacing=12)
        inside.setContentsMargins(22, 18, 22, 18)
        edge.setLayout(inside)
        self.setLayout(column(edge))
        self.show_report(report)
        self.close_button.setFocus()

    def show_results(self) -> None:
        """Show what is known by now."""
        if self.carrying is not None:
            self.show_report(self.carrying.report())

    def show_report(self, report: Report) -> None:
        """Show a report."""
        is_over = self.carrying is None or self.carrying.is_over
        word, tone = SIGNS[report.outcome]
        set_text(self._title, f"{word[:1]} {report.message}" if is_over else self._waiting())
        set_property(self._title, "tone", tone if is_over else "")
        set_text(self._advice, report.advice)
        self._advice.setVisible(bool(report.advice))
        self.table.show_records(report.targets)
        self.resize(WIDTH_PX, min(MOST_PX, LEAST_PX + ROW_PX * len(report.targets)))
        done = sum(target.outcome in ("done", "unknown") for target in report.targets)
        rest = len(report.targets) - done
        set_text(self.undo, "Undo the rest" if rest and done else "Undo what was done")
        self.undo.setVisible(is_over and done > 0)

    @property
    def text(self) -> str:
        """What it says above its rows."""
        return f"{self._title.text()} {self._advice.text()}".strip()

    def _waiting(self) -> str:
        assert self.carrying is not None  # noqa: S101 - asked by the only caller
        return f"{len(self.carrying.results()):,} of {len(self.carrying.plan.steps):,} answered…"

    def _undo(self) -> None:
        carrying = self.carrying
        self.accept()
        if carrying is not None:
            self.undo_wanted.emit(carrying)
