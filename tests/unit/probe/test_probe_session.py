import asyncio
from pathlib import Path

import pytest

from broker.capture.reader import CaptureReader, read
from broker.clock import SECOND, ManualClock
from broker.mesh.timeline import Timeline
from broker.operate.commands import AskOnce, Hide, Record, StopRecording
from broker.probe import announcing, looking
from broker.probe.door import MemoryDoor
from broker.probe.offline import load
from broker.probe.session import ProbeSession
from broker.protocol.codec import channel_of, decode, encode
from broker.protocol.packets import Discover, Heartbeat, Info, Ping, Pong, Request, Response
from broker.transport.memory import MemoryBus, MemoryTap
from tests.unit.probe.sitting import NS, Sitting, options


async def test_calls_reach_the_timeline_and_their_bodies_can_be_fetched(tmp_path: Path) -> None:
    async with Sitting(tmp_path) as sitting:
        for number in range(3):
            sitting.call(number)
        await sitting.until(lambda: sitting.timeline.snapshot().call_count == 3)
        block = sitting.timeline.snapshot().call_blocks[0]
        body = sitting.session.body(int(block.column("request_frame")[2]))
        assert body is not None
        assert b'"id-2"' in body
        assert sitting.session.status().state == "listening"
        assert sitting.session.status().namespaces == (NS,)
    assert list((tmp_path / "captures").iterdir()) == []


