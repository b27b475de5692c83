"""The dialog before breakers are set: what is wanted, what it will hit, and the second step."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.breakers.form import BreakerForm
from app.breakers.wishes import TITLES, Act, command_line, wish_of
from app.desk import Desk
from app.widgets.confirm import ConfirmDialog
from app.widgets.controls import Tone, button, column, label, row, set_text
from app.widgets.format import clock_time, count
from broker.clock import SECOND
from broker.mesh.breaker_states import BreakerKey
from broker.mesh.timeline import Snapshot
from broker.operate.breaking.plan import Plan
from broker.operate.breaking.planning import plan as plan_for
from broker.operate.breaking.planning import release_mine
from broker.operate.breaking.snapshot import known_of
from broker.operate.breaking.wish import Wish
from broker.operate.commands import HELPER_COMMAND, Call

LOOKING = "Looking at what it will hit…"
AGAIN_MS = 2_000
"""How often what it will hit is asked anew while the dialog stands."""
TONES: dict[str, Tone] = {"hold open": "held", "hold closed": "held", "trip": "failed"}


class PlanDialog(ConfirmDialog):
    """Shows a plan, and asks for the second step."""

    plan_confirmed = Signal(object, str)
    """The Plan, and the name that was typed."""

    def __init__(self, desk: Desk, over: QWidget, title: str, plan: Plan | None, *, act: str = "", tone: Tone = "held"):
        """
        Args:
            desk: Knows what may be done.
            over: Over whose window it stands.
            title: What will be done.
            plan: What exactly; None while it is not known yet.
            act: What the button says; the title if left out.
            tone: Of its edge.
        """
        super().__init__(over, title=title, act=act or title, tone=tone)
        self._desk = desk
        self._plan: Plan | None = None
        self._warnings = label("", "small", wraps=True, tone="slow", name="To know before")
        self._warnings.hide()
        self.copy = button("Copy as command line", self._copy, role="link", icon="content-copy")
        self.confirmed.connect(self._confirm)
        desk.permission_changed.connect(self._weigh_plan)
        if plan is not None:
            self.set_form(column(self._warnings))
            self.show_plan(plan)

    @classmethod
    def release_mine(cls, desk: Desk, over: QWidget, namespace: str) -> PlanDialog:
        """Asks whether all holds of whoever is here shall be ended."""
        plan = release_mine(known_of(desk.snapshot, namespace), desk.me)
        return cls(desk, over, "Release all mine", plan)

    def show_plan(self, plan: Plan) -> None:
        """Show what would be done."""
        self._plan = plan
        self.say_hits("\n".join(plan.preview))
        second = (f"▲ {plan.second_warning}",) if plan.second_warning else ()
        warnings = "\n".join((*second, *plan.warnings, *self._not_now()))
        set_text(self._warnings, warnings)
        self._warnings.setVisible(bool(warnings))
        self._weigh_plan()

    def event(self, event: QEvent) -> bool:
        """Parts tell one after the other how high they are: each time it is made as high as they need."""
        is_taken = super().event(event)
        if event.type() is QEvent.Type.LayoutRequest:
            self._fit()
        return is_taken

    def _not_now(self) -> tuple[str, ...]:
        """Whoever looks back is told that acts are of now."""
        return () if self._desk.cursor.follows else ("This is done now, not at the time that is on screen.",)

    def missing(self) -> str:
        """What is missing in the form; empty for nothing."""
        return ""

    def _weigh_plan(self) -> None:
        plan = self._plan
        if plan is None:
            self.refuse(LOOKING)
            return
        verdict = self._desk.may(Call(plan.wish.namespace, HELPER_COMMAND), plan.name)
        self.require_name(plan.name if verdict.confirm == "type" else "")
        no_secret = "" if verdict.why else self._no_secret(plan)
        self.refuse(verdict.why or plan.refused or no_secret or self.missing())

    def _no_secret(self, plan: Plan) -> str:
        try:
            if self._desk.sign_for is not None:
                self._desk.sign_for(plan.wish.namespace)
                return ""
        except ValueError as error:
            return str(error)
        return "There is no secret to sign with."

    def _confirm(self, typed: str) -> None:
        if self._plan is not None:
            self.plan_confirmed.emit(self._plan, typed)

    def _copy(self) -> None:
        if self._plan is not None:
            desk = self._desk
            url = desk.status.url if desk.status is not None else ""
            where = desk.profile.name if desk.profile is not None else url
            QGuiApplication.clipboard().setText(command_line(where, self._plan.wish))


class BreakerDialog(PlanDialog):
    """Trip, hold, reset or release: asks for scope, duration and reason, and shows what they mean."""

    def __init__(self, desk: Desk, over: QWidget, act: Act, key: BreakerKey) -> None:
        title = f"{TITLES[act]}: {key.node_id} : {key.action}"
        super().__init__(desk, over, title, None, act=TITLES[act], tone=TONES.get(act, ""))
        self._key = key
        self.form = BreakerForm(act, key)
        self.instead = button("Hold it open instead", self._hold_instead, icon="pause-circle-outline")
        self.instead.hide()
        self.form.understood.hide()
        self.set_form(self.form)
        foot = column(self._warnings, self.form.understood, row(self.instead, None, self.copy), spacing=8)
        self.set_form(foot)
        self.form.changed.connect(self._inquire)
        self._again = QTimer(self)
        self._again.setInterval(AGAIN_MS)
        self._again.timeout.connect(self._inquire)
        self._again.start()
        self._inquire()

    def wish(self) -> Wish:
        """What is wanted; ValueError where the form cannot be read."""
        form = self.form
        return wish_of(
            form.act,
            self._key.namespace,
            form.wanted_scope(),
            for_s=form.for_s(),
            reason=form.reason.text().strip(),
            by=self._desk.me,
        )

    def missing(self) -> str:
        """What has to be given still."""
        plan, form = self._plan, self.form
        if plan is not None and plan.second_warning and not form.understood.isChecked():
            return "Say yes to the second warning."
        needs_reason = form.act in ("trip", "hold open", "hold closed")
        return "Give a reason." if needs_reason and not form.reason.text().strip() else ""

    def show_plan(self, plan: Plan) -> None:
        """Show it, with the second warning where everybody is stopped."""
        self.form.understood.setVisible(bool(plan.second_warning))
        self.instead.setVisible(plan.instead is not None)
        super().show_plan(plan)
        targets = f"{count(len(plan.steps))} breaker{'' if len(plan.steps) == 1 else 's'}"
        self.set_title(f"{TITLES[self.form.act]}: {self._what(plan)}", f"{plan.wish.scope} · {targets}")
        self.set_note(self._undoes_itself(plan))

    def _what(self, plan: Plan) -> str:
        scope = plan.wish.scope
        return f"{scope.node_id} : {scope.action}" if scope.node_id and scope.action else scope.name

    def _undoes_itself(self, plan: Plan) -> str:
        wish = plan.wish
        if wish.verb == "hold":
            ends_ns = self._desk.snapshot.through_ns + round(wish.for_s * SECOND)
            return f"undoes itself at {clock_time(ends_ns)}, even if this window is gone"
        if wish.verb == "trip":
            return "Moleculer tries again by itself after its half-open time"
        return ""

    def _inquire(self) -> None:
        try:
            wish = self.wish()
        except ValueError as error:
            self.refuse(str(error))
            return
        if self._plan is None or self._plan.wish != wish:
            self.refuse(LOOKING)  # what is shown is of another wish
        self._desk.ask(self, "plan", partial(_plan, wish), partial(self._take_plan, wish))

    def _take_plan(self, wish: Wish, plan: Plan) -> None:
        try:
            is_current = wish == self.wish()
        except ValueError:
            is_current = False
        if is_current:
            self.show_plan(plan)

    def _hold_instead(self) -> None:
        self.form.set_act("hold open")
        self.set_act(TITLES["hold open"])
        self._inquire()


def _plan(wish: Wish, snapshot: Snapshot) -> Plan:
    """In the worker."""
    return plan_for(wish, known_of(snapshot, wish.namespace))
