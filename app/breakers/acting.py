"""Setting breakers from the window: a dialog with a preview, signed calls, a report that offers to undo."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.breakers.dialog import BreakerDialog, PlanDialog
from app.breakers.report import ReportDialog
from app.breakers.wishes import Act
from app.desk import Desk
from broker.mesh.breaker_states import BreakerKey
from broker.operate.breaking.carrying import Carrying
from broker.operate.breaking.plan import Plan
from broker.operate.breaking.undo import undo
from broker.operate.commands import Report
from broker.operate.operator import Confirmation


class Acting(QObject):
    """Leads an operator through it."""

    def __init__(self, desk: Desk, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk, self._over = desk, parent
        self.dialog: PlanDialog | None = None
        self.report: ReportDialog | None = None

    def begin(self, act: Act, key: BreakerKey) -> None:
        """Ask what exactly, and show what it will hit."""
        self._open(BreakerDialog(self._desk, self._over, act, key))

    def release_mine(self, namespace: str) -> None:
        """Ask whether all own holds shall be ended."""
        self._open(PlanDialog.release_mine(self._desk, self._over, namespace))

    def undo(self, carrying: Carrying) -> None:
        """Ask whether what was done shall be taken back."""
        plan = undo(carrying.plan, carrying.results(), self._desk.snapshot.through_ns)
        self._open(PlanDialog(self._desk, self._over, "Undo", plan))

    def _open(self, dialog: PlanDialog) -> None:
        self.dialog = dialog
        dialog.plan_confirmed.connect(self._carry_out)
        dialog.open()

    def _carry_out(self, plan: Plan, typed: str) -> None:
        desk = self._desk
        if desk.sign_for is None:
            return  # the dialog does not let it come to this
        try:
            carrying = Carrying(plan, desk.sign_for(plan.wish.namespace))
        except ValueError as error:
            self._show_report(None, Report("refused", "Nothing was sent.", str(error)))
            return
        self._show_report(carrying, carrying.report())
        self._send(carrying, Confirmation(given=True, typed=typed))

    def _send(self, carrying: Carrying, confirmation: Confirmation) -> None:
        while (numbered := carrying.next_call(self._desk.snapshot.through_ns)) is not None:
            number, call = numbered
            answer = partial(self._answered, carrying, confirmation, number)
            self._desk.submit(call, answer, confirmation=confirmation, name=carrying.plan.name)

    def _answered(self, carrying: Carrying, confirmation: Confirmation, number: int, report: Report) -> None:
        carrying.take(number, report)
        self._send(carrying, confirmation)
        if self.report is not None and isValid(self.report) and self.report.carrying is carrying:
            self.report.show_results()

    def _show_report(self, carrying: Carrying | None, report: Report) -> None:
        self.report = ReportDialog(self._over, carrying, report)
        self.report.undo_wanted.connect(self.undo)
        self.report.open()
