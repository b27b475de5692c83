"""Caller: call an action, emit an event, see what came back, and find again what was sent before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout

from app.caller.answer_panel import AnswerPanel
from app.caller.asking import ask_before
from app.caller.bench_dialog import BenchDialog
from app.caller.catalogue import Catalogue, catalogue
from app.caller.copy_menu import copy_menu
from app.caller.digest import NOTHING, LastAnswers, Shown, digest
from app.caller.idle import show_idle
from app.caller.past_book import PastBook
from app.caller.past_panel import PastPanel
from app.caller.request_panel import RequestPanel
from app.caller.sender import Sender
from app.caller.shelf import Shelf
from app.caller.variables_dialog import VariablesDialog
from app.caller.wording import VERBS, as_written, hits_told, where_told
from app.desk import Desk
from app.live import LiveView
from app.permits import allow
from app.views.registry import MAIN, View, register
from broker.mesh.receivers import Receivers, receivers
from broker.mesh.timeline import Snapshot
from broker.mesh.trace import TracedCall, trace_calls
from broker.observe.ids import id64
from broker.operate.calling.request import Problem, Request, problems
from broker.operate.commands import Bench, Call, Report
from broker.operate.masks import Masks
from broker.operate.operator import Confirmation

LOOKED_S: Final = 10.0
"""For so long after an answer the timeline is asked what the call set off: its rows come a little later."""


class CallerView(LiveView):
    """Three panels: what is sent, what came back, what was sent before."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, every_ms=2000)
        self._known: Catalogue | None = None
        self._receivers: Receivers | None = None
        self._last = LastAnswers()
        self._answered_s = 0.0
        self.request = RequestPanel(partial(desk.keep, self))
        self.answer = AnswerPanel()
        self.past = PastPanel()
        self.courier = Sender(desk, self)
        self.past_book = PastBook(self, desk, self.past)
        self.shelf = Shelf(self, desk, self.past, self.request.request)
        self._lay_out()
        self._connect()
        self._add_keys()
        self.setFocusProxy(self.request.action_box)
        self.past_book.show()
        self.shelf.show()
        self._take_template()
        self._weigh()

    def _lay_out(self) -> None:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(10)
        split.setStyleSheet("QSplitter::handle { background: transparent; }")
        split.setChildrenCollapsible(False)
        for number, (panel, least, stretch) in enumerate(
            ((self.request, 340, 5), (self.answer, 320, 6), (self.past, 230, 3))
        ):
            panel.setMinimumWidth(least)
            split.addWidget(panel)
            split.setStretchFactor(number, stretch)
        split.setSizes([420, 500, 300])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 12)
        layout.addWidget(split)

    def _connect(self) -> None:
        request, desk = self.request, self.desk
        request.changed.connect(self._weigh)
        request.subject_changed.connect(self._on_subject)
        request.send.clicked.connect(lambda _checked: self.send())
        request.anyway.clicked.connect(lambda _checked: self.send(anyway=True))
        request.cancel.clicked.connect(self.courier.cancel)
        request.save.clicked.connect(lambda _checked: self.shelf.save())
        request.copy.clicked.connect(self._open_copy_menu)
        request.bench.clicked.connect(self.open_bench)
        request.variables.clicked.connect(self.open_variables)
        self.courier.changed.connect(self._on_sender)
        self.courier.ended.connect(self._on_ended)
        self.answer.subject_chosen.connect(lambda subject: desk.show_view("latency", subject))
        self.past.taken.connect(self._on_taken)
        self.shelf.changed.connect(self._weigh)
        desk.permission_changed.connect(self._weigh)
        desk.template_wanted.connect(self._take_template)
        desk.masks_changed.connect(self._use_masks)

    def _add_keys(self) -> None:
        within = Qt.ShortcutContext.WidgetWithChildrenShortcut
        acts: dict[str, Callable[[], object]] = {
            "Ctrl+Return": self.send,
            "Ctrl+Enter": self.send,
            "Ctrl+S": self.shelf.save,
            "Ctrl+Shift+S": self.shelf.save_as,
            "Ctrl+L": self._find,
        }
        for keys, act in acts.items():
            QShortcut(QKeySequence(keys), self, context=within).activated.connect(act)
        self._esc = QShortcut(QKeySequence("Esc"), self, context=within)
        self._esc.activated.connect(self.courier.cancel)
        self._esc.setEnabled(False)

    @property
    def has_heard(self) -> bool:
        """Whether anything is known that could be called."""
        return self._known is not None and bool(self._known.actions)

    # what is asked

    def showEvent(self, event: QShowEvent) -> None:
        """Whoever comes back sees what git, an editor or another window changed."""
        super().showEvent(event)
        self.shelf.show()
        self.past_book.show()

    def refresh(self) -> None:
        """Ask what can be called."""
        question = partial(catalogue, self.desk.span(), self.desk.namespace)
        self.desk.ask(self, "catalogue", question, self._show_known)
        if self.request.kind.value != "call":
            self._ask_receivers()
        if perf_counter() - self._answered_s < LOOKED_S:
            self._ask_did()

    def retheme(self) -> None:
        """Take the colours of the theme in use."""
        self.request.retint()
        self.answer.retint()
        self.past.history.viewport().update()

    def _show_known(self, known: Catalogue) -> None:
        self._known = known
        self.request.show_known(known)
        self._weigh()

    def _on_subject(self) -> None:
        if self.request.kind.value == "call":
            self.request.show_receivers(None)
        else:
            self._ask_receivers()

    def _ask_receivers(self) -> None:
        request = self.request.request()
        question = partial(_receivers, request)
        self.desk.ask(self, "receivers", question, self._show_receivers)

    def _show_receivers(self, found: Receivers) -> None:
        self._receivers = found
        is_event = self.request.kind.value != "call" and bool(self.request.event_box.text)
        self.request.show_receivers(found if is_event else None)

    def _ask_did(self) -> None:
        shown = self.answer.shown
        answer = shown.report.answer if shown is not None else None
        if answer is not None and answer.request_id:
            question = partial(_did, id64(answer.request_id))
            self.desk.ask(self, "did", question, partial(self._show_did, answer.request_id))

    def _show_did(self, request_id: str, calls: list[TracedCall]) -> None:
        shown = self.answer.shown
        if shown is not None and shown.report.answer is not None and shown.report.answer.request_id == request_id:
            self.answer.show_did(calls)

    # what may be sent

    def problems(self) -> tuple[list[Problem], list[Problem]]:
        """What keeps the request from being sent: mistakes, and what the service would refuse."""
        request = self.request.request()
        found = problems(request, self.desk.keeping.values)
        node = self._known.nodes.get((request.namespace, request.node_id)) if self._known and request.node_id else None
        if node is not None and not node.is_online:
            found.append(Problem("node", f"{node.node_id} is offline: choose another node, or let it be balanced."))
        refused = [] if found else [Problem("params", one.message) for one in self.request.params.problems()]
        return found, refused

    def _weigh(self) -> None:
        """Enable what is possible now, and say why the rest is not."""
        request = self.request.request()
        mistakes, refused = self.problems() if request.name else ([], [])
        verdict = self.desk.may(as_written(request))
        is_busy = self.courier.is_busy
        can = bool(request.name) and not mistakes and verdict.allowed and not is_busy
        wrong = [*mistakes, *refused]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        why_not = verdict.why or (f"{wrong[0].message}{more}" if wrong else "")
        missing = why_not or ("" if request.name else "Choose what to send first.") or ("It is under way." * is_busy)
        needs = as_written(request).needs
        allow(self.request.send, needs, missing, "Ctrl+Enter")
        self.request.anyway.setVisible(can and bool(refused))
        allow(self.request.anyway, needs, verdict.why, "Its schema says no")
        may_bench = self.desk.may(Bench(Call(request.namespace, request.name)))
        allow(self.request.bench, "act", may_bench.why or missing, "Call it again and again, and measure")
        self.request.show_name(self.shelf.name)
        for made in (self.request.save, self.request.copy):
            made.setEnabled(bool(request.name))
        self.request.show_problem(why_not, is_mistake=verdict.allowed)
        if self.answer.shown is None and not is_busy:
            show_idle(self.answer, self.desk, self._known, request, why_not)

    # sending

    def send(self, *, anyway: bool = False) -> None:
        """Send what is written, after a second step where one is wanted.

        Args:
            anyway: Although the service would refuse it, as far as its schema says.
        """
        request = self.request.request()
        if self.request.is_choosing:
            return  # half a name is not what shall be called
        self.request.find_box.close_list()
        mistakes, refused = self.problems()
        if self.courier.is_busy or mistakes or (refused and not anyway):
            self._weigh()
            if mistakes and mistakes[0].field == "name":
                self._find()
            return
        command = as_written(request)
        if not self.desk.may(command).allowed:
            self._weigh()
            return
        verb = VERBS[request.kind]
        ask_before(
            self,
            self.desk,
            command,
            partial(self._go, request),
            title=f"{verb} {request.name}?",
            act=verb,
            about=where_told(request),
            hits=hits_told(request, self._receivers),
            note="What was sent cannot be taken back.",
            asks_always=request.kind == "broadcast",
            tone="failed" if request.kind == "broadcast" else "slow",
        )

    def _go(self, request: Request, confirmation: Confirmation) -> None:
        self.answer.shown = None
        files = self.request.files
        is_call = request.kind == "call"
        self.courier.send(
            request,
            self.desk.keeping.values,
            confirmation,
            upload=files.upload if is_call else None,
            download=files.download if is_call else None,
        )

    def _on_sender(self) -> None:
        sending = self.courier.sending
        self.request.show_busy(is_busy=sending is not None)
        self._esc.setEnabled(sending is not None)
        if sending is not None:
            verb = "Cancelling" if sending.is_cancelled else "Waiting for"
            timeout_ms = sending.request.timeout_ms if sending.request.kind == "call" else 0.0
            what = f"{verb} {sending.request.name}"
            self.answer.show_waiting(what, self.courier.elapsed_s, sending.progress, timeout_ms)
        else:
            self._weigh()

    def _on_ended(self, request: Request, report: Report) -> None:
        self.past_book.keep(request, report)
        before = self._last.get(request)
        question = partial(_digest, request, report, before, self.desk.keeping.masks)
        self.desk.ask(self, "digest", question, self._show_answer)

    def _show_answer(self, shown: Shown) -> None:
        if shown.report.answer is not None and shown.value is not NOTHING and shown.error is None:
            self._last.keep(shown.request, shown.report.answer, shown.value)
        self.answer.show_answer(shown)
        self._answered_s = perf_counter()
        self._ask_did()

    # what was sent before

    def _on_taken(self, request: Request, name: str) -> None:
        self.shelf.name = name
        self.answer.shown = None
        self.request.show_request(request)
        self.request.setFocus()

    def _take_template(self) -> None:
        template, self.desk.template = self.desk.template, None
        if template is not None:
            self.shelf.name = ""
            self.answer.shown = None
            self.request.show_request(template.request, " ".join(template.notes))

    def _use_masks(self) -> None:
        """Other values are secret from now on; what is on screen is made ready again, compared with nothing."""
        self.desk.keeping.use_masks(self.desk.masks)
        shown = self.answer.shown
        if shown is not None:
            question = partial(_digest, shown.request, shown.report, NOTHING, self.desk.masks)
            self.desk.ask(self, "digest", question, self.answer.show_answer)

    # what opens

    def _find(self) -> None:
        self.request.find_box.setFocus()
        self.request.find_box.edit.selectAll()
        self.request.find_box.open()

    def _open_copy_menu(self) -> None:
        menu = copy_menu(self, self.request.request(), self.desk.keeping, self.request.say)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.request.copy.mapToGlobal(self.request.copy.rect().bottomLeft()))

    def open_bench(self) -> BenchDialog:
        """Ask how the action on screen is to be measured."""
        dialog = BenchDialog(self, self.desk, self.request.request(), self.desk.keeping)
        dialog.open()
        return dialog

    def open_variables(self) -> VariablesDialog:
        """Show what variables there are."""
        dialog = VariablesDialog(self, self.desk)
        dialog.changed.connect(self._weigh)
        dialog.open()
        return dialog


def _digest(request: Request, report: Report, before: object, masks: Masks, _snapshot: Snapshot) -> Shown:
    return digest(request, report, before, masks)


def _receivers(request: Request, snapshot: Snapshot) -> Receivers:
    return receivers(snapshot, request.namespace, request.name, request.groups)


def _did(trace: int, snapshot: Snapshot) -> list[TracedCall]:
    return trace_calls(snapshot, trace)


register(View(id="caller", title="Caller", area=MAIN, order=110, icon="send-outline", build=CallerView, is_whole=True))
