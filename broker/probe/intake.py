"""Where frames come in: taken out of what is around them, kept, then observed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from broker.capture.masking import Masking
from broker.capture.writer import CaptureWriter
from broker.native import compiled
from broker.observe.journal import Batch
from broker.observe.pipeline import Pipeline
from broker.probe.masked import mask_changes
from broker.protocol.frame import RawFrame
from broker.protocol.peeling import Peeling
from broker.protocol.runs import not_before


def own_frame(channel: bytes, body: dict[str, Any]) -> RawFrame:
    """One of our own frames."""
    return channel, json.dumps(body).encode()


class Recording(Protocol):
    """Something that records when it is asked to."""

    @property
    def is_on(self) -> bool:
        """Whether it records now."""
        ...

    def feed(self, at_ns: int, frames: Sequence[RawFrame]) -> Sequence[int]:
        """Take in frames that arrived together; returns the numbers of those that are recorded, 0 for others."""
        ...

    def feed_run(self, moments: list[int], frames: Sequence[RawFrame]) -> Sequence[int]:
        """Take in frames that arrived one after the other; returns what `feed` does."""
        ...

    def withhold(self, numbers: Iterable[int]) -> None:
        """Keep nothing but the headers of frames that were just taken in; 0 for one that is not recorded."""
        ...

    def tick(self, now_ns: int) -> None:
        """Several times a second."""
        ...


class Intake:
    """Takes frames from any source to the capture, to a recording, and to the pipeline. A FrameSink and a RunSink.

    Attributes:
        capture: The ring from which bodies are read; None without one.
        on_frames, on_run: Also told of all frames; None for nobody.
        known: Says of which channels those need not be told; None if of all they must.
        now_ns: The moment of the newest frame.
    """

    def __init__(
        self,
        begin_ns: int,
        masking: Masking,
        capture: CaptureWriter | None = None,
        recorder: Recording | None = None,
        peeling: Peeling | None = None,
    ) -> None:
        """
        Args:
            begin_ns: When the session begins.
            masking: What of settings and metadata may leave the pipeline.
            capture: The ring; None without one.
            recorder: Also given all frames.
            peeling: Takes packets out of what is around them, before anything else sees them.
        """
        self.capture = capture
        self._masking = masking
        self._recorder = recorder
        self._peeling = peeling or Peeling()
        self._peel = self._peeling.peel
        self.on_frames: Callable[[int, Sequence[RawFrame]], None] | None = None
        self.on_run: Callable[[list[int], Sequence[RawFrame]], None] | None = None
        self.known: Callable[[], set[bytes] | None] | None = None
        self.now_ns = begin_ns
        self._withheld: list[bytes] = []
        withhold = self._withheld.append if capture is not None or recorder is not None else None
        self._pipeline = Pipeline(begin_ns=begin_ns, withhold=withhold)

    def feed(self, at_ns: int, frames: Sequence[RawFrame], numbers: Sequence[int] | None = None) -> None:
        """Take in frames that arrived together."""
        at_ns = max(at_ns, self.now_ns)
        self.now_ns = at_ns
        frames = self._peel(frames)
        if self.capture is not None:
            numbers = self.capture.write(at_ns, frames)
        recorded = self._recorder.feed(at_ns, frames) if self._recorder is not None else ()
        self._pipeline.feed(at_ns, frames, numbers)
        if self._withheld:
            self._keep_headers_only(frames, numbers, recorded)
        if self.on_frames is not None:
            self.on_frames(at_ns, frames)

    def feed_run(self, moments: list[int], frames: Sequence[RawFrame], numbers: Sequence[int] | None = None) -> None:
        """Take in frames that arrived one after the other; see RunSink."""
        if not frames:
            return
        moments = not_before(self.now_ns, moments)
        self.now_ns = moments[-1]
        frames = self._peel(frames)
        if self.capture is not None:
            numbers = self.capture.write_run(moments, frames)
        recorded = self._recorder.feed_run(moments, frames) if self._recorder is not None else ()
        self._pipeline.feed_run(moments, frames, numbers)
        if self._withheld:
            self._keep_headers_only(frames, numbers, recorded)
        if self.on_run is not None:
            self.on_run(moments, frames)

    def _keep_headers_only(
        self, frames: Sequence[RawFrame], numbers: Sequence[int] | None, recorded: Sequence[int]
    ) -> None:
        """Of what was withheld among frames, files keep the headers."""
        withheld = {id(body) for body in self._withheld}  # they were told as the objects that are in the frames
        self._withheld.clear()
        places = [place for place, (_, body) in enumerate(frames) if id(body) in withheld]
        if self.capture is not None and numbers:
            self.capture.withhold(numbers[place] for place in places)
        if self._recorder is not None and recorded:
            self._recorder.withhold(recorded[place] for place in places)

    def straight(self, at_ns: int) -> compiled.Straight | None:
        """Where messages go that arrive from a moment on; None if all must come as frames. See StraightSink."""
        if self._peeling.is_told_how or (self._recorder is not None and self._recorder.is_on):
            return None
        known = self.known() if self.known is not None else None
        if known is None and self.on_run is not None:
            return None
        at_ns = max(at_ns, self.now_ns)
        intake = self._pipeline.straight(at_ns)
        if intake is None:
            return None
        chunk = self.capture.straight(at_ns) if self.capture is not None else None
        return compiled.Straight(intake, chunk, known, at_ns)

    def went_straight(self, straight: compiled.Straight) -> None:
        """So many went there."""
        self.now_ns = max(self.now_ns, straight.last_ns)
        if self.capture is not None:
            self.capture.went_straight(straight.count, straight.last_ns)
        self._pipeline.went_straight(straight.last_ns)

    def note(self, at_ns: int, channel: bytes, body: dict[str, Any]) -> None:
        """Take in a frame of our own."""
        self.feed(at_ns, [own_frame(channel, body)])

    def tick(self, now_ns: int) -> None:
        """Several times a second: let files be written."""
        for writer in (self.capture, self._recorder):
            if writer is not None:
                writer.tick(now_ns)

    def take(self, now_ns: int) -> Batch:
        """What was observed since the last time."""
        self.now_ns = max(self.now_ns, now_ns)
        batch = self._pipeline.take(self.now_ns)
        mask_changes(batch, self._masking)
        return batch
