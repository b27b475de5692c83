"""Calls: how each of them ends, once, at its own moment."""

from __future__ import annotations

import math
from typing import Any

import pytest

from broker.clock import SECOND
from broker.observe.ids import id64
from broker.observe.journal import CallFlag, NameKind, Outcome
from broker.observe.limits import Limits
from broker.protocol.frame import SESSION_CHANNEL
from tests.script import START_NS, Script, at, failure
from tests.unit.observe.reading import Ended, column, ended, outcomes, seconds


def test_a_call_lasts_from_its_request_to_its_answer() -> None:
    story = Script().request(0.0, "v2.orders.get", caller="api").response(0.25)
    assert ended(story.batch()) == [Ended(0.25, "v2.orders.get", Outcome.OK, 0.25)]


def test_a_row_says_who_called_whom_with_what() -> None:
    story = Script().request(
        0.0,
        "v2.orders.get",
        id="5f3a2b1c-0000-4000-8000-000000000001",
        caller="api",
        sender="edge.api-1",
        target="shop-1",
        level=3,
        tracing=True,
        request_id="not a uuid",
        parent_id="aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
    )
    batch = story.response(0.1, data=[1]).batch()
    row = batch.calls[0]
    assert column(batch, NameKind.SERVICE, "caller") == ["api"]
    assert column(batch, NameKind.NODE, "source") == ["edge.api-1"]
    assert column(batch, NameKind.NODE, "target") == ["shop-1"]
    assert (row["level"], row["flags"]) == (3, CallFlag.SAMPLED)
    assert (row["span"], row["trace"], row["parent"]) == (
        0x5F3A2B1C00004000,
        id64("not a uuid"),
        0xAAAAAAAABBBB4CCC,
    )
    assert [row["request_size"], row["response_size"]] == [len(frame.body) for frame in story.frames]


def test_a_failed_answer_carries_its_error() -> None:
    batch = Script().request(0.0).response(0.1, error=failure(409, "CONFLICT", "MoleculerClientError")).batch()
    assert outcomes(batch) == ["FAILED"]
    assert column(batch, NameKind.ERROR, "error") == ["409|CONFLICT|MoleculerClientError"]


def test_an_error_without_code_and_type_is_known_by_its_name() -> None:
    batch = Script().request(0.0).response(0.1, error=failure(None, None, "TypeError")).batch()
    assert column(batch, NameKind.ERROR, "error") == ["||TypeError"]


def test_an_answer_that_does_not_say_success_failed() -> None:
    assert outcomes(Script().request(0.0).response(0.1, success=None).batch()) == ["FAILED"]


def test_unanswered_call_ends_at_its_own_deadline_not_when_noticed() -> None:
    assert ended(Script().request(5.0, timeout=2000).batch(until=60.0)) == [
        Ended(7.0, "users.get", Outcome.TIMED_OUT, 2.0)
    ]


def test_a_deadline_below_a_second_is_kept_to_the_millisecond() -> None:
    batch = Script().request(0.0, timeout=949.038).request(0.5, timeout=20).batch(until=60.0)
    assert [round(row.at_s, 3) for row in ended(batch)] == [0.52, 0.949]
    assert batch.tally.requests_timed_out == 2


@pytest.mark.parametrize("timeout", [0, None, -5, math.inf, True, False, "5s", 86_400_001, [], {}, 10**400])
def test_a_call_without_a_sensible_timeout_waits_ten_minutes(timeout: Any) -> None:
    if isinstance(timeout, float):
        story = Script(serializer="MsgPack").request(0.0, timeout=timeout)
    else:
        story = Script().request(0.0, timeout=timeout)
    assert outcomes(story.batch(until=599.9)) == []
    assert ended(story.batch(until=3600.0)) == [Ended(600.0, "users.get", Outcome.NO_ANSWER, 600.0)]


def test_a_nan_timeout_is_none() -> None:
    assert outcomes(Script(serializer="MsgPack").request(0.0, timeout=math.nan).batch(until=599.0)) == []


def test_a_call_without_timeout_ends_when_its_node_says_goodbye() -> None:
    story = Script().info(0.0, "node-2").request(1.0).request(1.0, timeout=5000).disconnect(3.0, "node-2")
    assert ended(story.batch(until=20.0)) == [
        Ended(3.0, "users.get", Outcome.NO_ANSWER, 2.0),
        Ended(6.0, "users.get", Outcome.TIMED_OUT, 5.0),
    ]


def test_a_call_without_timeout_ends_when_its_node_comes_back_as_another_instance() -> None:
    story = Script().info(0.0, "node-2", instance_id="a").request(1.0).info(2.0, "node-2", instance_id="b")
    assert ended(story.batch()) == [Ended(2.0, "users.get", Outcome.NO_ANSWER, 1.0)]


