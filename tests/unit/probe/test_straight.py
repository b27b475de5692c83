"""What goes straight is taken in as if frames had been made of it, whatever comes and in whatever pieces."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import fields
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.capture.masking import EVERYTHING
from broker.capture.reader import CaptureReader
from broker.capture.writer import CHUNK_BYTES, CHUNK_NS, CaptureWriter
from broker.clock import MILLISECOND, SECOND, ManualClock
from broker.native import compiled
from broker.observe.journal import Batch
from broker.operate.commands import Record
from broker.probe.intake import Intake
from broker.probe.recording import Recorder
from broker.protocol.encryption import Cipher
from broker.protocol.frame import RawFrame
from broker.protocol.peeling import Peeling
from broker.transport.redis.handover import ALL
from broker.transport.redis.reading import Arrived
from broker.transport.redis.replies import Replies, pack
from tests.script import START_NS, Script, failure
from tests.unit.transport.handing import Handing, handing
from tests.unit.transport.test_replies_compiled import CUTS, cut

pytestmark = pytest.mark.usefixtures("compiled_module")

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


# -- what arrives

NODES = ["node-1", "node-2", "n.3"]
ACTIONS = ["users.get", "v2.orders.list", "a.b", "$node.ping"]
TIMEOUTS = [0, 100, 5_000, 1, 700, 90_000_000]
REPLIES = [b":1\r\n", b"+PONG\r\n", b"-ERR x\r\n", b":0\r\n:12\r\n", pack(b"pong", b"")]
PACKETS = ["request", "request", "answer", "answer", "answer", "event", "event"]
ODD = ["failed", "twice", "again", "stray", "balanced", "heartbeat", "info", "ping", "no json", "long", "reply"]


class Stream:
    """Writes what Redis sends to a subscriber.

    Attributes:
        messages: What was written so far, one after the other.
    """

    def __init__(self, first: int = 0) -> None:
        self.messages: list[bytes] = []
        self._calls: list[tuple[str, str, str]] = []
        self._count = first  # of its ids

    def id(self, odd: int = 0) -> str:
        """One that was not there before."""
        self._count += 1
        number = 0x1B4E28BA_2FA1_11D2_883F_0016D3CCA427 + self._count
        others = {1: f"{self._count}", 2: f"é{self._count}", 3: f"{self._count}" * 42}
        return others.get(odd) or str(uuid.UUID(int=number))

    def write(self, what: str, number: int) -> None:
        """A message; which of its kind the number says."""
        sender, target = NODES[number % 3], NODES[(number + number // 3 % 2 + 1) % 3]
        action, odd = ACTIONS[number // 6 % 4], number // 24 % 12
        script = Script()
        match what:
            case "request" | "long":
                timeout = TIMEOUTS[number // 288 % len(TIMEOUTS)]
                self._calls.append((self.id(odd), sender, target))
                params = {"text": "x" * 100_000 if what == "long" else "Åsa"}
                script.request(
                    0, action, id=self._calls[-1][0], sender=sender, target=target, timeout=timeout, params=params
                )
            case "again" if self._calls:
                call_id, sender, target = self._calls[number % len(self._calls)]
                script.request(0, action, id=call_id, sender=sender, target=target)
            case "answer" | "failed" | "twice" if self._calls:
                place = len(self._calls) - 1 - number % min(8, len(self._calls))
                call_id, caller, callee = self._calls[place] if what == "twice" else self._calls.pop(place)
                error = failure(504, "REQUEST_TIMEOUT") if what == "failed" else None
                script.response(0, id=call_id, sender=callee, target=caller, error=error)
            case "stray":
                script.response(0, id=self.id(odd), sender=sender, target=target)
            case "event" | "balanced":
                balanced, groups = what == "balanced", ["mail"] if number % 2 else None
                script.event(0, "a.b", id=self.id(odd), sender=sender, target=target, groups=groups, balanced=balanced)
            case "heartbeat":
                script.heartbeat(0, sender, number % 100)
            case "info":
                script.info(0, sender, seq=number % 4 + 1)
            case "ping":
                script.packet(0, "PING", {"time": 1, "id": "1"}, sender=sender, rest=target)
            case "no json":
                script.raw(0, f"MOL.REQ.{target}", [b"\xff", b"", b"{", b"\x01\x02", b"null"][number % 5])
            case "reply":
                self.messages.append(REPLIES[number % len(REPLIES)])
        for _, channel, body in script.frames:
            way = (b"message",) if number % 2 else (b"pmessage", b"MOL*")
            self.messages.append(pack(*way, channel, body))


@cache
def warm_up() -> bytes:
    """After this all ordinary channels, routes and senders are known."""
    stream = Stream(first=1_000)
    for number in range(24):
        for what in ("request", "answer", "event"):
            stream.write(what, number)
    return b"".join(stream.messages)


def written(steps: Sequence[tuple[str, int]]) -> list[bytes]:
    """The messages of these steps."""
    stream = Stream()
    for what, number in steps:
        stream.write(what, number)
    return stream.messages


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


STEPS = st.lists(st.tuples(st.sampled_from([*PACKETS, *PACKETS, *PACKETS, *ODD]), st.integers(0, 1_727)), max_size=60)
WAITS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 1_000, MILLISECOND, 99 * MILLISECOND, 600 * MILLISECOND, 2 * SECOND]), st.booleans()
    ),
    min_size=1,
    max_size=12,
)
# of a slice only about so much is taken; so nothing that cares about how much happens then
SLICES = st.tuples(st.integers(1, 6), st.sampled_from([1, 500, 5_000]), st.just(""))
WHOLES = st.tuples(st.integers(1, 6), st.just(ALL), st.sampled_from(["", "take", "tick", "note"]))
HANDS = st.lists(st.one_of(SLICES, WHOLES, WHOLES), min_size=1, max_size=5)


@settings(max_examples=200)
@given(STEPS, st.booleans(), CUTS, WAITS, HANDS)
def test_both_ways_tell_the_same(
    steps: list[tuple[str, int]],
    is_warm: bool,
    cuts: list[int],
    waits: list[tuple[int, bool]],
    hands: list[tuple[int, int, str]],
) -> None:
    data = b"".join([warm_up() if is_warm else b"", *written(steps)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("broker.capture.writer.CHUNK_BYTES", 20_000)
        both_ways(handed(cut(data, cuts), waits, hands))


FALLING = st.lists(
    st.tuples(st.sampled_from([0, 1, MILLISECOND, 600 * MILLISECOND, -1, -50_000]), st.booleans()), min_size=1
)
ALONE = st.lists(
    st.tuples(st.sampled_from([*PACKETS, "failed", "again", "heartbeat"]), st.integers(0, 1_727)), max_size=40
)


@settings(max_examples=60)
@given(ALONE, FALLING, HANDS)
def test_a_message_that_comes_whole_before_the_one_before_it_is_taken_as_of_that(
    steps: list[tuple[str, int]], waits: list[tuple[int, bool]], hands: list[tuple[int, int, str]]
) -> None:
    both_ways(handed([warm_up(), *written(steps)], waits, hands))


# -- what goes straight, and what does not

WARM = Hand([(START_NS, warm_up(), False)])
AT_NS = START_NS + 10 * MILLISECOND
CALLS = [step for number in range(24) for step in (("request", number), ("answer", number), ("event", number))]


def messages(steps: Sequence[tuple[str, int]] = CALLS) -> list[bytes]:
    """As `written`; each sender and action was heard in WARM."""
    return written(steps)


def test_what_is_ordinary_goes_straight() -> None:
    whole = b"".join(messages())
    assert both_ways([WARM, Hand([(AT_NS, whole, False)])]).straight_count == len(CALLS)


def test_what_is_odd_comes_as_frames_and_what_follows_goes_straight_again() -> None:
    sent = messages([*CALLS, ("info", 0), ("heartbeat", 0), *CALLS])
    pieces = [(AT_NS + place, message, True) for place, message in enumerate(sent)]
    assert both_ways([WARM, Hand(pieces)]).straight_count == 2 * len(CALLS)


@pytest.mark.parametrize("place", [1, 20, 100, 200])
def test_a_message_cut_over_three_pieces_goes_straight_as_of_the_last(place: int) -> None:
    first, second = messages([("request", 0), ("answer", 0)])
    pieces = [first[:place], first[place : place + 50], first[place + 50 :] + second]
    came = [(AT_NS + number, piece, number > 0) for number, piece in enumerate(pieces)]
    assert both_ways([WARM, Hand(came)]).straight_count == 2


@pytest.mark.parametrize("step", [1_000, 16_384, 32_768, 70_000])
def test_what_comes_with_a_message_in_many_pieces_is_told_the_same(step: int) -> None:
    whole = b"".join(messages([*CALLS, ("long", 0), *CALLS]))
    pieces = [(AT_NS + begin, whole[begin : begin + step], begin > 0) for begin in range(0, len(whole), step)]
    assert both_ways([WARM, Hand(pieces)]).straight_count >= len(CALLS) - 1


def test_a_chunk_that_gets_full_in_the_middle_of_a_piece_is_followed_by_the_next() -> None:
    whole = b"".join(messages([("event", 0)] * 6_000))
    assert len(whole) > CHUNK_BYTES
    assert both_ways([WARM, Hand([(AT_NS, whole, False)], then="take")]).straight_count == 6_000


def test_a_chunk_ends_at_its_moment() -> None:
    steps = messages()
    pieces = [(AT_NS + number * CHUNK_NS // 7, message, False) for number, message in enumerate(steps)]
    assert both_ways([WARM, Hand(pieces)]).straight_count == len(steps)


def test_calls_end_at_their_deadlines_between_two_pieces() -> None:
    short = [("request", 288)] * 3  # 100 ms
    pieces = [(AT_NS + number * 40 * MILLISECOND, message, False) for number, message in enumerate(messages(short * 9))]
    intake = both_ways([WARM, Hand(pieces, then="take")])
    assert intake.straight_count == len(pieces)


def test_many_rows_become_columns_in_between() -> None:
    blocks = messages([("request", 0), ("answer", 0)] * 9_000)
    pieces = [(AT_NS + begin, b"".join(blocks[begin : begin + 100]), True) for begin in range(0, len(blocks), 100)]
    assert both_ways([WARM, Hand(pieces)]).straight_count == len(blocks)


def test_while_a_recording_runs_all_comes_as_frames_and_is_in_it(tmp_path: Path) -> None:
    paths = [tmp_path / "a.mcap", tmp_path / "b.mcap"]
    recorders: list[Recorder] = []

    def recording(capture: CaptureWriter) -> Counting:
        recorders.append(Recorder(EVERYTHING))
        recorders[-1].begin(Record(str(paths[len(recorders) - 1])), START_NS, [])
        return Counting(START_NS, EVERYTHING, capture, recorders[-1])

    sent = messages()
    assert both_ways([WARM, Hand([(AT_NS, b"".join(sent), False)])], recording).straight_count == 0
    for recorder in recorders:
        recorder.end(AT_NS, "", is_told=True)
    recorded = [[frame for _, frames, _ in kept(path) for frame in frames] for path in paths]
    assert recorded[0] == recorded[1] == Replies(list).feed(b"".join([warm_up(), *sent]))


def test_with_a_key_all_comes_as_frames() -> None:
    cipher = Cipher("k" * 32, iv="i" * 16)
    frames = Replies(list).feed(b"".join([warm_up(), *messages()]))
    sent = b"".join(pack(b"message", channel, cipher.encrypt(body)) for channel, body in frames)
    intake = both_ways(
        [Hand([(AT_NS, sent, False)]), Hand([(AT_NS, b"".join(messages()), False)])],
        lambda capture: Counting(START_NS, EVERYTHING, capture, peeling=Peeling(cipher)),
    )
    assert intake.straight_count == 0


class Hearing(Counting):
    """Somebody else wants to hear frames.

    Attributes:
        heard: What that one was told.
        channels: Of which it need hear nothing more; None while it wants to hear all.
    """

    def __init__(self, capture: CaptureWriter, channels: set[bytes] | None) -> None:
        super().__init__(START_NS, EVERYTHING, capture)
        self.heard: list[RawFrame] = []
        self.channels = channels
        self.on_run, self.known = self._hear, lambda: self.channels

    def _hear(self, _moments: list[int], frames: Sequence[RawFrame]) -> None:
        self.heard.extend(frames)


def test_while_all_are_to_be_heard_all_comes_as_frames() -> None:
    sent = messages()
    intake = both_ways([WARM, Hand([(AT_NS, b"".join(sent), False)])], lambda capture: Hearing(capture, None))
    assert isinstance(intake, Hearing)
    assert intake.straight_count == 0
    assert intake.heard == Replies(list).feed(b"".join([warm_up(), *sent]))


def test_what_is_to_be_heard_of_some_channels_is_heard_and_the_others_go_straight() -> None:
    known = {b"MOL.REQ.node-2", b"MOL.RES.node-1"}
    pieces = [(AT_NS + place, message, True) for place, message in enumerate(messages())]
    intake = both_ways([WARM, Hand(pieces)], lambda capture: Hearing(capture, known))
    assert isinstance(intake, Hearing)
    frames = Replies(list).feed(b"".join(messages()))
    heard = [frame for frame in frames if frame[0] not in known]
    assert intake.heard[-len(heard) :] == heard
    assert intake.straight_count == len(frames) - len(heard) > 0


class Learning(Hearing):
    """Wants to hear the first frame of each channel."""

    def _hear(self, moments: list[int], frames: Sequence[RawFrame]) -> None:
        super()._hear(moments, frames)
        assert self.channels is not None
        self.channels.update(channel for channel, _ in frames)


def test_a_channel_is_heard_before_its_messages_go_straight() -> None:
    sent = Replies(list).feed(b"".join([warm_up(), *messages()]))
    pieces = [(AT_NS + place, pack(b"message", *frame), True) for place, frame in enumerate(sent)]
    intake = both_ways([Hand(pieces)], lambda capture: Learning(capture, set()))
    assert isinstance(intake, Learning)
    firsts = [frame for place, frame in enumerate(sent) if frame[0] not in dict(sent[:place])]
    assert [frame for frame in intake.heard if frame in firsts] == firsts
    assert intake.straight_count >= len(CALLS)


def test_without_a_capture_rows_have_no_frame_either_way() -> None:
    hands = [WARM, Hand([(AT_NS, b"".join(messages()), False)])]
    intakes = [ordinary(None), ordinary(None)]
    stories = [told(intake, hands, is_straight=intake is intakes[0]) for intake in intakes]
    assert stories[0] == stories[1]
    assert [intake.straight_count for intake in intakes] == [len(CALLS), 0]
    assert intakes[1].asked == 0


async def test_where_nothing_is_compiled_nobody_is_asked() -> None:
    intake = ordinary(None)
    async with handing(ManualClock(LATER_NS)) as (wire, reader):
        wire._replies = Replies(wire._other, is_compiled=False)
        wire.deliver_to(intake.feed, intake.feed_run, intake)
        reader.hand_over([*WARM.pieces, (AT_NS, b"".join(messages()), False)])
        assert reader.unread == []
    assert intake.take(LATER_NS).tally.packets == len(CALLS) * 2
    assert intake.asked == 0
