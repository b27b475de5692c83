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
Fill = Callable[[Command], Command]


@dataclass(slots=True)
class Sending:
    """What is under way.

    Attributes:
        request: What is sent.
        begun_s: When, on a clock that only this object asks.
        upload: The file that is sent along.
        download: The file that a streamed answer fills.
        files: What is open of its streams.
        number: The command's.
        progress: What was told last.
        is_cancelled: Whether its user gave it up.
    """

    request: Request
    begun_s: float
    upload: Path | None = None
    download: Path | None = None
    files: ExitStack = field(default_factory=ExitStack)
    number: int = 0
    progress: Progress | None = None
    is_cancelled: bool = False

    @property
    def has_files(self) -> bool:
        """Whether a stream comes from a file or goes into one."""
        return self.upload is not None or self.download is not None


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
        sending = self.sending = Sending(request, perf_counter(), upload, download)
        self._timer.start()
        self.changed.emit()
        command: Command = command_of(request, uploads=upload is not None)
        submit = partial(
            self._submit,
            sending,
            made(command) if made is not None else command,
            confirmation,
            partial(filled, values=values),
        )
        if sending.has_files:
            self._desk.keep(self, partial(_opened, sending), partial(self._on_opened, sending, submit))
        else:
            submit({})

    def _submit(
        self, sending: Sending, command: Command, confirmation: Confirmation, fill: Fill, streams: dict[str, Any]
    ) -> None:
        sending.number = self._desk.submit(
            command,
            lambda report: self._end(sending, report),
            lambda told: self._on_progress(sending, told),
            confirmation=confirmation,
            fill=fill,
            **streams,
        )

    def _on_opened(
        self, sending: Sending, submit: Callable[[dict[str, Any]], None], found: dict[str, Any] | OSError
    ) -> None:
        if isinstance(found, OSError):
            self._end(sending, Report("refused", f"{found.filename}: {found.strerror}. {NOT_SENT}"))
        elif sending.is_cancelled:
            self._end(sending, Report("cancelled", NOT_SENT))
        else:
            submit(found)

    def cancel(self) -> None:
        """Give up what is under way."""
        sending = self.sending
        if sending is None or sending.is_cancelled:
            return
        sending.is_cancelled = True
        if sending.number:
            self._desk.submit(Cancel(sending.number), lambda _report: None)
        self.changed.emit()

    def _on_progress(self, sending: Sending, progress: Progress) -> None:
        if sending is self.sending:
            sending.progress = progress
            self.changed.emit()

    def _end(self, sending: Sending, report: Report) -> None:
        if sending is not self.sending or not isValid(self):
            return
        if not sending.has_files:
            self._tell(sending, report)
        elif report.outcome == "unknown":
            # the session may be over, and this view gone before the disk has answered
            self._desk.keep(self, partial(_settled, sending, report))
            beside = f" What came is in {_beside(sending.download)}." if sending.download is not None else ""
            self._tell(sending, replace(report, advice=f"{report.advice}{beside}".strip()))
        else:
            self._desk.keep(self, partial(_settled, sending, report), partial(self._tell, sending))

    def _tell(self, sending: Sending, report: Report) -> None:
        self.sending = None
        self._timer.stop()
        self.ended.emit(sending.request, report)
        self.changed.emit()


# in the thread of the disk


def _opened(sending: Sending) -> dict[str, Any] | OSError:
    """The files of the streams, or why one of them cannot be opened."""
    streams: dict[str, Any] = {}
    try:
        if sending.upload is not None:
            streams["upload"] = sending.files.enter_context(sending.upload.open("rb"))
        if sending.download is not None:
            streams["download"] = sending.files.enter_context(_beside(sending.download).open("wb"))
    except OSError as error:
        return error
    return streams


def _beside(download: Path) -> Path:
    """Where a streamed answer is written until it is whole: what the chosen file holds stays until then."""
    return download.with_name(f"{download.name}.part")


def _settled(sending: Sending, report: Report) -> Report:
    """Close the files; put a whole answer where it was wanted, keep the beginning of one that broke off beside it."""
    try:
        sending.files.close()
        return _put(sending.download, report) if sending.download is not None else report
    except OSError as error:
        where = sending.download or sending.upload
        return replace(report, advice=f"{report.advice} {where}: {error.strerror or error}.".strip())


def _put(download: Path, report: Report) -> Report:
    beside, is_stream = _beside(download), report.answer is not None and report.answer.stream_bytes is not None
    if is_stream and report.outcome == "done":
        beside.replace(download)
    elif beside.is_file() and not beside.stat().st_size:
        beside.unlink()
    elif beside.is_file():
        return replace(report, advice=f"{report.advice} What came is in {beside}.".strip())
    return report
