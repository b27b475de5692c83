"""The window's end of streams: files read and written in threads of their own, no faster than the probe keeps up."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, Final

from broker.operate.commands import Report

CHUNK_BYTES: Final = 64 * 1024
WINDOW_BYTES: Final = 1024 * 1024
"""As in `broker.probe.streams`, which brings a node along."""

Send = Callable[[str, Any], None]


class Upload:
    """A file on its way to the probe."""

    def __init__(self, number: int, file: BinaryIO, send: Send) -> None:
        """
        Args:
            number: Of the command.
            file: What is sent; stays open.
            send: Puts a message into the pipe.
        """
        self._number = number
        self._file = file
        self._send = send
        self._room_bytes = WINDOW_BYTES
        self._is_over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name=f"upload {number}", daemon=True)

    def start(self) -> None:
        """Begin to send; the command is on its way."""
        with self._changed:
            if not self._is_over:
                self._thread.start()

    def grant(self, used_bytes: int) -> None:
        """So many bytes were used at the other end."""
        with self._changed:
            self._room_bytes += used_bytes
            self._changed.notify()

    def end(self) -> None:
        """Nobody wants the rest. Afterwards the file is not touched any more."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def _waits_for_room(self, size: int) -> bool:
        """Wait until a piece may be sent. Whether it may."""
        with self._changed:
            while self._room_bytes < size and not self._is_over:
                self._changed.wait()
            self._room_bytes -= size
            return not self._is_over

    def _work(self) -> None:
        error = ""
        try:
            while data := self._file.read(CHUNK_BYTES):
                if not self._waits_for_room(len(data)):
                    return
                self._send("chunk", {"id": self._number, "data": data, "more": True, "error": ""})
        except (OSError, ValueError) as problem:
            error = f"the file could not be read: {problem}"
        self._send("chunk", {"id": self._number, "data": b"", "more": False, "error": error})


class Download:
    """A file that is filled from the probe. Its report is passed on when everything is in it."""

    def __init__(self, number: int, file: BinaryIO, send: Send, give_up: Callable[[], None]) -> None:
        """
        Args:
            number: Of the command.
            file: Where to; stays open.
            send: Puts a message into the pipe.
            give_up: Called when the file takes nothing any more.
        """
        self._number = number
        self._file = file
        self._send = send
        self._give_up = give_up
        self._trouble = ""
        self._pieces: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"download {number}", daemon=True)
        self._thread.start()

    def take(self, data: bytes) -> None:
        """Take in a piece."""
        self._pieces.put(data)

    def end(self, report: Report) -> Report:
        """Nothing more comes. Afterwards the file is not touched any more.

        Returns:
            The report; another one where the file did not take everything.
        """
        self._pieces.put(None)
        self._thread.join()
        if not self._trouble:
            return report
        return Report("failed", self._trouble, "The call was made.", report.targets, report.answer)

    def _work(self) -> None:
        while (data := self._pieces.get()) is not None:
            if not self._trouble:
                try:
                    self._file.write(data)
                except (OSError, ValueError) as problem:
                    self._trouble = f"The file could not be written: {problem}"
                    self._give_up()
            self._send("room", {"id": self._number, "bytes": len(data)})
        if not self._trouble:
            try:
                self._file.flush()
            except (OSError, ValueError) as problem:
                self._trouble = f"The file could not be written: {problem}"


class ClientStreams:
    """All streams of a client, by the number of their command. Methods may be called from any thread."""

    def __init__(self, send: Send, give_up: Callable[[int], None]) -> None:
        """
        Args:
            send: Puts a message into the pipe.
            give_up: Gives a command up whose file takes nothing any more.
        """
        self._send = send
        self._give_up = give_up
        self._lock = threading.Lock()
        self._uploads: dict[int, Upload] = {}
        self._downloads: dict[int, Download] = {}

    def begin(self, number: int, upload: BinaryIO | None, download: BinaryIO | None) -> Callable[[], None]:
        """Before a command is sent.

        Returns:
            What is to be called when it has been: the upload begins.
        """
        with self._lock:
            if download is not None:
                give_up = partial(self._give_up, number)
                self._downloads[number] = Download(number, download, self._send, give_up)
            if upload is None:
                return _nothing
            sending = self._uploads[number] = Upload(number, upload, self._send)
        return sending.start

    def end(self, number: int, report: Report) -> Report:
        """The report of a command came; another one where a file did not take everything."""
        with self._lock:
            upload, download = self._uploads.pop(number, None), self._downloads.pop(number, None)
        if upload is not None:
            upload.end()
        return download.end(report) if download is not None else report

    def end_all(self) -> None:
        """No report will come any more."""
        with self._lock:
            numbers = self._uploads.keys() | self._downloads.keys()
        for number in numbers:
            self.end(number, Report("unknown"))

    def chunk_came(self, number: int, data: bytes) -> None:
        """A piece of a download."""
        download = self._downloads.get(number)
        if download is not None:
            download.take(data)

    def room_came(self, number: int, used_bytes: int) -> None:
        """An upload may go on."""
        upload = self._uploads.get(number)
        if upload is not None:
            upload.grant(used_bytes)


def _nothing() -> None:
    """There is no upload."""
