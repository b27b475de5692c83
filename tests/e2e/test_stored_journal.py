"""A recording of a real MoleculerJS mesh says the same live, from its frames and from its journal."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis

from broker.capture.journal.kept import kept_journal
from broker.capture.masking import EVERYTHING, Masking
from broker.capture.reader import CaptureReader
from broker.clock import SystemClock
from broker.mesh.summary import summary
from broker.mesh.timeline import Timeline
from broker.probe.client import ProbeCallbacks, ProbeClient
from broker.probe.options import SessionOptions
from broker.probe.reading import batches_of_frames, rule
from broker.probe.status import ProbeStatus
from tests.e2e.conftest import StartMesh
from tests.e2e.mesh import shop
from tests.e2e.redis_server import RedisServer

DEADLINE_S = 30.0


def test_a_recording_says_the_same_live_and_from_its_frames_and_from_its_journal(
    redis_server: RedisServer, js_mesh: StartMesh, tmp_path: Path
) -> None:
    mesh = js_mesh(redis_server.url, namespace="te.st", is_mixed=True)
    caller = shop(mesh, ("014", "015"))
    mesh.start()
    caller.run(rounds=2, workers=2)
    before = {call.id for call in mesh.calls()}
    path = tmp_path / "mesh.mcap"
    live = Timeline()
    client = ProbeClient(ProbeCallbacks(on_batch=live.take))
    folders = {"capture_folder": str(tmp_path / "ring"), "state_folder": str(tmp_path / "state")}
    client.open(SessionOptions(url=redis_server.url, record_path=str(path), may="ask", **folders))
    _until_heard(redis_server.url)
    caller.run(rounds=6, workers=2, first=20)
    calls = Counter(call.action for call in mesh.calls() if call.id not in before)
    client.close()

    _until_stored(path)  # by a process that outlives the probe
    of_journal = _inspect(path)
    of_frames, frames = _from_frames(path)
    shown = live.snapshot()
    of_live = json.loads(json.dumps(summary(shown, shown.everything())))
    assert of_journal == of_frames == of_live
    assert {action["name"]: action["calls"] for action in of_journal["actions"] if action["calls"]} == calls
    assert of_journal["packets"]["total"] > 2 * calls.total()
    assert frames.message == ""
    _open_in_a_window(path, tmp_path, of_frames)


def _until_heard(url: str) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    with redis.Redis.from_url(url) as client:
        while client.pubsub_numpat() == 0:
            assert time.monotonic() < deadline_s, "nobody listens"
            time.sleep(0.02)


def _until_stored(path: Path) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while (journal := kept_journal(path, rule(Masking()), None)) is None:
        assert time.monotonic() < deadline_s, "the journal was not stored"
        time.sleep(0.05)
    journal.close()


def _inspect(path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "app", "inspect", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=Path.cwd())
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _from_frames(path: Path) -> tuple[dict[str, Any], CaptureReader]:
    reader, timeline = CaptureReader(path), Timeline()
    for batch in batches_of_frames(reader, SystemClock(), Masking()):
        timeline.take(batch)
    snapshot = timeline.snapshot()
    return json.loads(json.dumps(summary(snapshot, snapshot.everything()))), reader


def _open_in_a_window(path: Path, folder: Path, wanted: dict[str, Any]) -> None:
    """Through a probe, bodies included."""
    timeline, statuses, bodies = Timeline(), list[ProbeStatus](), list[bytes | None]()
    client = ProbeClient(ProbeCallbacks(on_batch=timeline.take, on_status=statuses.append))
    client.open(SessionOptions(path=str(path), journal_folder=str(folder / "journals")))
    deadline_s = time.monotonic() + DEADLINE_S
    try:
        while not statuses or statuses[-1].state != "read":
            assert time.monotonic() < deadline_s, "it was not read"
            time.sleep(0.02)
        snapshot = timeline.snapshot()
        client.body(int(snapshot.call_blocks[0].column("request_frame")[0]), bodies.append)
        while not bodies:
            assert time.monotonic() < deadline_s, "no body came"
            time.sleep(0.02)
    finally:
        client.close()
    assert json.loads(json.dumps(summary(snapshot, snapshot.everything()))) == wanted
    assert statuses[-1].message == ""
    assert statuses[-1].read_bytes == statuses[-1].size_bytes == path.stat().st_size
    assert bodies[0] is not None
    assert b'"action"' in bodies[0]


def test_record_leaves_a_file_with_its_journal_whatever_ends_it(redis_server: RedisServer, tmp_path: Path) -> None:
    path = tmp_path / "short.mcap"
    command = [sys.executable, "-m", "app", "record", redis_server.url, "-o", str(path), "--duration", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=Path.cwd())
    assert "short.mcap" in done.stderr
    journal = kept_journal(path, rule(EVERYTHING), None)
    if journal is None:
        pytest.fail("record left no journal")
    journal.close()
