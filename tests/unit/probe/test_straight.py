"""What goes straight is taken in as if frames had been made of it, whatever comes and in whatever pieces."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.capture.masking import EVERYTHING
from broker.capture.writer import CHUNK_BYTES, CHUNK_NS, CaptureWriter
from broker.clock import MILLISECOND, SECOND, ManualClock
from broker.operate.commands import Record
from broker.probe.recording import Recorder
from broker.protocol.encryption import Cipher
from broker.protocol.frame import RawFrame
from broker.protocol.peeling import Peeling
from broker.transport.redis.handover import ALL
from broker.transport.redis.replies import Replies, pack
from tests.script import START_NS, Script
from tests.unit.probe.sent import CALLS, ODD, PACKETS, warm_up, written
from tests.unit.probe.ways import LATER_NS, Counting, Hand, both_ways, handed, kept, ordinary, told
from tests.unit.transport.handing import handing
from tests.unit.transport.test_replies_compiled import CUTS, cut

pytestmark = pytest.mark.usefixtures("compiled_module")

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


def frames_of(data: bytes) -> list[RawFrame]:
    """The frames of messages."""
    return Replies(lambda _reply: None).feed(data)


def test_what_is_ordinary_goes_straight() -> None:
    whole = b"".join(written(CALLS))
    assert both_ways([WARM, Hand([(AT_NS, whole, False)])]).straight_count == len(CALLS)


def test_what_is_odd_comes_as_frames_and_what_follows_goes_straight_again() -> None:
    sent = written([*CALLS, ("info", 0), ("heartbeat", 0), *CALLS])
    pieces = [(AT_NS + place, message, True) for place, message in enumerate(sent)]
    assert both_ways([WARM, Hand(pieces)]).straight_count == 2 * len(CALLS)


BREAKER = {"nodeID": "node-2", "service": "users", "action": "users.get"}


def moves(*states: str) -> list[bytes]:
    """What node-1 tells of a breaker: once to each node that listens, as MoleculerJS does."""
    script = Script()
    for state in states:
        for target in ("node-2", "n.3"):
            event = f"$circuit-breaker.{state}"
            script.event(0, event, sender="node-1", target=target, data=BREAKER, broadcast=True)
    return [pack(b"message", channel, body) for _, channel, body in script.frames]


@pytest.mark.parametrize("apart_ns", [0, 1, MILLISECOND])
def test_each_move_of_a_breaker_comes_as_a_frame_however_often_the_like_was_heard(apart_ns: int) -> None:
    states = ["opened", "half-opened", "closed"] * 2
    sent = [message for state in states for message in [*written(CALLS), *moves(state)]]
    hands = [WARM, Hand([(AT_NS + place * apart_ns, message, True) for place, message in enumerate(sent)])]
    assert both_ways(hands).straight_count >= len(CALLS)
    batches = told(ordinary(None), hands, is_straight=True).batches
    changes = [change for batch in batches for change in batch["changes"] if change.kind == "breaker"]
    assert [change.value["state"] for change in changes] == ["open", "half-open", "closed"] * 2


@pytest.mark.parametrize("place", [1, 20, 100, 200])
def test_a_message_cut_over_three_pieces_goes_straight_as_of_the_last(place: int) -> None:
    first, second = written([("request", 0), ("answer", 0)])
    pieces = [first[:place], first[place : place + 50], first[place + 50 :] + second]
    came = [(AT_NS + number, piece, number > 0) for number, piece in enumerate(pieces)]
    assert both_ways([WARM, Hand(came)]).straight_count == 2


@pytest.mark.parametrize("step", [1_000, 16_384, 32_768, 70_000])
def test_what_comes_with_a_message_in_many_pieces_is_told_the_same(step: int) -> None:
    whole = b"".join(written([*CALLS, ("long", 0), *CALLS]))
    pieces = [(AT_NS + begin, whole[begin : begin + step], begin > 0) for begin in range(0, len(whole), step)]
    assert both_ways([WARM, Hand(pieces)]).straight_count >= len(CALLS) - 1


def test_a_chunk_that_gets_full_in_the_middle_of_a_piece_is_followed_by_the_next() -> None:
    whole = b"".join(written([("event", 0)] * 6_000))
    assert len(whole) > CHUNK_BYTES
    assert both_ways([WARM, Hand([(AT_NS, whole, False)], then="take")]).straight_count == 6_000


def test_a_chunk_that_gets_full_is_the_same_to_the_byte(tmp_path: Path) -> None:
    pieces = [(AT_NS + 1_000 * number, message, True) for number, message in enumerate(written([("event", 0)] * 6_000))]
    files = list[bytes]()
    for is_straight in (True, False):
        path = tmp_path / f"{is_straight}.mcap"
        with closing(CaptureWriter.file(path)) as capture:
            told(ordinary(capture), [WARM, Hand(pieces)], is_straight=is_straight)
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_a_chunk_ends_at_its_moment() -> None:
    steps = written(CALLS)
    pieces = [(AT_NS + number * CHUNK_NS // 7, message, False) for number, message in enumerate(steps)]
    assert both_ways([WARM, Hand(pieces)]).straight_count == len(steps)


def test_a_call_has_ended_at_its_deadline_before_a_later_piece_is_taken() -> None:
    sent = written([("request", 288), ("answer", 288)] * 8)  # with a timeout of 100 ms
    pieces = [(AT_NS + number * 101 * MILLISECOND, message, False) for number, message in enumerate(sent)]
    intake = both_ways([WARM, Hand(pieces)])
    assert intake.straight_count == 8
    tally = intake.take(LATER_NS).tally
    assert (tally.requests_timed_out, tally.responses_late) == (8, 8)


def test_many_rows_become_columns_in_between() -> None:
    blocks = written([("request", 0), ("answer", 0)] * 9_000)
    pieces = [(AT_NS + begin, b"".join(blocks[begin : begin + 100]), True) for begin in range(0, len(blocks), 100)]
    assert both_ways([WARM, Hand(pieces)]).straight_count == len(blocks)


def test_while_a_recording_runs_all_comes_as_frames_and_is_in_it(tmp_path: Path) -> None:
    paths = [tmp_path / "a.mcap", tmp_path / "b.mcap"]
    recorders: list[Recorder] = []

    def recording(capture: CaptureWriter) -> Counting:
        recorders.append(Recorder(EVERYTHING))
        recorders[-1].begin(Record(str(paths[len(recorders) - 1])), START_NS, [])
        return Counting(START_NS, EVERYTHING, capture, recorders[-1])

    sent = written(CALLS)
    assert both_ways([WARM, Hand([(AT_NS, b"".join(sent), False)])], recording).straight_count == 0
    for recorder in recorders:
        recorder.end(AT_NS, "", is_told=True)
    recorded = [[frame for _, frames, _ in kept(path) for frame in frames] for path in paths]
    assert recorded[0] == recorded[1] == frames_of(b"".join([warm_up(), *sent]))


def test_with_a_key_all_comes_as_frames() -> None:
    cipher = Cipher("k" * 32, iv="i" * 16)
    frames = frames_of(b"".join([warm_up(), *written(CALLS)]))
    sent = b"".join(pack(b"message", channel, cipher.encrypt(body)) for channel, body in frames)
    intake = both_ways(
        [Hand([(AT_NS, sent, False)]), Hand([(AT_NS, b"".join(written(CALLS)), False)])],
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
    sent = written(CALLS)
    intake = both_ways([WARM, Hand([(AT_NS, b"".join(sent), False)])], lambda capture: Hearing(capture, None))
    assert isinstance(intake, Hearing)
    assert intake.straight_count == 0
    assert intake.heard == frames_of(b"".join([warm_up(), *sent]))


def test_what_is_to_be_heard_of_some_channels_is_heard_and_the_others_go_straight() -> None:
    known = {b"MOL.REQ.node-2", b"MOL.RES.node-1"}
    pieces = [(AT_NS + place, message, True) for place, message in enumerate(written(CALLS))]
    intake = both_ways([WARM, Hand(pieces)], lambda capture: Hearing(capture, known))
    assert isinstance(intake, Hearing)
    frames = frames_of(b"".join(written(CALLS)))
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
    sent = frames_of(b"".join([warm_up(), *written(CALLS)]))
    pieces = [(AT_NS + place, pack(b"message", *frame), True) for place, frame in enumerate(sent)]
    intake = both_ways([Hand(pieces)], lambda capture: Learning(capture, set()))
    assert isinstance(intake, Learning)
    firsts = [frame for place, frame in enumerate(sent) if frame[0] not in dict(sent[:place])]
    assert [frame for frame in intake.heard if frame in firsts] == firsts
    assert intake.straight_count >= len(CALLS)


def test_without_a_capture_rows_have_no_frame_either_way() -> None:
    hands = [WARM, Hand([(AT_NS, b"".join(written(CALLS)), False)])]
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
        reader.hand_over([*WARM.pieces, (AT_NS, b"".join(written(CALLS)), False)])
        assert reader.unread == []
    assert intake.take(LATER_NS).tally.packets == len(CALLS) * 2
    assert intake.asked == 0
