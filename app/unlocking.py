"""Unlocking and locking again: deliberate one way, one click the other way, and a countdown in between."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QRadioButton, QWidget

from app.desk import Desk
from app.place import Place
from app.widgets.confirm import ConfirmDialog
from app.widgets.controls import column, label
from app.widgets.format import clock_time
from broker.clock import SECOND, SystemClock
from broker.operate.commands import Lock, OutcomeWord, Report, Unlock
from broker.operate.operator import Confirmation
from broker.operate.permissions import PERMISSIONS, Permission, allows
from broker.operate.rules import UNLOCK_S

CHOICES: Final[dict[Permission, str]] = {
    "ask": "Ask: DISCOVER, PING and $node.*",
    "call": "Call: call actions, emit events; asks before each in production",
    "act": "Act: that, and breakers, broadcast, bench; asks before each",
}


class Unlocking(QObject):
    """What one sitting may do besides what it was opened with, and for how long still."""

    changed = Signal()
    """Say anew where we are and what we may do: every second while it is unlocked."""
    told = Signal(object)
    """A Report for the user."""

    def __init__(self, desk: Desk, place: Place, over: QWidget) -> None:
        """
        Args:
            desk: Of the sitting.
            place: Where we are.
            over: Over which is asked.
        """
        super().__init__(over)
        self._desk, self._place, self._over = desk, place, over
        self._was_unlocked = self._is_asked_for = False
        self._timer = QTimer(self)
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self.changed)
        desk.permission_changed.connect(self._on_permission)

    # how it stands

    @property
    def may(self) -> Permission:
        """What may be done now."""
        status = self._desk.status
        return status.may_now if status is not None else "see"

    @property
    def is_unlocked(self) -> bool:
        """Whether more may be done than the session was opened with."""
        status = self._desk.status
        return status is not None and status.unlocked_until_ns > 0

    @property
    def left_s(self) -> int:
        """How long it stays unlocked, in whole seconds."""
        status = self._desk.status
        if status is None or not status.unlocked_until_ns:
            return 0
        # the probe's clock is the one that locks again; what was heard last is as new as its ticks
        now_ns = self._desk.snapshot.through_ns or SystemClock().now_ns()
        return max(0, round((status.unlocked_until_ns - now_ns) / SECOND))

    @property
    def words(self) -> str:
        """For the chip: locked, unlocked and for how long; empty where nothing is to be said."""
        if self.is_unlocked:
            return f"unlocked {self.left_s // 60}:{self.left_s % 60:02}"
        return "locked" if self._place.is_locked and self.may == "see" else ""

    # what a user does

    def toggle(self) -> None:
        """Lock at once, or ask whether to unlock."""
        if self.is_unlocked:
            self.lock()
        else:
            self.ask()

    def lock(self) -> None:
        """Back to what the session was opened with, at once and without a question."""
        self._is_asked_for = True
        self._desk.submit(Lock(), self._on_locked)

    def ask(self, needs: str = "") -> ConfirmDialog | None:
        """Ask whether to unlock.

        Args:
            needs: The permission that somebody needs.

        Returns:
            The question; None where there is nothing to unlock, which is said.
        """
        profile = self._desk.profile
        if self._place.is_file or self.is_unlocked or self.may == "act":
            return None
        if profile is None:
            advice = "Close it and connect again with the permission that you need, or save it as a profile."
            self._tell("refused", f"This session was opened to {self.may}, and belongs to no profile.", advice)
            return None
        step = self._desk.may(Unlock("act", UNLOCK_S))
        until = clock_time(SystemClock().now_ns() + round(UNLOCK_S * SECOND))
        dialog = ConfirmDialog(
            self._over,
            title=f"Unlock {profile.name} for {UNLOCK_S / 60:.0f} minutes",
            act="Unlock",
            tone="failed" if profile.is_production else "held",
            about=f"{self._place.url} · now it may {self.may}",
            type_name=step.name if step.confirm == "type" else "",
            note=f"Locks itself at {until}, and is never made longer by itself.",
        )
        steps = {may: QRadioButton(text) for may, text in CHOICES.items() if not allows(self.may, may)}
        wanted = next((may for may in steps if may == needs), "call" if "call" in steps else "act")
        steps[wanted].setChecked(True)
        form = QWidget()
        form.setLayout(column(label("What it may do until then", "dim"), *steps.values(), spacing=6))
        dialog.set_form(form)
        dialog.say_hits(
            "A second connection to the bus is opened, one that may publish; it is closed again when it is locked. "
            "Nothing is sent by that alone. Each act is written into the audit log, before it is sent and after it.",
            "What will happen",
        )
        dialog.confirmed.connect(lambda typed: self._unlock(_chosen(steps), typed))
        dialog.open()
        return dialog

    def _unlock(self, may: Permission, typed: str) -> None:
        self._desk.submit(Unlock(may, UNLOCK_S), self._on_unlocked, confirmation=Confirmation(True, typed))

    # what becomes of it

    def _tell(self, outcome: OutcomeWord, message: str, advice: str) -> None:
        self.told.emit(Report(outcome, message, advice))

    def _on_unlocked(self, report: Report) -> None:
        if report.outcome != "done":
            self._tell(report.outcome, f"It is not unlocked. {report.message}".strip(), report.advice)

    def _on_locked(self, report: Report) -> None:
        if report.outcome != "done":
            self._tell(report.outcome, f"It is not locked. {report.message}".strip(), report.advice)

    def _on_permission(self) -> None:
        is_unlocked = self.is_unlocked
        if is_unlocked:
            self._timer.start()
        else:
            self._timer.stop()
        if self._was_unlocked and not is_unlocked and not self._is_asked_for:
            self._tell("partly", "Locked again.", "Its ten minutes are over, or the connection was lost.")
        self._was_unlocked, self._is_asked_for = is_unlocked, False
        self.changed.emit()


def _chosen(steps: dict[Permission, QRadioButton]) -> Permission:
    return next((may for may in PERMISSIONS if may in steps and steps[may].isChecked()), "ask")
