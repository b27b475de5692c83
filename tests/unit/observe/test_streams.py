"""Streamed calls: one call, many packets."""

from __future__ import annotations

from broker.observe.journal import CallFlag, Outcome
from tests.script import Script, failure
from tests.unit.observe.reading import Ended, ended, outcomes


def download(*, until_seq: int = 3) -> Script:
    """A call answered by a stream, one packet every 0.1 s, not closed."""
    story = Script().request(0.0, "files.get", timeout=1000)
    for seq in range(until_seq + 1):
        story.response(0.1 * (seq + 1), stream=True, seq=seq)
    return story


def upload() -> Script:
    """A call whose request is a stream of three packets, closed at 0.3."""
    story = Script().request(0.0, "files.put", id="up", stream=True, seq=0)
    story.request(0.1, "files.put", id="up", stream=True, seq=1, params="chunk")
    return story.request(0.2, "files.put", id="up", stream=True, seq=2).request(
        0.3, "files.put", id="up", stream=False, seq=3
    )


def test_a_streamed_response_lasts_to_its_closing_packet() -> None:
    story = download().response(5.0, stream=False, seq=4)
    batch = story.batch()
    assert ended(batch) == [Ended(5.0, "files.get", Outcome.OK, 5.0)]
    assert batch.calls["flags"][0] == CallFlag.RESPONSE_STREAM
    assert batch.calls["response_size"][0] == sum(len(frame.body) for frame in story.frames[1:])


def test_a_streamed_request_is_one_call_of_all_its_packets() -> None:
    story = upload().response(0.5)
    batch = story.batch()
    assert ended(batch) == [Ended(0.5, "files.put", Outcome.OK, 0.5)]
    assert batch.calls["flags"][0] == CallFlag.REQUEST_STREAM
    assert batch.calls["request_size"][0] == sum(len(frame.body) for frame in story.frames[:4])
    assert batch.tally.requests_repeated == 0


def test_an_early_answer_to_a_streamed_request_waits_for_its_end() -> None:
    story = Script().request(0.0, id="up", stream=True, seq=0).response(0.1)
    story.request(0.4, id="up", stream=False, seq=1)
    assert ended(story.batch()) == [Ended(0.4, "users.get", Outcome.OK, 0.4)]


def test_a_failure_ends_a_streamed_request_at_once_and_the_rest_belongs_to_it() -> None:
    story = Script().request(0.0, id="up", stream=True, seq=0).response(0.1, error=failure())
    story.request(0.4, id="up", stream=True, seq=1).request(0.5, id="up", stream=False, seq=2)
    batch = story.batch()
    assert ended(batch) == [Ended(0.1, "users.get", Outcome.FAILED, 0.1)]
    assert batch.tally.requests_open == 0


def test_a_stream_that_ends_in_an_error_failed() -> None:
    assert outcomes(download().response(0.5, stream=False, seq=4, error=failure()).batch()) == ["FAILED"]


def test_once_a_stream_has_begun_the_timeout_counts_no_more() -> None:
    assert outcomes(download().batch(until=500.0)) == []


def test_a_stream_without_end_is_given_up_ten_minutes_after_its_last_packet() -> None:
    assert [(row.at_s, row.outcome) for row in ended(download().batch(until=1000.0))] == [
        (600.4, Outcome.NO_ANSWER),
    ]


def test_a_streamed_request_without_answer_ends_at_its_deadline() -> None:
    story = (
        Script()
        .request(0.0, id="up", stream=True, seq=0, timeout=2000)
        .request(1.0, id="up", stream=False, seq=1, timeout=2000)
    )
    assert ended(story.batch(until=9.0)) == [Ended(2.0, "users.get", Outcome.TIMED_OUT, 2.0)]


def test_a_stream_ends_when_its_node_goes() -> None:
    story = download().info(0.5, "node-2").disconnect(2.0, "node-2")
    assert ended(story.batch()) == [Ended(2.0, "files.get", Outcome.NO_ANSWER, 2.0)]


def test_missing_sequence_numbers_are_lost_packets() -> None:
    story = Script().request(0.0).response(0.1, stream=True, seq=0).response(0.2, stream=True, seq=3)
    batch = story.response(0.3, stream=False, seq=5).batch(until=2.0)
    assert batch.tally.lost == 3
    assert [(row.at_s, row.outcome) for row in ended(batch)] == [(0.3, Outcome.OK)]


def test_packets_that_the_closing_one_overtook_are_not_lost() -> None:
    story = Script().request(0.0).response(0.1, stream=True, seq=0).response(0.2, stream=False, seq=3)
    story.response(0.3, stream=True, seq=1).response(0.9, stream=True, seq=2)
    batch = story.batch(until=3.0)
    assert batch.tally.lost == 0
    assert [(row.at_s, row.outcome) for row in ended(batch)] == [(0.2, Outcome.OK)]
    assert batch.tally.responses_orphaned == 0


def test_packets_that_were_overtaken_are_waited_for_for_a_second_however_they_trickle() -> None:
    story = Script().request(0.0, id="it").response(0.1, stream=True, seq=0).response(0.2, stream=False, seq=4)
    story.response(1.1, stream=True, seq=1).request(1.1, id="other").response(1.15)
    story.response(1.9, id="it", stream=True, seq=2)
    batch = story.batch(until=3.0)
    assert [(row.at_s, row.outcome) for row in ended(batch)] == [(1.15, Outcome.OK), (0.2, Outcome.OK)]
    assert batch.tally.lost == 2
    assert batch.tally.responses_orphaned == 0


def test_packets_out_of_order_are_not_lost() -> None:
    story = Script().request(0.0).response(0.1, stream=True, seq=0).response(0.2, stream=True, seq=2)
    assert story.response(0.3, stream=True, seq=1).response(0.4, stream=False, seq=3).batch().tally.lost == 0


def test_a_number_that_cannot_be_is_no_proof_of_loss() -> None:
    story = Script().request(0.0).response(0.1, stream=True, seq=0).response(0.2, stream=False, seq=2**60)
    assert story.batch().tally.lost == 0


def test_a_stream_that_was_joined_late_is_one_orphan() -> None:
    story = Script()
    for seq in range(5, 10):
        story.response(seq / 10, id="unknown", stream=True, seq=seq)
    story.response(1.0, id="unknown", stream=False, seq=10)
    assert outcomes(story.batch()) == ["ORPHAN"]


def test_a_streamed_answer_after_the_deadline_is_one_late_row() -> None:
    story = Script().request(0.0, timeout=500)
    for seq in range(3):
        story.response(1.0 + seq / 10, stream=True, seq=seq)
    batch = story.response(2.0, stream=False, seq=3).batch()
    assert outcomes(batch) == ["TIMED_OUT", "LATE"]
    assert batch.tally.responses_late == 1


def test_packets_of_a_streamed_request_that_was_joined_late_open_no_call() -> None:
    batch = Script().request(0.0, id="up", stream=True, seq=4).request(0.1, id="up", stream=False, seq=5).batch()
    assert batch.tally.requests_open == 0


def test_a_long_stream_is_shown_as_waiting_until_it_ends() -> None:
    batch = download().response(5.0, stream=False, seq=4).batch()
    assert [call.end_ns != 0 for call in batch.waiting] == [False, True]


def test_a_call_that_waited_may_be_answered_by_a_stream() -> None:
    story = Script().request(0.0).response(3.0, stream=True, seq=0).response(4.0, stream=False, seq=1)
    batch = story.batch()
    assert ended(batch) == [Ended(4.0, "users.get", Outcome.OK, 4.0)]
    assert [call.end_ns != 0 for call in batch.waiting] == [False, True]
