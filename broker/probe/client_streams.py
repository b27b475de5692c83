"""The window's end of streams: files read and written in threads of their own, no faster than the probe keeps up."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
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
