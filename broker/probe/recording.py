"""Recording: what passes from now on, in one file that can be read by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from broker.capture.masking import POLICIES, Masking
from broker.capture.writer import CaptureWriter
from broker.clock import SECOND
from broker.operate.commands import Record, Report
from broker.probe.intake import own_frame
from broker.protocol.frame import SESSION_CHANNEL, RawFrame

Wanted = Callable[[int, bytes, bytes], bool]
"""Whether a frame (at_ns, channel, body) is to be recorded."""


@dataclass(slots=True)
class Recorder:
    """At most one recording at a time. A FrameSink.

    Attributes:
        masking: The session's own rule.
        wanted: Which frames are recorded; None for all. Our own frames always are.
        recorded: Told of each file that was closed; None for nobody.
        path: Of the file being recorded; empty for none.
        ended: What is to be said of a recording that ended by itself; empty for nothing.
    """

    masking: Masking
    wanted: Wanted | None = None
    recorded: Callable[[Path], None] | None = None
    path: str = ""
    ended: str = ""
    _writer: CaptureWriter | None = None
    _max_bytes: int = 0
    _until_ns: int = 0
    _opening: list[RawFrame] = field(default_factory=list)

    @property
    def is_on(self) -> bool:
        """Whether it records now."""
        return self._writer is not None

    @property
    def written_bytes(self) -> int:
        """Bytes of the file so far."""
        return self._writer.written_bytes if self._writer is not None else 0

    @property
    def trouble(self) -> str:
        """Why frames are not being kept; empty while they are."""
        return self._writer.trouble if self._writer is not None else ""

    def hide(self, secrets: tuple[str, ...]) -> None:
        """Know of more secrets, in this recording and those to come."""
        self.masking = self.masking.hiding(secrets)
        if self._writer is not None:
            self._writer.hide(secrets)

    def begin(self, command: Record, at_ns: int, opening: Sequence[RawFrame]) -> Report:
        """Begin a file.

        Args:
            command: Where, and until when.
            at_ns: Now.
            opening: Frames that it begins with, so that it can be read without what passed before.
        """
        if self._writer is not None:
            return Report("refused", f"{self.path} is being recorded.", "Stop that first.")
        masking = self.masking
        if command.policy:
            if command.policy not in POLICIES:
                return Report("failed", f"policy is '{command.policy}', expected one of {', '.join(POLICIES)}")
            masking = replace(masking, policy=command.policy)
        try:
            self._writer = CaptureWriter.file(Path(command.path).expanduser(), masking=masking)
        except FileExistsError:
            return Report("failed", f"{command.path} is there already.", "Name a file that is not there.")
        except OSError as error:
            return Report("failed", f"{command.path} cannot be written: {error.strerror or error}.")
        self.path, self.ended = command.path, ""
        self._max_bytes = command.max_bytes
        self._until_ns = at_ns + int(command.max_s * SECOND) if command.max_s else 0
        if opening:
            self._writer.write(at_ns, opening)
            self._writer.flush()
        return Report("done", f"Recording into {command.path}.")

    def feed(self, at_ns: int, frames: Sequence[RawFrame]) -> Sequence[int]:
        """Take in frames that arrived together; returns the numbers of those that are recorded, 0 for others."""
        return self.feed_run([at_ns] * len(frames), frames)

    def feed_run(self, moments: list[int], frames: Sequence[RawFrame]) -> Sequence[int]:
        """Take in frames that arrived one after the other; returns what `feed` does."""
        if self._writer is None:
            return ()
        if self.wanted is None:
            return self._writer.write_run(moments, frames)
        places = [
            place
            for place, (at_ns, (channel, body)) in enumerate(zip(moments, frames, strict=True))
            if channel.startswith(b"@") or self.wanted(at_ns, channel, body)
        ]
        written = self._writer.write_run([moments[place] for place in places], [frames[place] for place in places])
        numbers = [0] * len(frames)
        for place, number in zip(places, written, strict=True):
            numbers[place] = number
        return numbers

    def withhold(self, numbers: Iterable[int]) -> None:
        """Keep nothing but the headers of frames that were just taken in; 0 for one that is not recorded."""
        if self._writer is not None:
            self._writer.withhold(numbers)

    def tick(self, now_ns: int) -> None:
        """Several times a second: let the file be written, and end it when it is full."""
        if self._writer is None:
            return
        self._writer.tick(now_ns)
        if self._max_bytes and self.written_bytes >= self._max_bytes:
            self.ended = self.end(now_ns, "the size that was asked for is reached").message
        elif self._until_ns and now_ns >= self._until_ns:
            self.ended = self.end(now_ns, "the time that was asked for is over").message

    def end(self, at_ns: int, reason: str, *, is_told: bool = False) -> Report:
        """Close the file.

        Args:
            at_ns: Now.
            reason: Why.
            is_told: Whether the file holds the session's end already.
        """
        if self._writer is None:
            return Report("failed", "Nothing is being recorded.")
        writer, path, self._writer, self.path = self._writer, self.path, None, ""
        if not is_told:
            writer.write(at_ns, [session_note({"phase": "end", "reason": reason})])
        writer.close()
        if self.recorded is not None:
            self.recorded(Path(path).expanduser())
        lost = f" {writer.lost_frames:,} frames could not be written." if writer.lost_frames else ""
        message = f"{path}: {writer.frames:,} frames, {writer.written_bytes:,} bytes; {reason}.{lost}"
        return Report("partly" if lost else "done", message)


def session_note(body: dict[str, Any]) -> RawFrame:
    """A @session frame."""
    return own_frame(SESSION_CHANNEL, body)
