"""One session of listening: a source, its capture, what is observed, ten batches a second."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from broker.capture.writer import CaptureWriter
from broker.clock import SECOND, Clock, SystemClock
from broker.observe.journal import JOURNAL_FORMAT, Batch, NameKind
from broker.operate.commands import Command, Hide, Progress, Record, Report, StopRecording
from broker.operate.permissions import allows
from broker.probe.catalogue import Catalogue, CatalogueFile
from broker.probe.door import Door, UrlDoor
from broker.probe.intake import Intake, own_frame
from broker.probe.looking import Lookout
from broker.probe.operating import Operating, now
from broker.probe.options import SessionOptions
from broker.probe.recording import Recorder, Wanted, session_note
from broker.probe.standing import Standing
from broker.probe.status import ProbeStatus
from broker.probe.streams import NO_STREAMS, Streams
from broker.protocol.frame import (
    ASKED_CHANNEL,
    CATALOGUE_CHANNEL,
    CLOCK_CHANNEL,
    SESSION_CHANNEL,
    RawFrame,
)
from broker.transport import ConnectionSettings
from broker.transport.base import Tap, TransportError

log = logging.getLogger(__name__)

TICK_S: Final = 0.1
READY_STEP_S: Final = 0.02
GOODBYE_S: Final = 2.0
ECHO_S: Final = 0.2
CLOCK_STEP_NS: Final = SECOND

Deliver = Callable[[Batch], None]
Pace = Callable[[], Awaitable[None]]


def _ignore(_: Progress) -> None:
    """Nobody wants to know."""


def new_node_id() -> str:
    """A node id for one run: nobody has it, nobody had it."""
    host = "".join(c if c.isalnum() or c == "-" else "-" for c in socket.gethostname().lower()) or "host"
    return f"meshscope-{host}-{os.getpid()}-{uuid4().hex[:6]}"


class ProbeSession:
    """Listens to one live mesh.

    Attributes:
        options: As given.
        node_id: Ours; nobody hears of it with the permission *see*.
    """

    def __init__(
        self,
        options: SessionOptions,
        *,
        clock: Clock | None = None,
        door: Door | None = None,
        wanted: Wanted | None = None,
        recorded: Callable[[Path], None] | None = None,
    ) -> None:
        """Begin nothing yet.

        Args:
            options: What to listen to and what it may do.
            clock: Stamps frames.
            door: The way to the bus; by the options' URL if it is left out.
            wanted: Which frames are recorded; all if it is left out.
            recorded: Told of each recording that was closed.

        Raises:
            ValueError: The URL is none, the permissions contradict each other, or a key is none of its algorithm;
                says what is wrong.
        """
        if options.announce and not allows(options.may, "ask"):
            raise ValueError(f"announce is set with the permission '{options.may}', expected at least 'ask'")
        self.options = options
        self.node_id = new_node_id()
        self._clock = clock or SystemClock()
        settings = None
        if door is None:
            settings = ConnectionSettings.parse(options.url, password=options.password, tls_ca=options.tls_ca)
            door = UrlDoor(settings)
        self._door = door
        self._standing = Standing(door.redacted, options.may)
        self._stopped = asyncio.Event()
        self._recorder = Recorder(options.masking, wanted, recorded)
        self._peeling = options.peeling()
        self._intake = Intake(self._clock.now_ns(), options.masking)
        self._operating = Operating(
            options,
            self.node_id,
            door,
            self._clock,
            self._peeling,
            begins=self._we_are_somebody,
            told_may=self._standing.may,
            note_asked=self._note_asked,
        )
        self._catalogue = Catalogue()
        self._catalogue_file = CatalogueFile(options.catalogues(), options.profile or door.redacted)
        self._lookout: Lookout | None = None
        self._trouble = ""

    async def run(self, deliver: Deliver) -> None:
        """Listen until `stop`, or until cancelled.

        Args:
            deliver: Given a batch ten times a second, in the order of time.

        Raises:
            TransportError: The bus said no, and trying again would not help.
        """
        self._begin()
        try:
            await self._listen(deliver)
        finally:
            self._end(deliver)

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()

    async def can_speak(self, namespace: str) -> None:
        """Wait until something can be sent in a namespace: for ever, if nothing may be sent at all."""
        while self.status().state != "listening" or not self._operating.can_speak(namespace):  # noqa: ASYNC110
            await asyncio.sleep(READY_STEP_S)

    def status(self) -> ProbeStatus:
        """How it stands."""
        capture, recorder, voice = self._intake.capture, self._recorder, self._operating.voice
        troubles = self._peeling.trouble or (voice.trouble if voice else "")
        troubles = troubles or (self._lookout.trouble if self._lookout else "")
        return replace(
            self._standing.status,
            capture_bytes=capture.kept_bytes if capture else 0,
            ring_bytes=self.options.ring_bytes if capture else 0,
            capture_trouble=self._trouble or (capture.trouble if capture else "") or recorder.trouble,
            is_announced=voice is not None and voice.is_announced,
            message=self._standing.status.message or troubles,
            lost_frames=capture.lost_frames if capture else 0,
            recording=recorder.path,
            recording_bytes=recorder.written_bytes,
            recording_ended=recorder.ended,
        )

    def body(self, number: int) -> bytes | None:
        """What a frame carried; None if it is not kept."""
        return self._intake.capture.body(number) if self._intake.capture is not None else None

    def submit(
        self,
        command: Command,
        number: int = 0,
        told: Callable[[Progress], None] = _ignore,
        streams: Streams = NO_STREAMS,
    ) -> asyncio.Future[Report]:
        """Do what an operator asks for; in the loop that runs the session.

        Args:
            command: What.
            number: By which it can be given up, if it takes a while.
            told: Told how far it is.
            streams: What belongs to a call besides.

        Returns:
            The one report; there already where nothing has to be waited for.
        """
        if isinstance(command, Hide):
            return now(self._hide(command.secrets))
        if isinstance(command, Record | StopRecording):
            return now(self._operating.refused(command) or self._record(command))
        return self._operating.submit(command, number, told, streams)

    def _hide(self, secrets: tuple[str, ...]) -> Report:
        self._recorder.hide(secrets)
        if self._intake.capture is not None:
            self._intake.capture.hide(secrets)
        return Report("done", "Masked in what is kept from now on.")

    def _record(self, command: Record | StopRecording) -> Report:
        now_ns = self._clock.now_ns()
        if isinstance(command, Record):
            return self._recorder.begin(command, now_ns, self._opening())
        return self._recorder.end(now_ns, "it was stopped")

    # beginning and end

    def _begin(self) -> None:
        begin_ns = self._clock.now_ns()
        if self.options.record_path:
            record = Record(self.options.record_path, self.options.record_max_bytes)
            report = self._recorder.begin(record, begin_ns, [])
            if report.outcome != "done":
                raise OSError(f"{report.message} {report.advice}".strip())
        capture = None
        if self.options.keeps_capture:
            try:
                capture = CaptureWriter.ring(
                    self.options.captures(), ring_bytes=self.options.ring_bytes, masking=self.options.masking
                )
            except OSError as error:
                self._trouble = f"Frames are not being kept: {error}. Listening goes on; bodies cannot be shown."
        self._intake = Intake(begin_ns, self.options.masking, capture, self._recorder, self._peeling)
        self._intake.on_frames, self._intake.on_run = self._operating.hear, self._operating.hear_run
        self._intake.known = self._operating.known
        self._intake.feed(begin_ns, [self._begin_note()])
        if self.options.keeps_catalogue:
            for note in self._catalogue_file.load(begin_ns):
                self._intake.note(begin_ns, CATALOGUE_CHANNEL, note)

    def _begin_note(self) -> RawFrame:
        return session_note(
            {
                "phase": "begin",
                "program": "meshscope",
                "format": JOURNAL_FORMAT,
                "url": self._door.redacted,
                "profile": self.options.profile,
                "may": self.options.may,
            }
        )

    def _opening(self) -> list[RawFrame]:
        """What a recording begins with, so that it tells of nodes whose INFO passed before."""
        known = self._catalogue.notes(self._clock.now_ns())
        opening = [self._begin_note(), *(own_frame(CATALOGUE_CHANNEL, note) for note in known)]
        if self._standing.status.node_id:
            opening.append(session_note({"phase": "ours", "node_id": self.node_id}))
        return opening

    def _end(self, deliver: Deliver) -> None:
        now_ns = self._clock.now_ns()
        self._intake.note(now_ns, SESSION_CHANNEL, {"phase": "end", "reason": "stopped"})
        batch = self._intake.take(now_ns)
        self._notice(batch)
        deliver(batch)
        if self.options.keeps_catalogue:
            self._catalogue_file.save(self._catalogue.notes(now_ns))
        self._standing.ended()
        self._recorder.end(now_ns, "the session ended", is_told=True)
        if self._intake.capture is not None:
            self._intake.capture.close(keep=False)

    def _we_are_somebody(self) -> None:
        """From now on packets of ours may pass."""
        self._intake.note(self._clock.now_ns(), SESSION_CHANNEL, {"phase": "ours", "node_id": self.node_id})
        self._standing.is_somebody(self.node_id)

    def _note_asked(self, said: dict[str, Any]) -> None:
        """An answer to what was asked is a frame, so that a capture tells it too."""
        self._intake.note(self._clock.now_ns(), ASKED_CHANNEL, said)

    # listening

    async def _listen(self, deliver: Deliver) -> None:
        tap = self._operating.tap = self._door.tap(self._clock, self.options.namespaces or None)
        self._lookout = Lookout(self._door.looker(), self._feed_now, self.options.namespaces)
        try:
            async with asyncio.TaskGroup() as tasks:
                hearing = [
                    tasks.create_task(tap.run(self._intake), name="tap"),
                    tasks.create_task(self._tick(tap, deliver), name="session tick"),
                    tasks.create_task(self._lookout.run(), name="lookout"),
                ]
                speaking = [tasks.create_task(self._operating.run(), name="voice")]
                try:
                    await self._stopped.wait()
                finally:
                    await self._fall_silent(speaking)
                    for task in hearing:
                        task.cancel()
        except* TransportError as errors:
            raise errors.exceptions[0] from None

    async def _fall_silent(self, speaking: list[asyncio.Task[None]]) -> None:
        """Say goodbye while we still hear ourselves, so that it is in the capture too."""
        voice = self._operating.voice
        was_announced = voice is not None and voice.is_announced
        await self._operating.end()
        for task in speaking:
            task.cancel()
        await asyncio.wait(speaking, timeout=GOODBYE_S)
        if was_announced:
            await asyncio.sleep(ECHO_S)

    def _feed_now(self, frames: list[RawFrame]) -> None:
        self._intake.feed(self._clock.now_ns(), frames)

    async def _tick(self, tap: Tap, deliver: Deliver) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now_ns = self._clock.now_ns()
            tap.catch_up()  # what is read later arrived later than now, however long this takes
            step_ns = self._clock.wall_step_ns()
            if abs(step_ns) > CLOCK_STEP_NS:
                self._intake.note(now_ns, CLOCK_CHANNEL, {"step_ns": step_ns})
            self._intake.tick(now_ns)
            self._operating.tick(now_ns)
            if self.options.record_path and self._recorder.ended:
                self.stop()  # recording was all that was asked for
            batch = self._intake.take(now_ns)
            self._notice(batch)
            deliver(batch)

    def _notice(self, batch: Batch) -> None:
        """What the session itself learns from what was observed."""
        self._catalogue.learn(batch.changes)
        if self._lookout is not None and any(
            n.kind == NameKind.PACKET_TYPE and n.text == "HEARTBEAT" for n in batch.names
        ):
            self._lookout.hears_heartbeats = True
        self._operating.learn(batch.changes)
        self._standing.notice(batch, is_answered=self._lookout is not None and self._lookout.has_looked)
