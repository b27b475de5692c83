"""The window's end of the pipe: starts a probe, reads it in a thread, and keeps nothing."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import IO, Any, BinaryIO, Final

from broker.capture.masking import EVERYTHING
from broker.operate.commands import (
    AskOnce,
    Call,
    Cancel,
    Command,
    Record,
    Report,
    StopRecording,
    command_fields,
    command_word,
)
from broker.probe.client_reader import ProbeCallbacks, Reader
from broker.probe.client_streams import ClientStreams
from broker.probe.options import SessionOptions
from broker.probe.pipe import PipeError, Unpacker, encodable, greeting, pack
from broker.probe.spare import PROBE_COMMAND, start_or_take
from broker.probe.status import ProbeStatus
from broker.probe.unpacking import Unpacking

__all__ = ["PROBE_COMMAND", "ProbeCallbacks", "ProbeClient", "ProbeStatus", "SessionOptions"]

log = logging.getLogger(__name__)

READ_BYTES: Final = 1 << 20
KEPT_STDERR_LINES: Final = 50
CLOSE_TIMEOUT_S: Final = 6.0
NOBODYS: Final = -1
"""The id of a command of which nobody wants to know what became of it."""


class ProbeClient:
    """One probe process and its session. Methods may be called from any thread."""

    def __init__(self, callbacks: ProbeCallbacks, argv: Sequence[str] = PROBE_COMMAND) -> None:
        """Nothing is started before `open`.

        Args:
            callbacks: Told what comes.
            argv: The probe's command line. Never holds a URL or a secret: those travel in the pipe.
        """
        self._callbacks = callbacks
        self._argv = list(argv)
        self._process: subprocess.Popen[bytes] | None = None
        self._masking = EVERYTHING
        self._threads: list[threading.Thread] = []
        self._errors: deque[str] = deque(maxlen=KEPT_STDERR_LINES)
        self._lock = threading.Lock()
        self._last_id = 0
        self._bodies: dict[int, Callable[[bytes | None], None]] = {}
        self._streams = ClientStreams(self._send, self._give_up)
        self._is_closing = False

    def open(self, options: SessionOptions) -> None:
        """Start the probe and let it listen.

        Raises:
            OSError: The program could not be started.
        """
        self._masking = options.masking
        self._process = start_or_take(self._argv)
        _widen(self._process.stdout)
        self._threads = [
            threading.Thread(target=self._read_errors, name="probe errors", daemon=True),
            threading.Thread(target=self._read, name="probe in", daemon=True),
        ]
        for thread in self._threads:  # the first is there when the second tells of a probe that died at once
            thread.start()
        self._send(*greeting())
        self._send("open", options.to_plain())

    @property
    def process_id(self) -> int:
        """Of the probe; 0 before `open`."""
        return self._process.pid if self._process is not None else 0

    def ask_once(self) -> int:
        """Send one DISCOVER. The id of the report to come."""
        return self.submit(AskOnce())

    def record(self, path: str, *, max_bytes: int = 0, max_s: float = 0.0) -> int:
        """Record into a file on the probe's machine. The id of the report to come."""
        return self.submit(Record(path, max_bytes, max_s))

    def stop_recording(self) -> int:
        """Close that file. The id of the report to come."""
        return self.submit(StopRecording())

    @property
    def exit_code(self) -> int | None:
        """Of the probe; None while it runs, or when a signal ended it."""
        code = self._process.returncode if self._process is not None else None
        return code if code is not None and code >= 0 else None

    @property
    def last_error(self) -> str:
        """The last line that it wrote to its standard error."""
        return self._errors[-1] if self._errors else ""

    def submit(
        self,
        command: Command,
        *,
        upload: BinaryIO | None = None,
        download: BinaryIO | None = None,
        number: int = 0,
    ) -> int:
        """Ask for something.

        Args:
            command: What.
            upload: Sent along with a call as a stream; read in a thread, and left alone once the report is there.
            download: Filled with a streamed answer, a line of JSON for each value of a stream of values; written in
                a thread, whole when the report is there.
            number: The id of the report to come; one is chosen if it is left out.

        Returns:
            The id of the report to come.
        """
        number = number or self._next_id()
        if upload is not None and isinstance(command, Call):
            command = replace(command, uploads=True)
        start_upload = self._streams.begin(number, upload, download)
        fields = encodable(command_fields(command))
        wants = {"download": download is not None}
        self._send("command", {"id": number, "word": command_word(command), "fields": fields} | wants)
        start_upload()
        return number

    def body(self, number: int, answer: Callable[[bytes | None], None]) -> None:
        """Fetch what a frame carried.

        Args:
            number: The frame's.
            answer: Given the body, or None if it is not kept; in the reader thread.
        """
        question = self._next_id()
        with self._lock:
            if self._is_closing or self._process is None:
                question = 0
            else:
                self._bodies[question] = answer
        if not question:
            answer(None)
            return
        self._send("body?", {"id": question, "number": number})

    def close(self) -> None:
        """End the session and the process. Not to be called in a callback."""
        process = self._process
        if process is None or self._is_closing:
            return
        self._is_closing = True
        self._send("bye", None)
        with contextlib.suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        try:
            process.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for thread in self._threads:
            thread.join(CLOSE_TIMEOUT_S)
        self._answer_all_bodies()

    # inside

    def _next_id(self) -> int:
        with self._lock:
            self._last_id += 1
            return self._last_id

    def _send(self, kind: str, body: Any) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        with self._lock, contextlib.suppress(OSError, ValueError):  # a dead probe is told of by the reader
            process.stdin.write(pack(kind, body))

    def _read(self) -> None:
        """The reader thread."""
        process = self._process
        assert process is not None  # noqa: S101  set before the thread began
        assert process.stdout is not None  # noqa: S101
        reason = ""
        reader = Reader(
            self._callbacks,
            Unpacking(self._masking, self._callbacks.on_batch),
            self._body_came,
            self._report_came,
            chunk=self._streams.chunk_came,
            room=self._streams.room_came,
        )
        unpacker = Unpacker()
        try:
            while data := process.stdout.read(READ_BYTES):
                for message in unpacker.feed(data):
                    reader.take(message)
        except PipeError as error:
            reason = f"{error}"
            process.kill()
        except OSError as error:
            reason = str(error)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(CLOSE_TIMEOUT_S)
        process.stdout.close()
        self._answer_all_bodies()
        if not self._is_closing:
            self._callbacks.on_lost(reason or self._death(process.returncode))

    def _death(self, code: int | None) -> str:
        self._threads[0].join(1.0)
        last = self._errors[-1] if self._errors else ""
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
        return f"The probe {how}. {last}".strip()

    def _read_errors(self) -> None:
        process = self._process
        assert process is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        with process.stderr as lines:
            for line in lines:
                text = line.decode("utf-8", "replace").rstrip()
                self._errors.append(text)
                log.info("probe: %s", text)

    def _give_up(self, number: int) -> None:
        self.submit(Cancel(number), number=NOBODYS)

    def _report_came(self, number: int, report: Report) -> None:
        if number != NOBODYS:
            self._callbacks.on_report(number, self._streams.end(number, report))

    def _body_came(self, number: int, body: bytes | None) -> None:
        with self._lock:
            answer = self._bodies.pop(number, None)
        if answer is not None:
            answer(body)

    def _answer_all_bodies(self) -> None:
        """Nobody will answer any more."""
        with self._lock:
            answers, self._bodies = list(self._bodies.values()), {}
        self._streams.end_all()
        for answer in answers:
            answer(None)


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold a megabyte where that can be, so that the two processes wait for each other less often."""
    if sys.platform == "linux" and pipe is not None:
        import fcntl  # noqa: PLC0415  not everywhere

        with contextlib.suppress(OSError):  # an administrator may have set a lower limit
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, READ_BYTES)
