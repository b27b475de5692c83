"""What a session does for an operator, on a bus in memory with a node of ours in the part of the mesh."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from broker.clock import MILLISECOND, SECOND, ManualClock
from broker.mesh.cuts import call_cuts
from broker.mesh.span import Span
from broker.node import Broker, BrokerOptions
from broker.node.context import Context
from broker.node.discovering import RedisDiscoverer
from broker.node.errors import MoleculerClientError, MoleculerRetryableError
from broker.operate.commands import Call, Cancel, Lock, Report, Unlock
from broker.probe import looking
from broker.probe.acting import act
from broker.protocol.codec import channel_of, decode, encode
from broker.protocol.packets import Disconnect, Packet, Request
from broker.protocol.serializers import serializer_of
from tests.unit.probe.sitting import NS, Sitting


class Desk:
    """A service whose actions do what tests need."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.asked = 0
        self.goes_on = asyncio.Event()

    def schema(self) -> dict[str, Any]:
        return {
            "name": "desk",
            "actions": {
                "echo": lambda _service, ctx: ctx.params,
                "nothing": lambda _service, _ctx: None,
                "bytes": lambda _service, _ctx: {"raw": b"\x00\x01"},
                "refuse": self.refuse,
                "flaky": self.flaky,
                "slow": self.slow,
                "tell": self.tell,
                "take": self.take,
                "give": self.give,
                "rows": self.rows,
                "last": self.last,
            },
        }

    async def refuse(self, ctx: Context) -> None:
        raise MoleculerClientError("no such order", 404, "NO_ORDER", {"id": 7})

    async def flaky(self, ctx: Context) -> int:
        self.asked += 1
        if self.asked < 3:
            raise MoleculerRetryableError("try again")
        return self.asked

    async def slow(self, ctx: Context) -> str:
        self.asked += 1
        await self.goes_on.wait()
        return "late"

    async def take(self, ctx: Context) -> dict[str, Any]:
        sha256 = hashlib.sha256()
        async for chunk in ctx.chunks():
            sha256.update(chunk)
        return {"name": ctx.params["name"], "sha256": sha256.hexdigest()}

    async def give(self, ctx: Context) -> AsyncIterator[bytes]:
        data = bytes(range(251)) * (ctx.params["bytes"] // 251)
        return in_pieces(data, 100_000)

    async def rows(self, ctx: Context) -> AsyncIterator[dict[str, Any]]:
        return in_rows(2)

    async def last(self, ctx: Context) -> None:
        self.clock.at_ns += ctx.params["ms"] * MILLISECOND

    async def tell(self, ctx: Context) -> dict[str, Any]:
        ctx.meta["seen"] = True
        return {"meta": dict(ctx.meta), "headers": dict(ctx.headers), "node": ctx.broker.node_id}


async def in_pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


async def in_rows(count: int) -> AsyncIterator[dict[str, Any]]:
    for row in range(count):
        yield {"row": row, "é": None}


@asynccontextmanager
async def mesh(sitting: Sitting, *node_ids: str, serializer: str = "JSON", **options: Any) -> AsyncIterator[Desk]:
    desk = Desk(sitting.clock)
    settings = BrokerOptions(settle_s=0.0, stop_delay_s=0.0, internal_services=False, **options)
    nodes = [Broker(node_id, sitting.bus, NS, serializer, options=settings) for node_id in node_ids or ("shop-1",)]
    for node in nodes:
        await node.add(desk.schema())
        await node.start()
    try:
        yield desk
    finally:
        desk.goes_on.set()
        for node in nodes:
            await node.stop()


def ours(sitting: Sitting) -> list[Packet]:
    """What we published."""
    packets = [decode(channel, body) for channel, body in sitting.bus.published]
    return [packet for packet in packets if getattr(packet, "sender", "") == sitting.session.node_id]


def requests(sitting: Sitting) -> list[Request]:
    return [packet for packet in ours(sitting) if isinstance(packet, Request)]


async def called(sitting: Sitting, action: str, params: Any = None, **more: Any) -> Report:
    text = "" if params is None else json.dumps(params)
    return await act(sitting.session, Call(NS, action, text, **more))


async def test_a_call_is_answered_and_reported_in_full(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        report = await called(sitting, "desk.echo", {"é": [1, 2.5, None]})
        assert (report.outcome, report.advice) == ("done", "")
        answer = report.answer
        assert answer is not None
        assert answer.data == '{"é":[1,2.5,null]}'
        assert (answer.node_id, answer.attempts, answer.error) == ("shop-1", 1, None)
        [request] = requests(sitting)
        assert request.request_id == answer.request_id
        [sent] = [body for channel, body in sitting.bus.published if channel.startswith(b"MOL-prod.RES.")]
        assert answer.size_bytes == len(sent)


async def test_we_call_as_nobody_that_a_registry_knows(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        await called(sitting, "desk.echo")
        kinds = {packet.COMMAND for packet in ours(sitting)}
    assert kinds == {"DISCOVER", "REQ"}


async def test_meta_and_headers_travel_and_meta_comes_back(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        report = await called(sitting, "desk.tell", meta='{"user": "ann"}', headers='{"trace": 1}')
        assert report.answer is not None
        told = json.loads(report.answer.data)
        assert told["meta"] == {"user": "ann", "seen": True}
        assert told["headers"] == {"trace": 1}
        assert json.loads(report.answer.meta) == {"user": "ann", "seen": True}


async def test_an_error_comes_with_all_that_the_wire_says_of_it(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        report = await called(sitting, "desk.refuse")
        assert (report.outcome, report.message) == ("failed", "MoleculerClientError: no such order")
        assert report.answer is not None
        error = report.answer.error
        assert error is not None
        assert (error["code"], error["type"], error["data"], error["nodeID"]) == (404, "NO_ORDER", {"id": 7}, "shop-1")
        assert "in refuse" in error["stack"]


async def test_buffers_are_written_as_node_writes_them(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        report = await called(sitting, "desk.bytes")
        assert report.answer is not None
        assert report.answer.data == '{"raw":{"type":"Buffer","data":[0,1]}}'


async def test_errors_that_say_so_are_tried_again_as_often_as_wanted(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting, "shop-1", "shop-2"):
        report = await called(sitting, "desk.flaky", node_id="shop-2", retries=2)
        assert report.outcome == "done"
        assert report.answer is not None
        assert (report.answer.data, report.answer.attempts, report.answer.node_id) == ("3", 3, "shop-2")
        targets = [channel for channel, _ in sitting.bus.published if b".REQ." in channel]
        assert targets == [b"MOL-prod.REQ.shop-2"] * 3


async def test_without_an_answer_it_is_unknown_and_never_sent_again(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting) as desk:
        report = await called(sitting, "desk.slow", timeout_ms=50, retries=3)
        assert report.outcome == "unknown"
        assert "It may have been done" in report.advice
        desk.goes_on.set()
        await called(sitting, "desk.nothing")  # the late answer harms nothing
        assert [request.action for request in requests(sitting)] == ["desk.slow", "desk.nothing"]


async def test_a_lost_connection_leaves_it_unknown(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        calling = asyncio.create_task(called(sitting, "desk.slow"))
        await sitting.until(lambda: len(requests(sitting)) == 1)
        sitting.bus.go_down("the cable was pulled")
        report = await calling
        assert report.outcome == "unknown"
        assert "The connection was lost after it was sent" in report.message
        assert (await sitting.session.submit(Call(NS, "desk.echo"))).outcome == "failed"
        sitting.bus.come_back()
        assert (await called(sitting, "desk.echo")).outcome == "done"
        assert len(requests(sitting)) == 2


async def test_a_node_that_goes_away_leaves_it_unknown(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting) as desk:
        calling = asyncio.create_task(called(sitting, "desk.slow"))
        await sitting.until(lambda: desk.asked == 1)
        goodbye = Disconnect(ver="5", sender="shop-1")
        sitting.bus.publish(channel_of(goodbye, NS), encode(goodbye))
        report = await calling
        assert (report.outcome, report.message) == ("unknown", "shop-1 went away before it answered.")


async def test_an_action_that_nobody_offers_is_not_sent_and_near_names_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broker.probe.hands.SETTLE_AT_MOST_S", 0.1)
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        await called(sitting, "desk.echo")
        report = await called(sitting, "desk.ecko")
        assert report.outcome == "failed"
        assert "No node offers the action 'desk.ecko'" in report.message
        assert "desk.echo" in report.advice
        assert len(requests(sitting)) == 1


async def test_a_chosen_node_is_asked_even_for_what_it_does_not_offer(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        report = await called(sitting, "desk.unheard", node_id="shop-1")
        assert report.outcome == "failed"
        assert report.answer is not None
        assert report.answer.error is not None
        assert report.answer.error["name"] == "ServiceNotFoundError"


async def test_a_namespace_that_was_not_heard_is_not_spoken_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.probe.acting.READY_WITHIN_S", 0.2)
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        await called(sitting, "desk.echo")
        report = await act(sitting.session, Call("staging", "desk.echo"))
        assert report.outcome == "failed"
        assert "Heard so far: 'prod'" in report.advice
        assert not [channel for channel, _ in sitting.bus.published if channel.startswith(b"MOL-staging")]


async def test_what_is_no_json_is_not_sent(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        bad = await act(sitting.session, Call(NS, "desk.echo", "{id: 1}"))
        assert (bad.outcome, "params is no JSON" in bad.message) == ("failed", True)
        bad = await act(sitting.session, Call(NS, "desk.echo", meta="[1]"))
        assert (bad.outcome, "expected a JSON object" in bad.message) == ("failed", True)
        assert requests(sitting) == []


async def test_a_call_that_is_given_up_is_cancelled(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting) as desk:
        await called(sitting, "desk.nothing")
        reported = sitting.session.submit(Call(NS, "desk.slow"), 17)
        await sitting.until(lambda: desk.asked == 1)
        assert sitting.session.submit(Cancel(17)).result().outcome == "done"
        report = await reported
        assert (report.outcome, report.answer is not None) == ("cancelled", True)
        assert sitting.session.submit(Cancel(17)).result().outcome == "failed"


async def test_many_calls_wait_at_once(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting) as desk:
        await called(sitting, "desk.nothing")
        slow = sitting.session.submit(Call(NS, "desk.slow"), 1)
        quick = await asyncio.gather(*(called(sitting, "desk.echo", number) for number in range(50)))
        assert [report.answer.data for report in quick if report.answer] == [str(number) for number in range(50)]
        assert not slow.done()
        desk.goes_on.set()
        assert (await slow).outcome == "done"


async def test_calls_of_ours_are_marked_ours_and_in_no_figure(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, mesh(sitting):
        await called(sitting, "desk.echo", {"password": "hunter2"}, meta='{"token":"s3cret"}')
        await sitting.until(lambda: sitting.timeline.snapshot().call_count == 1)
        snapshot = sitting.timeline.snapshot()
        span = Span(snapshot.begin_ns, snapshot.through_ns + 1)
        counted = [cut.count for cut in call_cuts(snapshot, span, show_ours=True)]
        assert (sum(counted), list(call_cuts(snapshot, span))) == (1, [])
        block = sitting.timeline.snapshot().call_blocks[0]
        body = sitting.session.body(int(block.column("request_frame")[0]))
        assert body is not None
        assert b"desk.echo" in body
        assert b"hunter2" not in body
        assert b'"token":"s3cret"' not in body


async def test_unlocked_it_may_call_until_the_time_is_over(tmp_path: Path) -> None:
    async with Sitting(tmp_path) as sitting, mesh(sitting) as desk:
        await sitting.until(lambda: sitting.session.status().state == "listening")
        before = len(sitting.bus.published)
        refused = await sitting.session.submit(Call(NS, "desk.echo"))
        assert refused.outcome == "refused"
        assert (await sitting.session.submit(Unlock("call", 600.0))).outcome == "done"
        status = sitting.session.status()
        assert (status.may, status.may_now) == ("see", "call")
        assert status.unlocked_until_ns == sitting.clock.at_ns + 600 * SECOND
        assert (await called(sitting, "desk.echo")).outcome == "done"
        waiting = asyncio.create_task(called(sitting, "desk.slow"))
        await sitting.until(lambda: desk.asked == 1)
        sitting.clock.at_ns += 600 * SECOND
        assert (await sitting.session.submit(Call(NS, "desk.echo"))).outcome == "refused"
        assert sitting.session.status().may_now == "see"
        desk.goes_on.set()
        assert (await waiting).outcome == "done"  # what was sent may still be answered
        assert len(ours(sitting)) > 0
        sent = len(ours(sitting))
        await sitting.until(lambda: not sitting.session._operating._speaking._tasks)
    assert before > 0
    assert len(ours(sitting)) == sent


async def test_lock_takes_it_back_at_once(tmp_path: Path) -> None:
    async with Sitting(tmp_path) as sitting, mesh(sitting):
        await sitting.until(lambda: sitting.session.status().state == "listening")
        assert (await sitting.session.submit(Unlock("act", 60.0))).outcome == "done"
        assert sitting.session.submit(Lock()).result().outcome == "done"
        assert (await sitting.session.submit(Call(NS, "desk.echo"))).outcome == "refused"
        assert sitting.session.status().unlocked_until_ns == 0
        assert (await sitting.session.submit(Unlock("act", 60.0))).outcome == "done"
        assert (await called(sitting, "desk.echo")).outcome == "done"


async def test_longer_than_ten_minutes_is_not_unlocked(tmp_path: Path) -> None:
    async with Sitting(tmp_path) as sitting:
        assert (await sitting.session.submit(Unlock("call", 601.0))).outcome == "failed"
        assert sitting.session.status().may_now == "see"


@pytest.mark.parametrize("serializer", ["JSON", "MsgPack", "CBOR"])
@pytest.mark.parametrize("protocol", ["4", "5"])
async def test_a_node_is_spoken_to_in_its_own_version_and_serializer(
    tmp_path: Path, protocol: str, serializer: str
) -> None:
    async with (
        Sitting(tmp_path, may="call") as sitting,
        mesh(sitting, protocols=(protocol,), serializer=serializer),
    ):
        report = await called(sitting, "desk.bytes", headers='{"h": 1}')
        assert report.answer is not None
        assert report.answer.data == '{"raw":{"type":"Buffer","data":[0,1]}}'
        assert ("Protocol 4 has no headers" in report.advice) == (protocol == "4")
        [request] = requests(sitting)
        assert request.ver == protocol
        [body] = [body for channel, body in sitting.bus.published if b".REQ." in channel]
        assert serializer_of(body) == serializer


async def test_nodes_that_keep_themselves_in_keys_are_known_after_unlocking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(looking, "LOOKS_BETWEEN_SEARCHES", 1)
    async with Sitting(tmp_path) as sitting, mesh(sitting, discoverer=RedisDiscoverer(sitting.bus)):
        await sitting.until(lambda: (NS, "shop-1") in sitting.timeline.snapshot().state.of_kind("node"))
        await sitting.session.submit(Unlock("call", 60.0))
        report = await called(sitting, "desk.echo", 5)
        assert (report.outcome, report.answer is not None and report.answer.data) == ("done", "5")
