"""Runs: frames that arrived one after the other, with a moment for each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from broker.native import compiled
from broker.protocol.frame import RawFrame


@runtime_checkable
class RunSink(Protocol):
    """Takes runs, too: a FrameSink that is one is given them where they are at hand."""

    def feed_run(self, moments: list[int], frames: Sequence[RawFrame]) -> None:
        """Take in frames that arrived one after the other: the same as to feed those of each moment by themselves.

        Args:
            moments: When each was received, in ns since the epoch, never falling; parallel to frames.
            frames: Channel and body of each.
        """
        ...


@runtime_checkable
class StraightSink(Protocol):
    """Takes ordinary messages straight from what arrived, in the compiled module, without frames of them."""

    def straight(self, at_ns: int) -> compiled.Straight | None:
        """Where messages go that arrive from a moment on; None if all must come as frames.

        It is good until anything else is given to this sink, or asked of it; then `went_straight` is called.
        """
        ...

    def went_straight(self, straight: compiled.Straight) -> None:
        """So many went there."""
        ...


def not_before(at_ns: int, moments: list[int]) -> list[int]:
    """Moments of a run; those that lie before a moment become it."""
    count = bisect_left(moments, at_ns)
    return [at_ns] * count + moments[count:] if count else moments


def by_moment(moments: list[int]) -> Iterator[tuple[int, slice]]:
    """The moments of a run, each once, and where the frames are that were received then."""
    begin = 0
    while begin < len(moments):
        end = begin + 1
        while end < len(moments) and moments[end] == moments[begin]:
            end += 1
        yield moments[begin], slice(begin, end)
        begin = end