def test_a_call_without_timeout_ends_when_its_node_fell_silent() -> None:
    story = Script().heartbeat(0.0, "node-2").request(1.0)
    assert ended(story.batch(until=60.0)) == [Ended(30.0, "users.get", Outcome.NO_ANSWER, 29.0)]


def test_calls_of_a_node_of_the_same_name_elsewhere_go_on() -> None:
    story = Script().info(0.0, "node-2", namespace="a").info(0.0, "node-2", namespace="b")
    story.request(1.0, namespace="a").request(1.0, namespace="b").disconnect(2.0, "node-2", namespace="a")
    batch = story.response(3.0, namespace="b").batch()
    assert [(row.at_s, row.outcome) for row in ended(batch)] == [(2.0, Outcome.NO_ANSWER), (3.0, Outcome.OK)]


def test_the_same_id_in_two_namespaces_is_two_calls() -> None:
    story = Script().request(0.0, id="x", namespace="a").request(0.1, id="x", namespace="b.c")
    batch = story.response(0.2, namespace="a").response(0.5, namespace="b.c").batch()
    assert [round(row.duration_s, 3) for row in ended(batch)] == [0.2, 0.4]
    assert batch.tally.requests_repeated == 0


def test_an_answer_after_the_deadline_adds_a_late_row_and_changes_nothing() -> None:
    batch = Script().request(0.0, timeout=1000).response(1.5).batch()
    assert ended(batch) == [
        Ended(1.0, "users.get", Outcome.TIMED_OUT, 1.0),
        Ended(1.5, "users.get", Outcome.LATE, 1.5),
    ]
    assert (batch.tally.requests_timed_out, batch.tally.responses_late) == (1, 1)


def test_a_second_answer_is_a_double_one_of_the_same_action() -> None:
    batch = Script().request(0.0).response(0.1).response(0.3).batch()
    assert ended(batch) == [Ended(0.1, "users.get", Outcome.OK, 0.1), Ended(0.3, "users.get", Outcome.DOUBLE, 0.0)]
    assert batch.tally.responses_doubled == 1


def test_a_second_answer_after_more_than_a_minute_is_not_known_as_such() -> None:
    story = Script().request(0.0).response(0.1).heartbeat(61.0, "x").response(121.0)
    assert outcomes(story.batch()) == ["OK", "ORPHAN"]


def test_an_answer_without_a_request_is_an_orphan_between_two_nodes() -> None:
    batch = Script().response(1.0, id="never seen", sender="callee", target="caller.1").batch()
    assert ended(batch) == [Ended(1.0, "", Outcome.ORPHAN, 0.0)]
    assert column(batch, NameKind.NODE, "source") == ["caller.1"]
    assert column(batch, NameKind.NODE, "target") == ["callee"]
    assert batch.tally.responses_orphaned == 1


def test_a_timeout_answered_at_the_callers_own_deadline_is_a_timeout() -> None:
    error = failure(504, "REQUEST_TIMEOUT", "RequestTimeoutError")
    batch = Script().request(0.0, timeout=1000).response(0.96, error=error).batch(until=9.0)
    assert ended(batch) == [Ended(0.96, "users.get", Outcome.TIMED_OUT, 0.96)]
    assert batch.tally.requests_timed_out == 1


def test_a_timeout_from_deeper_in_the_mesh_is_a_failure() -> None:
    error = failure(504, "REQUEST_TIMEOUT", "RequestTimeoutError")
    batch = Script().request(0.0, timeout=1000).response(0.5, error=error).batch(until=9.0)
    assert outcomes(batch) == ["FAILED"]
    assert batch.tally.requests_timed_out == 0


def test_a_timeout_answered_to_a_call_without_one_is_a_failure() -> None:
    error = failure(504, "REQUEST_TIMEOUT", "RequestTimeoutError")
    assert outcomes(Script().request(0.0).response(9.0, error=error).batch()) == ["FAILED"]


def test_retries_are_calls_of_their_own_in_one_trace() -> None:
    story = Script().request(0.0, request_id="r", timeout=500).request(0.6, request_id="r", timeout=500)
    batch = story.response(0.7).batch()
    assert outcomes(batch) == ["TIMED_OUT", "OK"]
    assert set(batch.calls["trace"]) == {id64("r")}


def test_a_repeated_request_is_part_of_its_call_and_counted() -> None:
    story = Script().request(0.0, id="x").request(0.1, id="x").response(0.3)
    batch = story.batch()
    assert ended(batch) == [Ended(0.3, "users.get", Outcome.OK, 0.3)]
    assert batch.tally.requests_repeated == 1
    assert batch.calls["request_size"][0] == sum(len(frame.body) for frame in story.frames[:2])


