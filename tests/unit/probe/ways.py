"""The straight way and the way of frames, side by side: what both tell of what a Redis connection brings."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import fields
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from broker.capture.masking import EVERYTHING
from broker.capture.reader import CaptureReader
from broker.capture.writer import CaptureWriter
from broker.clock import MILLISECOND, SECOND, ManualClock
from broker.native import compiled
from broker.observe.journal import Batch
from broker.probe.intake import Intake
from broker.probe.recording import Recorder
from broker.protocol.frame import RawFrame
from broker.protocol.peeling import Peeling
from broker.transport.redis.handover import ALL
from broker.transport.redis.reading import Arrived
from tests.script import START_NS
from tests.unit.transport.handing import Handing, handing

LATER_NS = START_NS + 10_000 * SECOND


class Counting(Intake):
    """Counts what goes straight.

    Attributes:
        straight_count: How many messages did.
        asked: How often it was asked where they go.
    """

    straight_count = 0
    asked = 0

    def straight(self, at_ns: int) -> compiled.Straight | None:
        self.asked += 1
        return super().straight(at_ns)

    def went_straight(self, straight: compiled.Straight) -> None:
        self.straight_count += straight.count
        super().went_straight(straight)


class Hand(NamedTuple):
    """What is handed over together, about how much of it and of what was left before, and what happens then."""

    pieces: list[Arrived]
    most_bytes: int = ALL
    then: str = ""


class Told(NamedTuple):
    """All that can be seen from outside."""

    batches: list[dict[str, Any]]
    kept: list[tuple[int, list[RawFrame], list[int]]]
    kept_count: int
    behind_bytes: int


def plain(batch: Batch) -> dict[str, Any]:
    """A batch that can be compared."""
    parts = {field.name: getattr(batch, field.name) for field in fields(batch)}
    return {name: part.tolist() if isinstance(part, np.ndarray) else part for name, part in parts.items()}


def kept(path: Path) -> list[tuple[int, list[RawFrame], list[int]]]:
    """What a capture has: moment, frames and their numbers of each group."""
    reader = CaptureReader(path)
    groups = [(group.at_ns, group.frames, group.numbers) for group in reader.groups()]
    assert not reader.stopped
    return groups


def hand_over(reader: Handing, intake: Intake, hands: Sequence[Hand]) -> list[Batch]:
    """What an intake observes while all of this is handed over."""
    batches, now_ns = list[Batch](), START_NS
    for pieces, most_bytes, then in hands:
        reader.hand_over(pieces, most_bytes)
        assert most_bytes != ALL or reader.unread == []  # nothing waits for what comes behind it
        now_ns = max([now_ns, *(at_ns for at_ns, _, _ in pieces)])
        later_ns = now_ns + MILLISECOND  # what comes next may lie before it
        if then == "take":
            batches.append(intake.take(later_ns))
        elif then == "tick":
            intake.tick(later_ns)
        elif then == "note":
            intake.note(later_ns, b"@channels", {"channels": ["MOL.REQ.node-1"]})
    reader.hand_over([])
    assert reader.unread == []
    return [*batches, intake.take(now_ns + MILLISECOND), intake.take(LATER_NS)]


def told(intake: Intake, hands: Sequence[Hand], *, is_straight: bool) -> Told:
    """What an intake tells while all of this is handed over; what its capture has is left out."""
    batches, behind_bytes = list[Batch](), 0

    async def story() -> None:  # it returns nothing, for asyncio would write all of that down
        nonlocal batches, behind_bytes
        async with handing(ManualClock(LATER_NS)) as (wire, reader):
            wire.deliver_to(intake.feed, intake.feed_run, intake if is_straight else None)
            batches = hand_over(reader, intake, hands)
            behind_bytes = wire._replies.behind_bytes

    asyncio.run(story())
    return Told([plain(batch) for batch in batches], [], 0, behind_bytes)


def ordinary(capture: CaptureWriter | None) -> Counting:
    """An intake as a session has it that nobody told anything."""
    return Counting(START_NS, EVERYTHING, capture, Recorder(EVERYTHING), Peeling())


def both_ways(hands: Sequence[Hand], make: Callable[[CaptureWriter], Counting] = ordinary) -> Counting:
    """The intake of the straight way, after it told the same as that of frames; both are made anew."""
    stories, intakes = list[Told](), list[Counting]()
    with tempfile.TemporaryDirectory() as folder:
        for is_straight in (True, False):
            path = Path(folder) / f"{is_straight}.mcap"
            with closing(CaptureWriter.file(path)) as capture:
                intakes.append(make(capture))
                story = told(intakes[-1], hands, is_straight=is_straight)
            stories.append(story._replace(kept=kept(path), kept_count=capture.frames))
    assert stories[0] == stories[1]
    assert intakes[1].straight_count == 0
    return intakes[0]


def handed(blocks: list[bytes], waits: list[tuple[int, bool]], hands: list[tuple[int, int, str]]) -> list[Hand]:
    """How blocks arrive.

    Args:
        blocks: The bytes of each piece.
        waits: Of the pieces, again and again: how much later than the one before, in ns, and whether it had waited.
        hands: Again and again: of how many pieces, of about how many bytes, and what then.
    """
    at_ns, pieces, made = START_NS, list[Arrived](), list[Hand]()
    for block, (later_ns, has_waited) in zip(blocks, cycle(waits), strict=False):
        at_ns += later_ns
        pieces.append((at_ns, block, has_waited))
    several = cycle(hands)
    while pieces:
        count, most_bytes, then = next(several)
        made.append(Hand(pieces[:count], most_bytes, then))
        pieces = pieces[count:]
    return made
