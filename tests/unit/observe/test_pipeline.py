"""Frames in, batches out."""

from __future__ import annotations

import numpy as np
import pytest

from broker.observe.journal import CALL_COLUMNS, COUNTER_COLUMNS, EVENT_COLUMNS, OTHER_NAME, EventFlag, NameKind
from broker.observe.limits import Limits
from broker.observe.pipeline import Pipeline
from tests.script import START_NS, Script, at
from tests.unit.observe.reading import changes, ended, outcomes, seconds, states, texts

START_S = START_NS // 10**9


def test_a_batch_has_the_journals_columns_even_when_empty() -> None:
    batch = Pipeline(begin_ns=START_NS).take(START_NS + 5)
    assert [batch.calls.dtype, batch.events.dtype, batch.counters.dtype] == [
        CALL_COLUMNS,
        EVENT_COLUMNS,
        COUNTER_COLUMNS,
    ]
    assert batch.through_ns == START_NS + 5


@pytest.mark.parametrize("serializer", ["JSON", "MsgPack"])
@pytest.mark.parametrize("ver", ["4", "5"])
def test_both_versions_and_serializers_are_understood(serializer: str, ver: str) -> None:
    story = Script(ver=ver, serializer=serializer).request(0.0, timeout=100).response(0.05).event(0.1).info(0.2)
    batch = story.batch()
    assert (outcomes(batch), len(batch.events), batch.tally.undecodable) == (["OK"], 1, 0)
    assert changes(batch, "node")[-1].value["protocol"] == ver  # type: ignore[index]


def test_an_event_is_a_row_of_its_own() -> None:
    story = Script(namespace="dev.eu").event(
        1.0, "order.created", groups=["mail", "audit"], broadcast=True, caller="v2.orders", request_id="r"
    )
    batch = story.batch()
    names, row = texts(batch), batch.events[0]
    assert seconds(row["at_ns"]) == 1.0
    kinds = {"event": NameKind.EVENT, "caller": NameKind.SERVICE, "source": NameKind.NODE, "target": NameKind.NODE}
    assert {name: names[kind, int(row[name])] for name, kind in kinds.items()} == {
        "event": "order.created",
        "caller": "v2.orders",
        "source": "node-1",
        "target": "node-2",
    }
    assert names[NameKind.GROUPS, int(row["groups"])] == "audit,mail"
    assert (row["flags"], row["size"]) == (EventFlag.BROADCAST, len(story.frames[0].body))


def test_a_balanced_event_has_no_target() -> None:
    row = Script().event(1.0, "order.created", groups=["mail"], balanced=True).batch().events[0]
    assert (row["target"], row["flags"]) == (0, EventFlag.BALANCED)


def test_packets_are_counted_by_second_namespace_and_type() -> None:
    story = Script().request(0.1).request(0.9).request(1.0, namespace="x").raw(1.5, "MOLE.hill", b"?")
    batch = story.batch()
    names, sizes = texts(batch), [len(frame.body) for frame in story.frames]
    assert [
        (
            row["second"] - START_S,
            names[NameKind.NAMESPACE, int(row["namespace"])],
            names[NameKind.PACKET_TYPE, int(row["packet_type"])],
            row["packets"],
            row["bytes"],
            row["undecodable"],
        )
        for row in batch.counters
    ] == [
        (0, "", "REQ", 2, sizes[0] + sizes[1], 0),
        (1, "x", "REQ", 1, sizes[2], 0),
        (1, "", "?", 1, 1, 1),
    ]


def test_what_cannot_be_decoded_is_counted_with_its_reason() -> None:
    story = Script().raw(0.0, "MOL.REQ.x", b"{").raw(0.0, "MOL.RES.x", b'{"sender":"a"}').raw(0.0, "MOL.INFO", b"[]")
    tally = story.request(1.0).batch().tally
    assert (tally.packets, tally.undecodable, len(tally.undecodable_reasons)) == (4, 3, 3)
    assert "field 'id' is None, expected text" in tally.undecodable_reasons


def test_endless_ids_are_malformed() -> None:
    tally = Script().request(0.0, id="x" * 5000).batch().tally
    assert tally.undecodable_reasons == {"ids of more than 1024 letters": 1}


def test_names_come_before_the_rows_that_use_them_and_only_once() -> None:
    pipeline = Pipeline(begin_ns=START_NS)
    story = Script().request(0.0).response(0.1)
    story.tell(pipeline)
    first = pipeline.take(at(0.1))
    pipeline.feed(at(0.2), [frame[1:] for frame in story.frames])
    second = pipeline.take(at(0.2))
    assert {name.text for name in first.names} >= {"users.get", "node-1", "node-2", "REQ", "RES"}
    assert second.names == []
    assert second.calls["action"][0] == first.calls["action"][0]


def test_names_beyond_the_limit_are_called_other() -> None:
    story = Script()
    for number in range(5):
        story.request(number, "users.get", caller=f"caller-{number}").response(number + 0.1)
    batch = story.batch(limits=Limits(short_names=3))
    assert list(batch.calls["caller"]) == [1, 2, 3, OTHER_NAME, OTHER_NAME]
    assert batch.tally.names_refused >= 2


