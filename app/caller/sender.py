"""Sends one request at a time: variables filled in at the last moment, progress, cancelling, one report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal
from shiboken6 import isValid

from app.desk import Desk
from broker.operate.calling.filling import filled
from broker.operate.calling.request import Request, command_of
from broker.operate.calling.variables import Values
from broker.operate.commands import Cancel, Command, Progress, Report
from broker.operate.operator import NOT_CONFIRMED, Confirmation

TICK_MS: Final = 100
NOT_SENT: Final = "Nothing was sent."


@dataclass(slots=True)
class Sending:
    """What is under way.

    Attributes:
        request: What is sent.
        begun_s: When, on a clock that only this object asks.
        download: The file that a streamed answer fills.
        files: What is open of its streams.
        number: The command's.
        progress: What was told last.
        is_cancelled: Whether its user gave it up.
    """

    request: Request
    begun_s: float
    download: Path | None = None
    files: ExitStack = field(default_factory=ExitStack)
    number: int = 0
    progress: Progress | None = None
    is_cancelled: bool = False


class Sender(QObject):
    """Idle, or busy with one request."""

    changed = Signal()
    """It began, ended, or got on."""
    ended = Signal(object, object)
    """A Request and its Report."""

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.sending: Sending | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.changed)

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self.sending is not None

    @property
    def elapsed_s(self) -> float:
        """How long it has been under way."""
        return perf_counter() - self.sending.begun_s if self.sending is not None else 0.0

    def send(
        self,
        request: Request,
        values: Values,
        confirmation: Confirmation = NOT_CONFIRMED,
        *,
        made: Callable[[Command], Command] | None = None,
        upload: Path | None = None,
        download: Path | None = None,
    ) -> None:
        """Send a request; `ended` follows.

        Args:
            request: Without problems.
            values: Of its variables.
            confirmation: The second step, where one is wanted.
            made: Makes another command of the call, a bench for instance.
            upload: A file to be sent along.
            download: A file to be filled with a streamed answer.
        """
        if self.sending is not None:
            return
        sending = self.sending = Sending(request, perf_counter(), download)
        self._timer.start()
        self.changed.emit()
        command: Command = command_of(request, uploads=upload is not None)
        try:
            streams = _opened(sending.files, upload, download)
        except OSError as error:
            self._end(sending, Report("refused", f"{error.filename}: {error.strerror}. {NOT_SENT}"))
            return
        sending.number = self._desk.submit(
            made(command) if made is not None else command,
            lambda report: self._end(sending, report),
            lambda told: self._on_progress(sending, told),
            confirmation=confirmation,
            fill=partial(filled, values=values),
            **streams,
        )

    def cancel(self) -> None:
        """Give up what is under way."""
        sending = self.sending
        if sending is None or sending.is_cancelled:
            return
        sending.is_cancelled = True
        self._desk.submit(Cancel(sending.number), lambda _report: None)
        self.changed.emit()

    def _on_progress(self, sending: Sending, progress: Progress) -> None:
        if sending is self.sending:
            sending.progress = progress
            self.changed.emit()

    def _end(self, sending: Sending, report: Report) -> None:
        if sending is not self.sending or not isValid(self):
            return
        self.sending = None
        self._timer.stop()
        sending.files.close()
        if sending.download is not None:
            report = _settled(sending.download, report)
        self.ended.emit(sending.request, report)
        self.changed.emit()


def _opened(files: ExitStack, upload: Path | None, download: Path | None) -> dict[str, Any]:
    """The files of the streams. Raises OSError."""
    streams: dict[str, Any] = {}
    if upload is not None:
        streams["upload"] = files.enter_context(upload.open("rb"))
    if download is not None:
        streams["download"] = files.enter_context(_beside(download).open("wb"))
    return streams


def _beside(download: Path) -> Path:
    """Where a streamed answer is written until it is whole: what the chosen file holds stays until then."""
    return download.with_name(f"{download.name}.part")


def _settled(download: Path, report: Report) -> Report:
    """Put a whole answer where it was wanted; keep the beginning of one that broke off beside it."""
    beside, is_stream = _beside(download), report.answer is not None and report.answer.stream_bytes is not None
    try:
        if is_stream and report.outcome == "done":
            beside.replace(download)
        elif beside.is_file() and not beside.stat().st_size:
            beside.unlink()
        elif beside.is_file():
            return replace(report, advice=f"{report.advice} What came is in {beside}.".strip())
    except OSError as error:
        return replace(report, advice=f"{report.advice} {download}: {error.strerror or error}.".strip())
    return report
