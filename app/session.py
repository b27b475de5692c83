"""One sitting with one source: the probe fills a timeline, the desk hears of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from app.desk import Desk
from broker.demo import Demo, DemoError
from broker.mesh.timeline import Timeline
from broker.operate.commands import AskOnce, Record, Report, StopRecording
from broker.probe.client import PROBE_COMMAND, ProbeCallbacks, ProbeClient
from broker.probe.options import SessionOptions
from broker.probe.status import ProbeStatus

log = logging.getLogger(__name__)
OWN_REPORT = 0
"""The id of what the probe reports by itself: the session could not be opened, or ended."""


class Session(QObject):
    """Starts a probe for a source and ends it. The probe's callbacks come on its reader thread."""

    lost = Signal(str)
    """The sitting ended by itself; the message says why and what to do."""
    reported = Signal(object)
    """The Report of a command."""
    _told = Signal(object)

    def __init__(self, options: SessionOptions, argv: Sequence[str] = PROBE_COMMAND) -> None:
        """Begin nothing yet.

        Args:
            options: What to listen to, or which capture to read.
            argv: What starts the probe.
        """
        super().__init__()
        self.timeline = Timeline()
        self.desk = Desk(self.timeline)
        self.desk.fetch_body = self._fetch_body
        self.desk.run_command = self._run_command
        self._options = options
        self._is_closing = False
        self._told.connect(self.desk.set_status)
        told = ProbeCallbacks(self.timeline.take, self._take_status, self._take_report, self._take_loss)
        self._client = ProbeClient(told, argv)

    def start(self) -> None:
        """Start the probe. Failures come as `lost`."""
        try:
            self._client.open(self._options)
        except OSError as error:
            self.lost.emit(f"The probe could not be started: {error}")

    def close(self) -> None:
        """End the questions and the tick now, and the probe without waiting for it."""
        self._is_closing = True
        # not a daemon: the program waits for it, so that recordings are closed properly
        threading.Thread(target=self._client.close, name="probe end").start()
        self.desk.close()
        self.desk.deleteLater()
        self.deleteLater()

    # from the reader thread

    def _take_status(self, status: ProbeStatus) -> None:
        if not self._is_closing and isValid(self):
            self._told.emit(status)

    def _take_loss(self, message: str) -> None:
        if not self._is_closing and isValid(self):
            self.lost.emit(message)

    def _take_report(self, number: int, report: Report) -> None:
        if self._is_closing or not isValid(self):
            return
        if number == OWN_REPORT and report.outcome != "done":
            self.lost.emit(f"{report.message} {report.advice}".strip())
        else:
            self.reported.emit(report)

    # from the desk

    def _fetch_body(self, frame_number: int, answer: Callable[[bytes | None], None]) -> None:
        self._client.body(frame_number, answer)

    def _run_command(self, command: object) -> None:
        if isinstance(command, AskOnce | Record | StopRecording):
            self._client.submit(command)


class DemoRun(QObject):
    """Starts the demo mesh without holding up the window."""

    started = Signal(str, str)
    """Its URL and its namespace."""
    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._demo = Demo()
        self._thread = threading.Thread(target=self._start, name="demo start", daemon=True)

    def start(self) -> None:
        """Begin; `started` or `failed` follows."""
        self._thread.start()

    def stop(self) -> None:
        """End the mesh and its bus."""
        self.blockSignals(True)
        self._thread.join(25.0)
        self._demo.stop()

    def _start(self) -> None:
        try:
            self._demo.start()
        except DemoError as error:
            self.failed.emit(str(error))
        else:
            self.started.emit(self._demo.url, self._demo.namespace)
