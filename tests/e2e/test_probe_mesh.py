"""What a probe learns of a real MoleculerJS mesh that was there before it, and how the mesh takes it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from broker.capture.reader import read
from broker.mesh.timeline import Timeline
from broker.probe.offline import Progress, listen
from broker.probe.options import SessionOptions
from tests.e2e.conftest import StartMesh
from tests.e2e.mesh import Version
from tests.e2e.redis_server import RedisServer

TIMEOUT_S = 25.0


def described(timeline: Timeline) -> dict[str, str]:
    """Nodes that described themselves, and what they run on."""
    snapshot = timeline.snapshot()
    nodes = snapshot.state.values_at("node", snapshot.through_ns)
    return {key[1]: value["client"]["type"] for key, value, _ in nodes if value["client"].get("type")}


def look(url: str, folder: Path, is_enough: Any, **options: Any) -> Timeline:
    """A session that lasts until something is so."""
    timeline = Timeline()
    done = asyncio.Event()
    wanted = SessionOptions(url=url, keeps_capture=False, state_folder=str(folder / "state"), **options)

    def progress(now: Progress) -> None:
        if is_enough(timeline, now):
            done.set()

    async def run() -> None:
        listening = asyncio.create_task(listen(wanted, timeline.take, duration_s=None, progress=progress))
        async with asyncio.timeout(TIMEOUT_S):
            await done.wait()
        listening.cancel()
        await asyncio.wait([listening])

    asyncio.run(run())
    return timeline


@pytest.mark.parametrize("version", ["014", "015"])
def test_who_may_ask_knows_all_services_at_once_and_is_in_no_registry(
    redis_server: RedisServer, js_mesh: StartMesh, tmp_path: Path, version: Version
) -> None:
    mesh = js_mesh(redis_server.url, namespace="te.st", heartbeat_s=1.0)
    mesh.add("shop.edge-1", ["users"], version=version)
    mesh.add("shop-2", ["mail"], version=version)
    mesh.start()
    path = tmp_path / "a.mcap"
    names = {"shop.edge-1", "shop-2"}
    look(redis_server.url, tmp_path, lambda t, _: described(t).keys() >= names, may="ask", record_path=str(path))
    sent = [frame.channel for frame in read(path) if b"meshscope-" in frame.body and frame.channel.startswith(b"MOL")]
    assert sent == [b"MOL-te.st.DISCOVER"]


@pytest.mark.parametrize("version", ["014", "015"])
def test_announced_we_are_taken_for_a_node_until_we_leave(
    redis_server: RedisServer, js_mesh: StartMesh, tmp_path: Path, version: Version
) -> None:
    mesh = js_mesh(redis_server.url, heartbeat_s=1.0)
    mesh.add("a", ["users"], version=version)
    mesh.add("b", ["mail"], version=version)
    mesh.start()
    path = tmp_path / "a.mcap"
    beats = 0

    def is_enough(_timeline: Timeline, now: Progress) -> bool:
        nonlocal beats
        beats += now.status is not None and now.status.is_announced
        return beats > 80  # batches: eight seconds, with two heartbeats of ours

    look(redis_server.url, tmp_path, is_enough, may="ask", announce=True, record_path=str(path))
    frames = [frame for frame in read(path) if frame.channel.startswith(b"MOL")]
    ours = [frame.channel for frame in frames if b'"sender":"meshscope-' in frame.body]
    assert ours[-2:] == [b"MOL.INFO", b"MOL.DISCONNECT"]
    assert ours.count(b"MOL.HEARTBEAT") >= 2
    # a node asks whoever beats and is not in its registry who it is
    asked = [frame.channel for frame in frames if frame.channel.startswith(b"MOL.DISCOVER.meshscope-")]
    assert asked == []
    for node in mesh:
        assert node._process is not None
        assert node._process.poll() is None


def test_with_the_redis_discoverer_its_keys_tell_who_is_there(
    redis_server: RedisServer, js_mesh: StartMesh, tmp_path: Path
) -> None:
    mesh = js_mesh(redis_server.url, namespace="keys", discoverer=redis_server.url, heartbeat_s=1.0)
    mesh.add("a", ["users"], version="015")
    mesh.add("b", ["mail"], version="015")
    mesh.start()
    timeline = look(redis_server.url, tmp_path, lambda t, _: described(t).keys() >= {"a", "b"})
    assert described(timeline) == {"a": "nodejs", "b": "nodejs"}
