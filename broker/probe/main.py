"""`meshscope probe`: a session driven over standard input and output."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from broker.capture.journal.file import PackedBlock
from broker.observe.journal import Batch
from broker.operate import log_masks
from broker.operate.commands import Call, Command, Progress, Report, command_from
from broker.operate.masks import Masks
from broker.probe.cost import Cost
from broker.probe.niceness import give_way
from broker.probe.options import SessionOptions
from broker.probe.outbox import Outbox
from broker.probe.pipe import Message, PipeError, Unpacker, check_greeting, greeting
from broker.probe.reading import FileSession
from broker.probe.reports import progress_to_plain, report_of, report_to_plain

if TYPE_CHECKING:
    from broker.probe.door import Door
    from broker.probe.session import ProbeSession
    from broker.probe.streams import DownloadEnd, Streams, UploadEnd

log = logging.getLogger(__name__)

READ_BYTES = 65_536
STATUS_EVERY = 5
"""A status goes with every so many batches, and when one of these changed."""

COLLECT_AFTER = (50_000, 20, 50)
"""Open calls are tuples and wait a moment: looked at for cycles after every 700 of them, they cost a tenth more."""

TOLD_AT_ONCE = (
    *("state", "message", "node_id", "namespaces", "may_now", "unlocked_until_ns"),
    *("capture_trouble", "recording", "recording_ended"),
)


def main(door_to: Callable[[SessionOptions], Door] | None = None) -> int:
    """Be the probe until the other side hangs up.

    Args:
        door_to: Gives a live session its way to the bus; by the options' URL if it is left out.

    Returns:
        The exit code: 0, or 2 when the other side is none of ours.
    """
    stdin, stdout = _own_streams()
    gc.freeze()  # what was imported stays
    gc.set_threshold(*COLLECT_AFTER)
    try:
        from uvloop import run as run_loop  # noqa: PLC0415  where it exists
    except ImportError:
        run_loop = asyncio.run  # type: ignore[assignment]
    return int(run_loop(Probe(stdin, stdout, door_to).run()))


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """The real standard input and output; a stray print goes to standard error from now on."""
    stdin = os.fdopen(os.dup(0), "rb", buffering=0)
    stdout = os.fdopen(os.dup(1), "wb", buffering=0)
    sys.stdout.flush()
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return stdin, stdout


def _live_session(options: SessionOptions, door_to: Callable[[SessionOptions], Door] | None) -> ProbeSession:
    """A session on a bus. The network and a node take a third of a second to import: files do not wait for them."""
    from broker.probe.keeping import store_journal_aside  # noqa: PLC0415
    from broker.probe.session import ProbeSession  # noqa: PLC0415

    give_way()  # what we hear waits for us in the meantime
    door = door_to(options) if door_to is not None else None
    return ProbeSession(options, door=door, recorded=store_journal_aside)


class Probe:
    """One pipe, one session at a time."""

    def __init__(
        self, stdin: BinaryIO, stdout: BinaryIO, door_to: Callable[[SessionOptions], Door] | None = None
    ) -> None:
        self._stdin = stdin
        self._door_to = door_to
        self._ended = asyncio.Event()
        self._exit_code = 0
        self._has_greeted = False
        self._session: ProbeSession | FileSession | None = None
        self._running: asyncio.Task[None] | None = None
        self._batches = 0
        self._told: dict[str, Any] = {}
        self._cost = Cost()
        self._uploads: dict[int, UploadEnd] = {}
        self._downloads: dict[int, DownloadEnd] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outbox = Outbox(stdout, self._hung_up)

    async def run(self) -> int:
        """Until the other side hangs up, says ``bye``, or a signal ends us."""
        loop = self._loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self._ended.set)
            except NotImplementedError:
                signal.signal(number, lambda *_: self._hung_up())
        self._outbox.send(*greeting())
        threading.Thread(target=self._read, name="pipe in", daemon=True).start()
        await self._ended.wait()
        await self._close_session()
        self._outbox.send("bye", None)
        self._outbox.close()
        return self._exit_code

    def _hung_up(self) -> None:
        """Any thread: the other side is gone."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)

    def _read(self) -> None:
        """The thread that reads."""
        unpacker = Unpacker()
        loop = self._loop
        assert loop is not None  # noqa: S101  set before the thread began
        try:
            while data := self._stdin.read(READ_BYTES):
                for message in unpacker.feed(data):
                    loop.call_soon_threadsafe(self._take, message)
        except (OSError, ValueError, RuntimeError):
            log.debug("reading ended", exc_info=True)
        except PipeError as error:
            self._refuse_soon(loop, str(error))
        self._hung_up()

    def _refuse_soon(self, loop: asyncio.AbstractEventLoop, reason: str) -> None:
        loop.call_soon_threadsafe(self._refuse, reason)

    def _refuse(self, reason: str) -> None:
        self._exit_code = 2
        self._outbox.send("report", {"id": 0, "outcome": "refused", "message": reason})
        self._ended.set()

    def _take(self, message: Message) -> None:
        """Take in a message; in the loop."""
        if not self._has_greeted:
            try:
                check_greeting(message, of="window")
            except PipeError as error:
                self._refuse(str(error))
            self._has_greeted = True
            return
        kind, body = message
        handlers: dict[str, Callable[[Any], None]] = {
            "open": self._open,
            "command": self._command,
            "body?": self._body,
            "chunk": self._chunk,
            "room": self._room_told,
            "bye": lambda _: self._ended.set(),
        }
        handler = handlers.get(kind)
        if handler is not None:
            handler(body)
        else:
            log.warning("message '%s' is not known", kind)

    # messages

    def _open(self, body: dict[str, Any]) -> None:
        if self._running is not None:
            self._report(0, Report("refused", "a session is open already"))
            return
        self._running = asyncio.get_running_loop().create_task(self._run_session(body), name="session")

    async def _run_session(self, body: dict[str, Any]) -> None:
        try:
            options = SessionOptions.from_plain(body)
            log_masks.hide(Masks(options.mask_names, (options.password, options.cipher_key, options.cipher_iv)))
            if options.path:
                self._session = FileSession(options, self._room, deliver_packed=self._deliver_packed)
            else:
                self._session = _live_session(options, self._door_to)
            self._outbox.send("hello", {"node_id": self._session.node_id, "status": self._status()})
            await self._session.run(self._deliver)
        except (ValueError, OSError) as error:
            self._failed(str(error), "")
        except Exception as error:
            from broker.transport.base import TransportError  # noqa: PLC0415  as below

            if isinstance(error, TransportError):
                self._failed(error.message, error.advice)
                return
            log.exception("the session ended with an error of this program")
            self._failed(f"an error of this program ended the session: {error!r}", "Its log says more.")

    def _failed(self, message: str, advice: str) -> None:
        self._session = self._running = None
        self._report(0, Report("failed", message, advice))

    async def _close_session(self) -> None:
        if self._session is not None and self._running is not None:
            self._session.stop()
            await asyncio.wait([self._running], timeout=5.0)
            self._running.cancel()

    async def _room(self) -> None:
        while not self._outbox.has_room:  # noqa: ASYNC110  another thread makes the room
            await asyncio.sleep(0.02)

    def _deliver(self, batch: Batch) -> None:
        self._batches += 1
        status = self._status()
        told = {name: status[name] for name in TOLD_AT_ONCE}
        is_due = self._batches % STATUS_EVERY == 1 or told != self._told
        self._told = told
        self._outbox.send_batch(batch, status if is_due else None)

    def _deliver_packed(self, block: PackedBlock) -> None:
        self._batches += 1
        self._outbox.send(
            "block", {**block._asdict(), "status": self._status() if self._batches % STATUS_EVERY == 1 else None}
        )

    def _status(self) -> dict[str, Any]:
        if self._session is None:
            return {}
        status: dict[str, Any] = msgspec.to_builtins(self._session.status())
        return status | {
            "cpu_percent": self._cost.cpu_percent(),
            "memory_bytes": self._cost.memory_bytes(),
            "unsent_bytes": self._outbox.unsent_bytes,
            "rows_dropped": self._outbox.rows_dropped,
        }

    def _command(self, body: dict[str, Any]) -> None:
        number = int(body.get("id", 0))
        if self._session is None:
            self._report(number, Report("failed", "no session is open"))
            return
        try:
            command = command_from(body["word"], body["fields"])
            streams = self._streams(command, number, wants_download=bool(body.get("download")))
            reported = self._session.submit(command, number, partial(self._progress, number), streams)
        except (ValueError, OSError) as error:
            self._report(number, Report("failed", str(error)))
            return
        if reported.done():
            self._report(number, reported.result())
        else:
            reported.add_done_callback(lambda done: self._report(number, report_of(done)))

    def _streams(self, command: Command, number: int, *, wants_download: bool) -> Streams:
        """The ends of what is streamed along with a command."""
        from broker.probe.streams import DownloadEnd, Streams, UploadEnd  # noqa: PLC0415  they bring a node along

        upload, download = None, None
        if isinstance(command, Call) and command.uploads:
            upload = self._uploads[number] = UploadEnd(
                lambda used: self._outbox.send("room", {"id": number, "bytes": used})
            )
        if wants_download:
            end = self._downloads[number] = DownloadEnd(
                lambda data: self._outbox.send("chunk", {"id": number, "data": data})
            )
            download = end.take
        return Streams(upload, download)

    def _chunk(self, body: dict[str, Any]) -> None:
        upload = self._uploads.get(body["id"])
        if upload is not None:
            upload.take(body["data"], more=body["more"], error=body["error"])

    def _room_told(self, body: dict[str, Any]) -> None:
        download = self._downloads.get(body["id"])
        if download is not None:
            download.grant(body["bytes"])

    def _report(self, number: int, report: Report) -> None:
        upload = self._uploads.pop(number, None)
        if upload is not None:
            upload.take(b"", more=False, error="nobody wants the rest")
        self._downloads.pop(number, None)
        self._outbox.send("report", report_to_plain(report) | {"id": number})

    def _progress(self, number: int, progress: Progress) -> None:
        self._outbox.send("progress", progress_to_plain(progress) | {"id": number})

    def _body(self, body: dict[str, Any]) -> None:
        found = self._session.body(body["number"]) if self._session else None
        self._outbox.send("body", {"id": body["id"], "body": found})
