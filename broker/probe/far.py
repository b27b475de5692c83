"""A session on another machine, for the command line: as a `ProbeSession`, through ssh."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

from broker.observe.journal import Batch
from broker.operate.commands import Cancel, Command, Progress, Report
from broker.probe.client_reader import ProbeCallbacks
from broker.probe.options import SessionOptions
from broker.probe.remote import MAY_HAVE_RUN, RemoteProbe
from broker.probe.ssh import Machine
from broker.probe.status import ProbeStatus
from broker.probe.streams import NO_STREAMS, Streams
from broker.transport.base import TransportError

OWN_REPORT: Final = 0
"""The number of what the probe reports by itself: the session could not be opened, or ended."""
STEP_S: Final = 0.05


class _Waiting(NamedTuple):
    reported: asyncio.Future[Report]
    told: Callable[[Progress], None]


def _ignore(*_: object) -> None:
    """Nobody wants to know."""


class FarSession:
    """What listening and acting need of a session. Made, run and asked in one loop."""

    def __init__(self, options: SessionOptions, machine: Machine) -> None:
        """
        Args:
            options: What it listens to from there, and what it may do.
            machine: Where the probe runs.
        """
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._opened, self._stopped, self._is_over = asyncio.Event(), asyncio.Event(), False
        self._deliver: Callable[[Batch], None] = _ignore
        self._status = ProbeStatus(may=options.may, may_now=options.may)
        self._lost: TransportError | None = None
        self._waiting: dict[int, _Waiting] = {}
        self._speaks: set[str] = set()
        self.on_listening: Callable[[], object] = _ignore
        told = ProbeCallbacks(
            self._later(self._take_batch),
            self._later(self._take_status),
            self._later(self._take_report),
            self._later(self._lose),
            self._later(self._take_progress),
        )
        self._probe = RemoteProbe(told, machine)

    async def run(self, deliver: Callable[[Batch], None]) -> None:
        """Listen until `stop`, or until cancelled.

        Args:
            deliver: Given batches as they come.

        Raises:
            TransportError: There is no probe there, or the bus said no.
        """
        self._deliver = deliver
        try:
            await asyncio.to_thread(self._probe.open, self._options)
            await self._stopped.wait()
        except OSError as error:
            self._lost = TransportError(f"ssh could not be started: {error}.")
        finally:
            self._is_over = True
            self._opened.set()
            await asyncio.to_thread(self._probe.close)
            await asyncio.sleep(0)  # what it still told
            for waiting in self._waiting.values():
                if not waiting.reported.done():
                    report = Report("unknown", "The session ended before it was answered.", MAY_HAVE_RUN)
                    waiting.reported.set_result(report)
        if self._lost is not None:
            raise self._lost

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()

    def status(self) -> ProbeStatus:
        """As the probe told it last."""
        return self._status

    async def can_speak(self, namespace: str) -> None:
        """Wait until something can be sent in a namespace: it listens, and a node of it told its protocol."""
        while self._status.state != "listening" or namespace not in self._speaks:  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(STEP_S)

    def submit(
        self,
        command: Command,
        number: int = 0,  # noqa: ARG002  the probe there has numbers of its own
        told: Callable[[Progress], None] = _ignore,
        streams: Streams = NO_STREAMS,
    ) -> asyncio.Future[Report]:
        """Do what an operator asks for. Given up (cancelled), it is given up there, and its report still comes."""
        return self._loop.create_task(self._report(command, told, streams), name="far command")

    async def _report(self, command: Command, told: Callable[[Progress], None], streams: Streams) -> Report:
        await self._opened.wait()
        if self._is_over:
            return Report("failed", "There is no connection to the probe. Nothing was sent.")
        number = self._probe.submit(command, upload=streams.upload_file, download=streams.download_file)
        waiting = self._waiting[number] = _Waiting(self._loop.create_future(), told)
        try:
            return await asyncio.shield(waiting.reported)
        except asyncio.CancelledError:
            self._probe.submit(Cancel(number))
            return await waiting.reported

    # from the probe's threads into the loop

    def _later(self, take: Callable[..., None]) -> Callable[..., None]:
        def told(*what: Any) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(take, *what)

        return told

    def _take_batch(self, batch: Batch) -> None:
        for change in batch.changes:
            if change.kind == "node" and change.value is not None and change.value.get("protocol"):
                self._speaks.add(change.namespace)
        self._deliver(batch)

    def _take_status(self, status: ProbeStatus) -> None:
        is_first = status.state == "listening" and self._status.state != "listening"
        self._status = status
        self._opened.set()  # not before: the probe there takes no command while it opens its session
        if is_first:
            self.on_listening()

    def _take_report(self, number: int, report: Report) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None and not waiting.reported.done():
            waiting.reported.set_result(report)
        elif number == OWN_REPORT and report.outcome != "done":
            self._lose(report.message, report.advice)

    def _take_progress(self, number: int, progress: Progress) -> None:
        waiting = self._waiting.get(number)
        if waiting is not None:
            waiting.told(progress)

    def _lose(self, message: str, advice: str = "") -> None:
        self._lost = TransportError(message, advice)
        self._stopped.set()