async def test_what_arrives_while_what_came_before_is_handed_over_keeps_its_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = Request(ver="5", sender="a", id="id-1", action="users.get")
    response = Response(ver="5", sender="b", id="id-1", success=True)
    async with Sitting(tmp_path) as sitting:
        [sink], begin_ns = sitting.bus._sinks, sitting.clock.at_ns

        def takes_a_second() -> None:
            sitting.clock.at_ns = begin_ns + SECOND

        def hands_over() -> None:
            sink.feed(begin_ns + SECOND // 4, [(channel_of(request, NS, "b"), encode(request))])
            sink.feed(begin_ns + SECOND // 2, [(channel_of(response, NS, "a"), encode(response))])

        steps = iter([takes_a_second, hands_over])
        monkeypatch.setattr(MemoryTap, "catch_up", lambda _: next(steps, lambda: None)())
        await sitting.until(lambda: sitting.timeline.snapshot().call_count == 1)
        block = sitting.timeline.snapshot().call_blocks[0]
        assert block.column("duration_s")[0] == pytest.approx(0.25)


async def test_with_see_nothing_is_published_and_asking_is_refused(tmp_path: Path) -> None:
    async with Sitting(tmp_path) as sitting:
        sitting.call(1)
        before = len(sitting.bus.published)
        assert sitting.session.submit(AskOnce()).result().outcome == "refused"
        await sitting.until(lambda: sitting.timeline.snapshot().call_count == 1)
    assert len(sitting.bus.published) == before


async def test_with_ask_one_discover_goes_out_once_the_protocol_is_known(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="ask") as sitting:
        await sitting.until(lambda: bool(sitting.session.status().node_id))
        assert sitting.session.submit(AskOnce()).result().outcome == "unknown"
        assert sitting.bus.published == []
        beat = Heartbeat(ver="5", sender="a", cpu=1)
        sitting.bus.publish(channel_of(beat, NS), encode(beat))
        await sitting.until(lambda: len(sitting.bus.published) == 2)
        assert sitting.bus.published[1][0] == b"MOL-prod.DISCOVER"
        assert b'"ver":"5"' in sitting.bus.published[1][1]
        sitting.call(1)
        await sitting.until(lambda: sitting.timeline.snapshot().call_count == 1)
        assert len(sitting.bus.published) == 4
        assert sitting.session.submit(AskOnce()).result().outcome == "done"
        assert len(sitting.bus.published) == 5


async def test_a_recording_can_be_read_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "kept.mcap"
    async with Sitting(tmp_path) as sitting:
        sitting.call(1)
        assert sitting.session.submit(Record(str(path))).result().outcome == "done"
        assert sitting.session.submit(Record(str(path))).result().outcome == "refused"
        sitting.call(2)
        report = sitting.session.submit(StopRecording()).result()
        assert report.outcome == "done"
        assert sitting.session.submit(Record(str(path))).result().outcome == "failed"
    timeline = Timeline()
    reader = load(path, timeline.take)
    assert reader.stopped == ""
    assert timeline.snapshot().call_count == 1


async def test_a_secret_learnt_while_it_listens_reaches_neither_ring_nor_recording(tmp_path: Path) -> None:
    path = tmp_path / "kept.mcap"
    secret = "correct horse battery"
    async with Sitting(tmp_path) as sitting:
        assert sitting.session.submit(Record(str(path))).result().outcome == "done"
        assert sitting.session.submit(Hide((secret,))).result().outcome == "done"
        request = Request(
            ver="5", sender="a", id="id-1", action="users.get", params={"note": secret, "kept": "as it is"}
        )
        sitting.bus.publish(channel_of(request, NS, "b"), encode(request))
        sitting.call(1)
        await sitting.until(lambda: sitting.timeline.snapshot().call_count == 1)
        block = sitting.timeline.snapshot().call_blocks[0]
        body = sitting.session.body(int(block.column("request_frame")[0])) or b""
        assert b"as it is" in body
        assert secret.encode() not in body
    bodies = b"".join(body for _, _, body in read(path))
    assert b"as it is" in bodies
    assert secret.encode() not in bodies


async def test_announced_we_answer_like_a_node_and_say_goodbye(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcing, "SETTLE_S", 0.05)
    async with Sitting(tmp_path, may="ask", announce=True) as sitting:
        bus, me = sitting.bus, sitting.session.node_id
        await sitting.until(lambda: bool(sitting.session.status().node_id))
        assert bus.published == []
        beat = Heartbeat(ver="4", sender="a", cpu=1)
        bus.publish(channel_of(beat, NS), encode(beat))
        await sitting.until(lambda: sitting.session.status().is_announced)
        await sitting.until(lambda: len(bus.published) == 4)
        said = dict(bus.published[1:])
        assert said.keys() == {b"MOL-prod.DISCOVER", b"MOL-prod.INFO", b"MOL-prod.HEARTBEAT"}
        info = decode(b"MOL-prod.INFO", said[b"MOL-prod.INFO"])
        assert isinstance(info, Info)
        assert (info.ver, info.sender, info.seq) == ("4", me, 2)
        assert info.services[0]["actions"] == {}
        assert {event["group"] for event in info.services[0]["events"].values()} == {me}
        ping = Ping(ver="4", sender="a", time=5, id="p1")
        bus.publish(channel_of(ping, NS, me), encode(ping))
        pong = decode(*bus.published[-1])
        assert isinstance(pong, Pong)
        assert (bus.published[-1][0], pong.time, pong.id) == (b"MOL-prod.PONG.a", 5, "p1")
        discover = Discover(ver="4", sender="a")
        bus.publish(channel_of(discover, NS), encode(discover))
        assert bus.published[-1][0] == b"MOL-prod.INFO.a"
    assert [channel for channel, _ in bus.published[-2:]] == [b"MOL-prod.INFO", b"MOL-prod.DISCONNECT"]
    goodbye = decode(*bus.published[-2])
    assert isinstance(goodbye, Info)
    assert (goodbye.services, goodbye.seq) == ([], 3)


async def test_with_several_namespaces_none_is_joined_unless_it_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "SETTLE_S", 0.3)
    async with Sitting(tmp_path, may="ask", announce=True) as sitting:
        for space in ("a", "b"):
            beat = Heartbeat(ver="5", sender="n", cpu=1)
            sitting.bus.publish(channel_of(beat, space), encode(beat))
        await sitting.until(lambda: "Choose with --namespace" in sitting.session.status().message)
        assert {channel.split(b".")[1] for channel, _ in sitting.bus.published} == {b"HEARTBEAT", b"DISCOVER"}


def test_announcing_without_the_permission_to_ask_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="announce is set with the permission 'see', expected at least 'ask'"):
        ProbeSession(options(tmp_path, announce=True), door=MemoryDoor(MemoryBus()))


