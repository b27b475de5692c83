"""The same traffic seen live and read from its capture gives the same picture."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.capture.journal.file import PackedBlock
from broker.capture.journal.shelf import JournalShelf
from broker.capture.reader import CaptureReader
from broker.clock import ManualClock
from broker.mesh.summary import summary
from broker.mesh.timeline import Snapshot, Timeline
from broker.observe.journal import Batch
from broker.probe.door import MemoryDoor
from broker.probe.keeping import store_journal
from broker.probe.offline import load
from broker.probe.options import SessionOptions
from broker.probe.reading import FileSession
from broker.probe.session import ProbeSession
from broker.probe.unpacking import Unpacking
from broker.transport.memory import MemoryBus

KINDS = ("node", "service", "breaker", "helper", "gap", "session", "clock")
BEGIN_NS = 1_700_000_000_000_000_000

nodes = st.sampled_from(["a", "b.c", "d"])
spaces = st.sampled_from(["", "prod"])
ids = st.sampled_from([f"id-{n}" for n in range(6)])


def _channel(space: str, command: str, rest: str = "") -> bytes:
    return (
        (f"MOL-{space}" if space else "MOL").encode() + f".{command}".encode() + (f".{rest}".encode() if rest else b"")
    )


def _packet(command: str, space: str, rest: str, fields: dict[str, Any]) -> tuple[bytes, bytes]:
    return _channel(space, command, rest), json.dumps({"ver": "5"} | fields).encode()


requests = st.builds(
    lambda space, source, target, call, timeout, action: _packet(
        "REQ",
        space,
        target,
        {"sender": source, "id": call, "action": action, "timeout": timeout, "params": {"token": "abcd"}, "level": 1},
    ),
    spaces, nodes, nodes, ids, st.sampled_from([0, 100, 3000, None]), st.sampled_from(["users.get", "v2.x.y"]),
)  # fmt: skip
responses = st.builds(
    lambda space, source, target, call, ok: _packet(
        "RES",
        space,
        target,
        {"sender": source, "id": call, "success": ok}
        | ({"data": 1} if ok else {"error": {"name": "E", "code": 500, "type": "T", "message": "my password"}}),
    ),
    spaces, nodes, nodes, ids, st.booleans(),
)  # fmt: skip
infos = st.builds(
    lambda space, source, seq: _packet(
        "INFO",
        space,
        "",
        {
            "sender": source,
            "seq": seq,
            "instanceID": "i",
            "client": {"type": "nodejs", "version": "0.15.2"},
            "metadata": {"secret": "abc", "zone": 1},
            "services": [
                {
                    "name": "users",
                    "settings": {"apiKey": "abc", "port": 5},
                    "actions": {"users.get": {"params": {"password": {"type": "string"}}}},
                    "events": {"user.created": {}},
                }
            ],
        },
    ),
    spaces, nodes, st.integers(1, 3),
)  # fmt: skip
others = st.builds(
    lambda space, source, command: _packet(command, space, "", {"sender": source, "cpu": 5}),
    spaces, nodes, st.sampled_from(["HEARTBEAT", "DISCONNECT", "DISCOVER"]),
)  # fmt: skip
events = st.builds(
    lambda space, source, target: _packet("EVENT", space, target, {"sender": source, "event": "e", "data": 1}),
    spaces, nodes, nodes,
)  # fmt: skip
helpers = st.builds(
    lambda space, source, target, state, failures, at: _packet(
        "EVENT",
        space,
        target,
        {
            "sender": source,
            "event": "$meshscope.breakers",
            "data": {
                "node": source,
                "instance": "i",
                "at": at,
                "acts": True,
                "breakers": [{"node": target, "action": "users.get", "state": state, "failures": failures, "until": 9}],
            },
        },
    ),
    spaces, nodes, nodes, st.sampled_from(["open", "closed"]), st.integers(0, 3), st.integers(1, 20_000),
)  # fmt: skip
noise = st.tuples(st.sampled_from([b"MOL.REQ.a", b"MOL\xff", b"MOL.INFO", b"other"]), st.binary(max_size=20))
steps = st.tuples(
    st.sampled_from([0, 0, 1_000_000, 40_000_000, 700_000_000, 5_000_000_000]),
    st.lists(requests | responses | infos | others | events | helpers | noise, max_size=4),
    st.sampled_from(["", "", "", "gap", "tick"]),
)
scripts = st.lists(steps, max_size=25)


async def _live(script: list[Any], folder: Path) -> Snapshot:
    """See a script live, recording it."""
    clock = ManualClock(BEGIN_NS)
    bus = MemoryBus(clock)
    timeline = Timeline()
    options = SessionOptions(
        url="memory://", record_path=str(folder / "live.mcap"), keeps_capture=False, keeps_catalogue=False
    )
    session = ProbeSession(options, clock=clock, door=MemoryDoor(bus))
    running = asyncio.create_task(session.run(timeline.take))
    while not bus._sinks:  # noqa: ASYNC110  until the tap runs
        await asyncio.sleep(0)
    for passed_ns, frames, what in script:
        clock.at_ns += passed_ns
        if what == "gap":
            bus.go_down() if not bus.is_down else bus.come_back()
        if what == "tick":
            timeline.take(session._intake.take(clock.at_ns))
        for channel, body in frames:
            bus.publish(channel, body)
    session.stop()
    await running
    return timeline.snapshot()


def _columns(snapshot: Snapshot) -> list[bytes]:
    """All that rows of calls say, but for the numbers of frames, which are of one capture."""
    names = "end_ns duration_s action caller source target outcome flags error request_size response_size span"
    return [
        np.concatenate([block.column(name) for block in snapshot.call_blocks]).tobytes()
        if snapshot.call_blocks
        else b""
        for name in names.split()
    ]


def _read(path: Path, name: str) -> tuple[Snapshot, CaptureReader]:
    timeline = Timeline()
    reader = load(path, timeline.take, shelf=JournalShelf(path.parent / name, least_frames=0))
    return timeline.snapshot(), reader


async def _read_as_the_window(path: Path) -> tuple[Snapshot, list[str], int]:
    """What a window knows of a capture whose journal it unpacks itself; its namespaces, and how many blocks came."""
    timeline, blocks = Timeline(), 0
    options = SessionOptions(path=str(path), journal_folder=str(path.parent / "none"))
    unpacking = Unpacking(options.masking, timeline.take)

    def take(batch: Batch) -> None:
        unpacking.finish()
        timeline.take(batch)

    def take_packed(block: PackedBlock) -> None:
        nonlocal blocks
        blocks += 1
        unpacking.take(block)

    session = FileSession(options, deliver_packed=take_packed)
    running = asyncio.create_task(session.run(take))
    while session.status().state != "read":  # noqa: ASYNC110
        await asyncio.sleep(0)
    session.stop()
    await running
    return timeline.snapshot(), sorted({*session.status().namespaces, *unpacking.namespaces}), blocks


@settings(max_examples=60)
@given(scripts)
def test_live_and_from_its_capture_and_from_its_journal_are_the_same(script: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "live.mcap"
        live = asyncio.run(_live(script, Path(name)))
        frames, reader = _read(path, "one")
        shelved, of_shelf = _read(path, "one")
        assert store_journal(path)
        stored, of_file = _read(path, "two")
        windows, namespaces, blocks = asyncio.run(_read_as_the_window(path))
    assert reader.stopped == ""
    assert [one.is_from_journal for one in (reader, of_shelf, of_file)] == [False, True, True]
    assert blocks
    assert namespaces == live.namespaces()
    for again in (frames, shelved, stored, windows):
        assert summary(again, again.everything()) == summary(live, live.everything())
        assert again.tally == live.tally
        assert (again.begin_ns, again.through_ns) == (live.begin_ns, live.through_ns)
        assert _columns(again) == _columns(live)
    for again in (shelved, stored, windows):
        assert [dict(again.state.of_kind(kind)) for kind in KINDS] == [dict(frames.state.of_kind(k)) for k in KINDS]
        assert (again.waiting, again.loads.last(again.everything())) == (
            frames.waiting,
            frames.loads.last(frames.everything()),
        )