def test_no_name_has_the_number_of_other() -> None:
    story = Script()
    for number in range(OTHER_NAME + 1):
        story.raw(0.0, "MOL.EVENT.a", f'{{"sender":"n","event":"e{number}"}}'.encode())
    events = story.batch().events["event"]
    assert OTHER_NAME not in events
    assert events.max() == OTHER_NAME + 2


def test_frame_numbers_are_those_given() -> None:
    story = Script().request(0.0).response(0.0).event(0.0)
    pipeline = Pipeline(begin_ns=START_NS)
    pipeline.feed(START_NS, [frame[1:] for frame in story.frames], [7, 0, 9])
    batch = pipeline.take(START_NS)
    assert (batch.calls["request_frame"][0], batch.calls["response_frame"][0]) == (7, 0)
    assert batch.events["frame"][0] == 9


def test_frames_are_numbered_by_who_keeps_them() -> None:
    kept: list[tuple[int, int]] = []

    def keep(at_ns: int, frames: object) -> list[int]:
        count = len(frames)  # type: ignore[arg-type]
        kept.append((at_ns, count))
        return [100 + index for index in range(count)]

    pipeline = Pipeline(begin_ns=START_NS, frame_numbers=keep)
    Script().request(0.0).response(0.0).tell(pipeline)
    assert list(pipeline.take(START_NS).calls["request_frame"]) == [100]
    assert kept == [(START_NS, 2)]


def test_deadlines_before_a_node_falls_silent_come_first() -> None:
    story = Script().heartbeat(0.0, "node-2").request(0.0, timeout=0).request(0.0, timeout=2000)
    assert [row.at_s for row in ended(story.batch(until=900.0))] == [2.0, 30.0]


def test_a_gap_is_a_state_with_its_reason() -> None:
    batch = Script().gap(1.0, 4.0, reason="connection cut by the server").batch()
    assert [(seconds(change.at_ns), change.value) for change in changes(batch, "gap")] == [
        (1.0, {"reason": "connection cut by the server", "advice": "", "retry_in_s": 1.0}),
        (4.0, None),
    ]


def test_known_losses_are_counted() -> None:
    assert Script().note(0.0, b"@gap", phase="lost", packets=12, reason="queue").batch().tally.lost == 12


def test_our_own_frames_are_no_packets() -> None:
    story = Script().note(0.0, b"@session", phase="begin", program="meshscope").note(1.0, b"@clock", step_ns=5)
    batch = story.note(2.0, b"@of a later version", x=1).batch()
    assert (batch.tally.packets, batch.tally.undecodable) == (0, 0)
    assert [(change.kind, change.value) for change in batch.changes] == [
        ("session", {"phase": "begin", "program": "meshscope"}),
        ("clock", {"step_ns": 5}),
    ]


def test_packets_of_our_own_are_counted_as_ours() -> None:
    batch = Script().ours(0.0, "me").request(1.0, sender="me").response(2.0).event(3.0, sender="me").batch()
    assert batch.tally.ours == 2
    assert batch.events["flags"][0] == EventFlag.OURS


def test_who_was_heard_before_becoming_ours_is_marked_from_then_on() -> None:
    batch = Script().request(0.0).response(0.1).ours(0.5, "node-1").request(1.0).response(1.1).batch()
    assert list(batch.calls["flags"]) == [0, 1]


def test_breakers_change_with_their_events() -> None:
    data = {"nodeID": "shop-1", "service": "v2.orders", "action": "v2.orders.get", "failures": 5, "count": 8, "rate": 1}
    story = Script().event(0.0, "$circuit-breaker.opened", sender="api", target="x", data=data)
    story.event(0.0, "$circuit-breaker.opened", sender="api", target="y", data=data)
    story.event(10.0, "$circuit-breaker.half-opened", sender="api", data=data)
    story.event(11.0, "$circuit-breaker.closed", sender="api", data=data).info(0.0, "api").disconnect(12.0, "api")
    assert states(story.batch(), "breaker") == [
        (0.0, "api|shop-1:v2.orders.get", "open", "event"),
        (10.0, "api|shop-1:v2.orders.get", "half-open", "event"),
        (11.0, "api|shop-1:v2.orders.get", "closed", "event"),
        (12.0, "api|shop-1:v2.orders.get", None, "event"),
    ]


def test_a_breaker_event_without_an_endpoint_says_nothing() -> None:
    story = Script().event(0.0, "$circuit-breaker.opened", data=None).event(1.0, "$circuit-breaker.unknown")
    assert changes(story.batch(), "breaker") == []


def test_lone_surrogates_become_names_that_can_be_written() -> None:
    story = Script().raw(0.0, "MOL.REQ.b", b'{"id":"1","action":"caf\\ud83d","sender":"a"}')
    batch = story.raw(1.0, b"MOL.RES.\xff", b'{"id":"1","success":true,"sender":"b"}').batch()
    assert texts(batch)[NameKind.ACTION, 1] == "caf?"
    for name in batch.names:
        name.text.encode()


def test_many_small_limits_together_lose_no_count() -> None:
    story = Script()
    for number in range(200):
        story.request(number, f"s{number}.get", sender=f"n{number}", target=f"m{number}").response(number + 0.5)
    limits = Limits(channels=3, nodes=2, long_names=5, short_names=5)
    batch = story.batch(limits=limits)
    assert (len(batch.calls), batch.tally.packets) == (200, 400)
    assert np.all(batch.calls["outcome"] == 0)
