"""One sitting with one source: the probe fills a timeline, the desk hears of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from app.desk import Desk, TakeProgress, TakeReport
from app.errands import Errands
from broker.clock import SystemClock
from broker.demo import Demo, DemoError
from broker.mesh.timeline import Timeline
from broker.operate import log_masks
from broker.operate.audit import Audit, who
from broker.operate.commands import Command, Hide, Progress, Report
from broker.operate.dispatch import MAY_HAVE_RUN, Dispatch
from broker.operate.operator import Confirmation, Operator
from broker.operate.rules import Verdict
from broker.probe.client import PROBE_COMMAND, ProbeCallbacks, ProbeClient
from broker.probe.options import SessionOptions
from broker.probe.remote import RemoteProbe
from broker.probe.ssh import Machine
from broker.probe.status import ProbeStatus
from broker.transport import ConnectionSettings

log = logging.getLogger(__name__)
NO_MESH = "This is a capture: there is no mesh behind it, so nothing can be sent. Connect to the live mesh to send it."
OWN_REPORT = 0
"""The id of what the probe reports by itself: the session could not be opened, or ended."""


def of_a_capture(command: Command, name: str = "") -> Verdict:
    """What may be sent to a capture: nothing."""
    if command.needs == "see":
        return Verdict(True, name=name)
    return Verdict(False, NO_MESH, name=name)


class Waiting(NamedTuple):
    """Who waits for a command."""

    answer: TakeReport | None
    progress: TakeProgress | None


class Session(QObject):
    """Starts a probe for a source and ends it. The probe's callbacks come on its reader thread."""

    lost = Signal(str)
    """The sitting ended by itself; the message says why and what to do."""
    reported = Signal(object)
    """The Report of a command whose sender wanted no answer of its own."""
    _told = Signal(object)
    _answered = Signal(int, object)
    _advanced = Signal(int, object)
    _gone = Signal(str)

    def __init__(
        self,
        options: SessionOptions,
        argv: Sequence[str] = PROBE_COMMAND,
        *,
        operator: Operator | None = None,
        machine: Machine | None = None,
    ) -> None:
        """Begin nothing yet.

        Args:
            options: What to listen to, or which capture to read.
            argv: What starts the probe.
            machine: The other one on which it runs; None for this one.
            operator: Whose rules hold, and who writes down what is done; for a bus, those of a bare URL
                if it is left out.
        """
        super().__init__()
        if operator is None and options.url:
            redacted = ConnectionSettings.parse(options.url).redacted
            operator = Operator(Audit(), SystemClock(), url=redacted, base=options.may)
        self.timeline = Timeline()
        self.desk = Desk(self.timeline)
        self.desk.fetch_body = self._fetch_body
        self.desk.me = who()
        self.desk.run_command = self._run_command
        self.desk.judge = operator.check if operator is not None else of_a_capture
        self._operator = operator
        if operator is not None:
            log_masks.hide(operator.masks)
        self._options = options
        self._is_closing = False
        self._hidden = set(options.known_secrets)
        self._waiting: dict[int, Waiting] = {}
        self._told.connect(self.desk.set_status)
        self._answered.connect(self._answer)
        self._advanced.connect(self._advance)
        self._gone.connect(self._end)
        told = ProbeCallbacks(
            self.timeline.take, self._take_status, self._take_report, self._take_loss, self._take_progress
        )
        self._client = ProbeClient(told, argv) if machine is None else RemoteProbe(told, machine)
        # starting a process and filling its pipe takes as long as it takes: never on the GUI thread
        self._errands = Errands("probe")
        self._is_open = threading.Event()
        self._dispatch = Dispatch(self._send, self._take_answer, self._take_advance, operator)

    def start(self) -> None:
        """Start the probe. Failures come as `lost`."""
        self._errands.run(self._open)

    def close(self) -> None:
        """End the questions and the tick now, and the probe without waiting for it."""
        self._is_closing = True
        self._give_up("it was left")
        # the program waits for it, so that recordings are closed properly, and outcomes written down
        self._errands.run(self._end_probe)
        self.desk.close()
        self.desk.deleteLater()
        self.deleteLater()

    # from the reader thread

    def _take_status(self, status: ProbeStatus) -> None:
        if self._operator is not None:
            self._operator.learn(status.may_now, status.unlocked_until_ns)
        if not self._is_closing and isValid(self):
            self._told.emit(status)

    def _take_loss(self, message: str) -> None:
        if not self._is_closing and isValid(self):
            self._gone.emit(message)

    def _take_progress(self, number: int, progress: Progress) -> None:
        self._dispatch.take_progress(number, progress)

    def _take_report(self, number: int, report: Report) -> None:
        if number != OWN_REPORT:
            self._dispatch.take_report(number, report)
        elif report.outcome != "done" and not self._is_closing and isValid(self):
            self._gone.emit(f"{report.message} {report.advice}".strip())

    # from the thread that writes down what is done

    def _take_answer(self, number: int, report: Report) -> None:
        if not self._is_closing and isValid(self):
            self._answered.emit(number, report)

    def _take_advance(self, number: int, progress: Progress) -> None:
        if not self._is_closing and isValid(self):
            self._advanced.emit(number, progress)

    def _send(self, command: Command, **streams: Any) -> int:
        """To the probe, once it is there."""
        self._is_open.wait()
        return self._client.submit(command, **streams)

    # among the errands

    def _open(self) -> None:
        try:
            self._client.open(self._options)
        except OSError as error:
            if isValid(self):
                self._gone.emit(f"The probe could not be started: {error}")
        finally:
            self._is_open.set()

    def _end_probe(self) -> None:
        self._is_open.set()
        self._client.close()  # first: what it still reports is written down
        self._dispatch.close()

    # on the GUI thread

    def _answer(self, number: int, report: Report) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None and waiting.answer is not None:
            waiting.answer(report)
        else:
            self.reported.emit(report)
        self.desk.reported.emit()

    def _advance(self, number: int, progress: Progress) -> None:
        waiting = self._waiting.get(number)
        if waiting is not None and waiting.progress is not None:
            waiting.progress(progress)

    def _end(self, message: str) -> None:
        """It ended by itself."""
        self._dispatch.lose(message)
        self._give_up(message)
        self.lost.emit(message)

    def _give_up(self, reason: str) -> None:
        """Whoever still waits is told that nobody knows."""
        waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            if each.answer is not None:
                each.answer(Report("unknown", f"The session ended before it was answered: {reason}", MAY_HAVE_RUN))

    def hide(self, secret: str) -> None:
        """Let the probe keep a secret out of its files. Any thread; whatever is sent afterwards comes after it."""
        if secret not in self._hidden:
            self._hidden.add(secret)
            self._send(Hide((secret,)))

    # from the desk

    def _fetch_body(self, frame_number: int, answer: Callable[[bytes | None], None]) -> None:
        self._errands.run(partial(self._client.body, frame_number, answer))

    def _run_command(
        self,
        command: Command,
        answer: TakeReport | None,
        progress: TakeProgress | None,
        confirmation: Confirmation,
        name: str,
        **more: Any,
    ) -> int:
        number = self._dispatch.submit(command, confirmation, name, **more)
        self._waiting[number] = Waiting(answer, progress)
        return number


class DemoRun(QObject):
    """Starts the demo mesh without holding up the window."""

    started = Signal(str, str)
    """Its URL and its namespace."""
    failed = Signal(str)

    def __init__(self, before: DemoRun | None = None) -> None:
        """
        Args:
            before: One that is ended first.
        """
        super().__init__()
        self._before = before
        self._demo = Demo()
        self._thread = threading.Thread(target=self._start, name="demo start", daemon=True)

    def start(self) -> None:
        """Begin; `started` or `failed` follows."""
        self._thread.start()

    @property
    def secret(self) -> str:
        """What its helpers take commands with."""
        return self._demo.secret

    def stop(self) -> None:
        """End the mesh and its bus."""
        self.blockSignals(True)
        self._thread.join(25.0)
        self._demo.stop()

    def _start(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            before.stop()
        try:
            self._demo.start()
        except DemoError as error:
            self.failed.emit(str(error))
        else:
            self.started.emit(self._demo.url, self._demo.namespace)