def test_a_repeated_request_of_a_waiting_call_is_no_new_call() -> None:
    batch = Script().request(0.0, id="x").request(5.0, id="x").response(6.0).batch()
    assert ended(batch) == [Ended(6.0, "users.get", Outcome.OK, 6.0)]


def test_an_id_may_be_used_again_after_its_call_ended() -> None:
    story = Script().request(0.0, id="1").response(0.1).request(1.0, id="1").response(1.2)
    assert [row.duration_s for row in ended(story.batch())] == [0.1, 0.2]


def test_a_balanced_call_went_to_whoever_answered_it() -> None:
    story = Script().request(0.0, "users.get", balanced=True, timeout=0).response(0.1, sender="node-7")
    batch = story.request(1.0, "users.get", balanced=True, timeout=100).batch(until=5.0)
    assert column(batch, NameKind.NODE, "target") == ["node-7", ""]
    assert list(batch.calls["flags"]) == [CallFlag.BALANCED, CallFlag.BALANCED | CallFlag.TARGET_UNKNOWN]


def test_our_own_calls_are_marked() -> None:
    batch = Script().ours(0.0, "node-1").request(0.1).response(0.2).request(0.3, sender="other").response(0.4).batch()
    assert list(batch.calls["flags"]) == [CallFlag.OURS, 0]
    assert batch.tally.ours == 1


def test_time_that_steps_back_is_taken_as_standing_still() -> None:
    story = Script().request(5.0)
    story.response(4.0)
    assert ended(story.batch(until=5.0)) == [Ended(5.0, "users.get", Outcome.OK, 0.0)]


def test_a_call_open_for_a_second_waits_and_then_waits_no_longer() -> None:
    story = Script().request(0.0, "slow.one", caller="api").request(0.5, "quick.one").response(0.9)
    early = story.batch(until=1.0).waiting
    assert [(seconds(call.begin_ns), call.end_ns) for call in early] == [(0.0, 0)]
    late = story.response(7.0, id="1").batch().waiting
    assert [(seconds(call.begin_ns), call.end_ns and seconds(call.end_ns)) for call in late] == [(0.0, 0), (0.0, 7.0)]
    assert late[0].span == late[1].span == id64("1")


def test_what_may_have_been_answered_in_a_gap_is_not_called_a_timeout() -> None:
    batch = Script().request(0.0, timeout=5000).gap(1.0, 3.0).request(4.0, timeout=1000).batch(until=20.0)
    assert ended(batch) == [Ended(5.0, "users.get", Outcome.TIMED_OUT, 1.0)]
    assert batch.tally.requests_unheard == 1


def test_a_call_answered_after_a_gap_is_as_long_as_it_was() -> None:
    assert ended(Script().request(0.0).gap(1.0, 3.0).response(4.0).batch()) == [
        Ended(4.0, "users.get", Outcome.OK, 4.0)
    ]


def test_too_many_open_calls_are_forgotten_oldest_first_and_counted() -> None:
    story = Script()
    for index in range(30):
        story.request(index / 100, id=f"call {index}")
    story.response(0.5, id="call 29").response(0.5, id="call 0")
    batch = story.batch(limits=Limits(open_calls=16))
    assert outcomes(batch) == ["OK", "ORPHAN"]
    assert batch.tally.requests_open <= 16
    assert batch.tally.requests_open + batch.tally.requests_forgotten == 29


def test_odd_levels_callers_and_ids_are_left_out() -> None:
    story = Script().request(0.0, level=-1, caller=5, requestID=7, parentID=[1]).response(0.1)  # type: ignore[arg-type]
    row = story.batch().calls[0]
    assert (row["level"], row["caller"], row["trace"], row["parent"]) == (0, 0, 0, 0)


def test_a_row_lies_where_it_ended_and_its_bucket_is_its_durations() -> None:
    batch = Script().request(0.0).response(0.1).request(1.0, timeout=100).batch(until=2.0)
    assert list(batch.calls["end_ns"]) == [at(0.1), at(1.1)]
    assert batch.calls["bucket"][0] == int(math.log(0.1 / 1e-6) * 50)
    assert batch.calls["bucket"][1] == -1
    assert START_NS % SECOND == 0


def test_what_is_open_when_the_session_ends_is_told_however_young():
    batch = Script().request(5.0).note(5.2, SESSION_CHANNEL, phase="end", reason="stopped").batch()
    assert [(call.begin_ns, call.end_ns) for call in batch.waiting] == [(at(5.0), 0)]
    assert batch.tally.requests_open == 1