async def test_what_nodes_said_is_remembered_by_the_next_session(tmp_path: Path) -> None:
    service = {"name": "users", "version": 2, "fullName": "v2.users", "settings": {"token": "abc"}, "metadata": {}}
    service |= {"actions": {"v2.users.get": {"params": {"id": "number"}}}, "events": {}}
    info = Info(ver="5", sender="a", services=[service], instance_id="i", seq=1, client={"type": "nodejs"})
    async with Sitting(tmp_path) as sitting:
        sitting.bus.publish(channel_of(info, NS), encode(info))
    saved = next((tmp_path / "state").iterdir())
    assert saved.stat().st_mode & 0o777 == 0o600
    assert "abc" not in saved.read_text()
    for _ in range(2):
        async with Sitting(tmp_path) as sitting:
            sitting.clock.at_ns += 3_600 * SECOND
            snapshot = sitting.timeline.snapshot
            await sitting.until(lambda snapshot=snapshot: snapshot().revision > 0)
            now = snapshot()
            nodes = list(now.state.values_at("node", now.through_ns))
            assert [(key, value["state"], value["saved_ns"]) for key, value, _ in nodes] == [
                ((NS, "a"), "remembered", 1_000 * SECOND)
            ]


async def test_discoverer_keys_are_looked_at_and_told_of_when_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LOOK_EVERY_S", 0.01)
    frames: list[tuple[bytes, bytes]] = []
    bus = MemoryBus(ManualClock(1))
    bus.stored = {"MOL-DSCVR-BEAT:a|1|1": b"{}", "MOL-DSCVR-INFO:a": b'{"sender":"a"}'}
    lookout = looking.Lookout(bus.looker(), frames.extend)
    running = asyncio.create_task(lookout.run())
    while len(frames) < 3:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    assert frames[0] == (b"@channels", b'{"channels": []}')
    assert [channel for channel, _ in frames[1:]] == [b"@key/MOL-DSCVR-INFO:a", b"@key/MOL-DSCVR-BEAT:a|1|1"]
    del bus.stored["MOL-DSCVR-BEAT:a|1|1"]
    while len(frames) < 4:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.wait([running])
    assert frames[3:] == [(b"@key/MOL-DSCVR-BEAT:a|1|1", b"")]


async def test_only_chosen_namespaces_are_looked_at() -> None:
    frames: list[tuple[bytes, bytes]] = []
    bus = MemoryBus(ManualClock(1))
    bus.stored = {"MOL-a-DSCVR-INFO:n": b"{}", "MOL-b-DSCVR-INFO:n": b"{}", "MOL-DSCVR-INFO:n": b"{}"}
    await bus.subscribe([b"MOL-a.REQ.n", b"MOL-b.REQ.n", b"MOL.REQ.n"], lambda *_: None)
    await looking.Lookout(bus.looker(), frames.extend, ["", "b"])._look()
    assert frames == [
        (b"@channels", b'{"channels": ["MOL-b.REQ.n", "MOL.REQ.n"]}'),
        (b"@key/MOL-DSCVR-INFO:n", b"{}"),
        (b"@key/MOL-b-DSCVR-INFO:n", b"{}"),
    ]


async def test_a_recording_may_be_of_chosen_frames_only(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    sitting = Sitting(tmp_path, record_path=str(path))
    sitting.session._recorder.wanted = lambda _at_ns, channel, _body: b".RES." in channel
    async with sitting:
        sitting.call(1)
    assert [frame.channel for frame in read(path)] == [b"@session", b"@channels", b"MOL-prod.RES.a", b"@session"]


async def test_a_step_of_the_wall_clock_is_told(tmp_path: Path) -> None:
    class SteppedClock(ManualClock):
        step_ns = 0

        def wall_step_ns(self) -> int:
            step_ns, self.step_ns = self.step_ns, 0
            return step_ns

    sitting = Sitting(tmp_path, record_path=str(tmp_path / "a.mcap"))
    clock = sitting.session._clock = SteppedClock(1_000 * SECOND)
    async with sitting:
        clock.step_ns = 30 * SECOND
        await sitting.until(lambda: clock.step_ns == 0)
    assert (b"@clock", b'{"step_ns": 30000000000}') in [frame[1:] for frame in read(tmp_path / "a.mcap")]


def test_a_file_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "x.mcap").write_bytes(b"hello, world")
    with pytest.raises(Exception, match=r"x.mcap is no capture: it begins with b'hello, w', expected"):
        list(CaptureReader(tmp_path / "x.mcap").groups())
