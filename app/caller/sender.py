"""Sends one request at a time: variables resolved at the last moment, progress, cancelling, one report."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal
from shiboken6 import isValid

from app.desk import Desk
from broker.operate.calling.request import Request, command_of
from broker.operate.calling.variables import Values, uses_secrets
from broker.operate.commands import Cancel, Command, Progress, Report
from broker.operate.operator import NOT_CONFIRMED, Confirmation

TICK_MS: Final = 100
NOT_SENT: Final = "Nothing was sent."
CANCELLED: Final = "Cancelled before it was sent."


@dataclass(slots=True)
class Sending:
    """What is under way.

    Attributes:
        request: What is sent.
        begun_s: When, on a clock that only this object asks.
        confirmation: The second step.
        upload, download: Files of its streams.
        files: What is open of them.
        number: The command's; 0 while secrets are being asked for.
        progress: What was told last.
        is_cancelled: Whether its user gave it up.
    """

    request: Request
    begun_s: float
    confirmation: Confirmation
    upload: Path | None = None
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
    _resolved = Signal(object, object)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.sending: Sending | None = None
        self._resolved.connect(self._on_resolved)
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
        sending = self.sending = Sending(request, perf_counter(), confirmation, upload, download)
        self._timer.start()
        self.changed.emit()

        def work() -> None:
            try:
                command: Command | LookupError = command_of(request, values, uploads=upload is not None)
                if made is not None and not isinstance(command, LookupError):
                    command = made(command)
            except LookupError as error:
                command = error
            if isValid(self):
                self._resolved.emit(sending, command)

        if uses_secrets(request.params, request.meta, request.headers):
            # the key store may ask the user first
            threading.Thread(target=work, name="key store", daemon=True).start()
        else:
            work()

    def cancel(self) -> None:
        """Give up what is under way."""
        sending = self.sending
        if sending is None or sending.is_cancelled:
            return
        sending.is_cancelled = True
        if sending.number:
            self._desk.submit(Cancel(sending.number), lambda _report: None)
        else:
            self._end(sending, Report("cancelled", CANCELLED))
        self.changed.emit()

    def _on_resolved(self, sending: Sending, command: Command | LookupError) -> None:
        if sending is not self.sending:
            return  # given up meanwhile
        if isinstance(command, LookupError):
            self._end(sending, Report("refused", f"{command.args[0]}. {NOT_SENT}"))
            return
        try:
            streams = _opened(sending)
        except OSError as error:
            self._end(sending, Report("refused", f"{error.filename}: {error.strerror}. {NOT_SENT}"))
            return
        sending.number = self._desk.submit(
            command,
            lambda report: self._end(sending, report),
            lambda told: self._on_progress(sending, told),
            confirmation=sending.confirmation,
            **streams,
        )

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
        self.ended.emit(sending.request, report)
        self.changed.emit()


def _opened(sending: Sending) -> dict[str, Any]:
    """The files of the streams. Raises OSError."""
    streams: dict[str, Any] = {}
    if sending.upload is not None:
        streams["upload"] = sending.files.enter_context(sending.upload.open("rb"))
    if sending.download is not None:
        streams["download"] = sending.files.enter_context(sending.download.open("wb"))
    return streams
