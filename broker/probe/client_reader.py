"""Takes apart what a probe says, and tells whom it concerns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from broker.capture.journal.file import PackedBlock
from broker.observe.journal import Batch
from broker.operate.commands import Progress, Report
from broker.probe.pipe import BatchBuilder, Message, check_greeting
from broker.probe.reports import progress_from_plain, report_from_plain
from broker.probe.status import ProbeStatus
from broker.probe.unpacking import Unpacking


def _ignore(*_: Any) -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class ProbeCallbacks:
    """Who is told what. All are called in the client's reader thread.

    Attributes:
        on_batch: What was observed.
        on_status: What the probe says of itself, about twice a second.
        on_report: The answer to the command with this id, maybe much later; id 0 is the probe's own: the session
            could not be opened, or ended.
        on_progress: How far the command with this id is.
        on_lost: The probe is gone, and nobody asked it to; why, for people.
    """

    on_batch: Callable[[Batch], None] = _ignore
    on_status: Callable[[ProbeStatus], None] = _ignore
    on_report: Callable[[int, Report], None] = _ignore
    on_lost: Callable[[str], None] = _ignore
    on_progress: Callable[[int, Progress], None] = _ignore


class Reader:
    """Takes messages apart, in the reader thread."""

    def __init__(
        self,
        callbacks: ProbeCallbacks,
        unpacking: Unpacking,
        body_came: Callable[[int, bytes | None], None],
        report_came: Callable[[int, Report], None],
        *,
        chunk: Callable[[int, bytes], None],
        room: Callable[[int, int], None],
    ) -> None:
        self._callbacks = callbacks
        self._unpacking = unpacking
        self._body_came = body_came
        self._report_came = report_came
        self._chunk_came = chunk
        self._room_came = room
        self._builder = BatchBuilder()
        self._has_greeted = False

    def take(self, message: Message) -> None:
        """Take in a message. Raises PipeError."""
        if not self._has_greeted:
            check_greeting(message, of="probe")
            self._has_greeted = True
            return
        kind, body = message
        match kind:
            case "hello":
                self._status(body["status"])
            case "report":
                self._report_came(body.pop("id"), report_from_plain(body))
            case "chunk":
                self._chunk_came(body["id"], body["data"])
            case "room":
                self._room_came(body["id"], body["bytes"])
            case "progress":
                self._callbacks.on_progress(body.pop("id"), progress_from_plain(body))
            case "body":
                self._body_came(body["id"], body["body"])
            case "block":
                self._block(body.pop("status"), PackedBlock(**body))
            case "bye":
                pass
            case _:
                self._unpacking.finish()
                if kind == "counters" and body.get("status"):
                    self._status(body["status"])
                batch = self._builder.take(message)
                if batch is not None:
                    self._callbacks.on_batch(batch)

    def _block(self, status: dict[str, Any] | None, block: PackedBlock) -> None:
        self._unpacking.take(block)
        if status:
            self._status(status)

    def _status(self, plain: dict[str, Any]) -> None:
        self._callbacks.on_status(
            ProbeStatus(**plain | {"namespaces": (*plain["namespaces"], *self._unpacking.namespaces)})
        )
