"""Streams of a call between the bus and who submitted it: from and to files, in this process or through the pipe."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from broker.node.errors import MoleculerError
from broker.probe.json_texts import text_of

CHUNK_BYTES: Final = 64 * 1024
"""Files are read in pieces of this size."""
WINDOW_BYTES: Final = 1024 * 1024
"""So much of a stream is under way in the pipe; the next piece waits until room is told of."""

Take = Callable[[Any], Awaitable[None]]
"""Takes a chunk of a streamed answer: bytes, or a value of a stream of values."""


@dataclass(frozen=True, slots=True)
class Streams:
    """What belongs to a call besides its command.

    Attributes:
        upload: Bytes to send along; None for no stream.
        download: Takes a streamed answer; without it, it is counted and thrown away.
        upload_file, download_file: The files behind them, for a session that has them at this end of a pipe.
    """

    upload: AsyncIterable[bytes] | None = None
    download: Take | None = None
    upload_file: BinaryIO | None = None
    download_file: BinaryIO | None = None


NO_STREAMS: Final = Streams()


def chunk_bytes(chunk: object) -> bytes:
    """A chunk as a file has it: bytes as they are, each value of a stream of values as a line of JSON."""
    return chunk if isinstance(chunk, bytes) else text_of(chunk).encode() + b"\n"


async def from_file(file: BinaryIO) -> AsyncIterator[bytes]:
    """What a file holds, read beside the loop."""
    while data := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield data


def to_file(file: BinaryIO) -> Take:
    """What writes into a file, beside the loop."""

    async def write(chunk: Any) -> None:
        await asyncio.to_thread(file.write, chunk_bytes(chunk))

    return write


class UploadEnd(AsyncIterator[bytes]):
    """The probe's end of a stream that comes through the pipe."""

    def __init__(self, grant: Callable[[int], None]) -> None:
        """
        Args:
            grant: Told that so many bytes were used: as many may follow.
        """
        self._grant = grant
        self._pieces: deque[bytes] = deque()
        self._is_ended = False
        self._error = ""
        self._has_some = asyncio.Event()
        self._used_bytes = 0

    def take(self, data: bytes, *, more: bool, error: str = "") -> None:
        """Take in a piece."""
        if data and not self._is_ended:
            self._pieces.append(data)
        self._is_ended = self._is_ended or not more
        self._error = self._error or error
        self._has_some.set()

    async def __anext__(self) -> bytes:
        """The next piece; who asks for it has used the one before."""
        if self._used_bytes:
            self._grant(self._used_bytes)
            self._used_bytes = 0
        while not self._pieces:
            if self._error:
                raise MoleculerError(self._error, type="STREAM_ABORTED")
            if self._is_ended:
                raise StopAsyncIteration
            self._has_some.clear()
            await self._has_some.wait()
        piece = self._pieces.popleft()
        self._used_bytes = len(piece)
        return piece

    async def aclose(self) -> None:
        """Nobody wants the rest."""
        self._pieces.clear()
        self.take(b"", more=False, error="given up")


class DownloadEnd:
    """The probe's end of a stream that goes through the pipe: sends no more than there is room for."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        """
        Args:
            send: Puts a piece into the pipe.
        """
        self._send = send
        self._room_bytes = WINDOW_BYTES
        self._has_room = asyncio.Event()

    def grant(self, used_bytes: int) -> None:
        """So many bytes were used at the other end."""
        self._room_bytes += used_bytes
        self._has_room.set()

    async def take(self, chunk: Any) -> None:
        """Send a chunk, as soon as there is room."""
        data = chunk_bytes(chunk)
        for begin in range(0, len(data), CHUNK_BYTES):
            piece = data[begin : begin + CHUNK_BYTES]
            while self._room_bytes < len(piece):
                self._has_room.clear()
                await self._has_room.wait()
            self._room_bytes -= len(piece)
            self._send(piece)
