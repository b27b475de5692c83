"""Layouts from a process of their own: the libraries hold the interpreter while they think, and may abort."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from app.graph.plan import Placing, Plan
from app.graph.regular import grid

log = logging.getLogger(__name__)

IDLE_MS: Final = 20_000
PATIENCE_MS: Final = 15_000


def child_command() -> list[str]:
    """What starts the process: this interpreter, or in a frozen program the program itself."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "layout-process"]
    return [sys.executable, "-m", "app.graph.child"]


class Layouter(QObject):
    """Lays out one plan at a time; a newer plan ends the work on an older one."""

    placed = Signal(object)
    """A `Placing` of the newest plan."""

    def __init__(self, parent: QObject | None = None, command: list[str] | None = None) -> None:
        super().__init__(parent)
        self._command = command or child_command()
        self._process: QProcess | None = None
        self._plan: Plan | None = None
        self._decoder = msgspec.json.Decoder(Placing)
        self._idle = _timer(self, IDLE_MS, self.stop)
        self._patience = _timer(self, PATIENCE_MS, self._on_too_long)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._plan is not None

    def ask(self, plan: Plan) -> None:
        """Lay out a plan; what was asked before and is not answered yet is forgotten."""
        if self._plan is not None:
            self.stop()
        self._plan = plan
        self._idle.stop()
        self._patience.start()
        process = self._process or self._start()
        process.write(msgspec.json.encode(plan) + b"\n")

    def cancel(self) -> None:
        """Forget what was asked."""
        if self._plan is not None:
            self.stop()

    def stop(self) -> None:
        """End the process; the next plan starts another."""
        self._plan = None
        self._idle.stop()
        self._patience.stop()
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(2000)
            process.deleteLater()

    def _start(self) -> QProcess:
        process = QProcess(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.ForwardedErrorChannel)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONPATH", _search_path(environment.value("PYTHONPATH")))
        # names are put into sets on the way: the same graph shall look the same the next time
        environment.insert("PYTHONHASHSEED", "0")
        # one layout uses one core; the rest belongs to the probe
        environment.insert("RAYON_NUM_THREADS", "1")
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._on_output)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        process.start(self._command[0], self._command[1:])
        self._process = process
        return process

    def _on_output(self) -> None:
        process = self._process
        while process is not None and process.canReadLine():
            placing = self._decoder.decode(process.readLine().data())
            if self._plan is not None and placing.number == self._plan.number:
                self._give(placing)

    def _give(self, placing: Placing) -> None:
        self._plan = None
        self._patience.stop()
        self._idle.start()
        self.placed.emit(placing)

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._fall_back("the layout process cannot be started")

    def _on_finished(self) -> None:
        self._fall_back("the layout process ended")

    def _on_too_long(self) -> None:
        self._fall_back(f"the layout took longer than {PATIENCE_MS // 1000} s")

    def _fall_back(self, problem: str) -> None:
        """Something is better than nothing: a layered plan is tried by force, any other becomes a grid."""
        plan = self._plan
        self.stop()
        if plan is None:
            return
        log.warning("%s; %s boxes, %s", problem, len(plan.boxes), plan.kind)
        if plan.kind == "layered":
            self.ask(msgspec.structs.replace(plan, kind="force"))
        else:
            self._give(msgspec.structs.replace(grid(plan), problem=problem))


def _timer(parent: QObject, ms: int, do: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(ms)
    timer.timeout.connect(do)
    return timer


def _search_path(given: str) -> str:
    """Where the child finds this package, wherever it was started."""
    return os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), given]))
