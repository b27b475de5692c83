"""A capture that was cut off, written anew: everything that is whole, with an index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from broker.capture.masking import EVERYTHING, Masking
from broker.capture.reader import CaptureReader
from broker.capture.writer import CaptureWriter


@dataclass(frozen=True, slots=True)
class Repaired:
    """What came of it.

    Attributes:
        frames: How many are in the new file.
        stopped: Where the old one was damaged, for people; empty if it was whole.
        left_out_bytes: Bytes at the old one's end that could not be read.
    """

    frames: int
    stopped: str
    left_out_bytes: int


def _never() -> bool:
    return False


def repair(
    damaged: Path, whole: Path, *, masking: Masking = EVERYTHING, cancelled: Callable[[], bool] = _never
) -> Repaired:
    """Write what can be read of a capture into a new file; the old one stays as it is.

    Args:
        damaged: The old one.
        whole: The new one; must not be there.
        masking: What may be in the new one.
        cancelled: Asked now and then whether to stop here.

    Raises:
        NotACaptureError: The old one is no MCAP file.
        OSError: It cannot be read, or the new one not written, or it is there already.
    """
    reader = CaptureReader(damaged)
    groups = reader.groups()
    first = next(groups, None)
    writer = CaptureWriter.file(whole, masking=masking)
    try:
        if first is not None:
            writer.write(first.at_ns, first.frames)
        for group in groups:
            writer.write(group.at_ns, group.frames)
            writer.catch_up()
            if cancelled():
                break
    finally:
        writer.close()
    if writer.lost_frames:
        raise OSError(f"{whole} is not complete: {writer.lost_frames:,} frames could not be written. {writer.trouble}")
    return Repaired(reader.frames, reader.stopped, reader.size - reader.stopped_at if reader.stopped else 0)
