"""The probe that waits for whoever wants the first one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from broker.capture.writer import CaptureWriter
from broker.probe import spare
from broker.probe.client import ProbeCallbacks, ProbeClient, ProbeStatus, SessionOptions
from broker.probe.spare import PROBE_COMMAND, start_or_take


@pytest.fixture(autouse=True)
def _none_waits() -> Iterator[None]:
    spare.dismiss()
    yield
    spare.dismiss()


def test_the_first_who_wants_a_probe_gets_the_one_that_waits() -> None:
    spare.prepare()
    spare.prepare()
    first, second = start_or_take(PROBE_COMMAND), start_or_take(PROBE_COMMAND)
    assert first.poll() is None
    assert first.pid < second.pid
    for process in (first, second):
        process.communicate()
        assert process.returncode == 0


def test_one_that_died_is_not_given_to_anybody() -> None:
    before = {process.pid for process in psutil.Process().children()}
    spare.prepare()
    [waiting] = [process for process in psutil.Process().children() if process.pid not in before]
    waiting.kill()
    while waiting.status() != psutil.STATUS_ZOMBIE:
        pass
    another = start_or_take(PROBE_COMMAND)
    assert another.pid != waiting.pid
    another.communicate()
    assert another.returncode == 0


def test_a_session_works_with_it(tmp_path: Path) -> None:
    path = tmp_path / "one.mcap"
    writer = CaptureWriter.file(path)
    writer.write(1, [(b"MOL.HEARTBEAT", b'{"ver":"5","sender":"a","cpu":1}')])
    writer.close()
    spare.prepare()
    is_read = threading.Event()
    frames: list[int] = []

    def on_status(status: ProbeStatus) -> None:
        frames.append(status.frames)
        if status.state == "read":
            is_read.set()

    client = ProbeClient(ProbeCallbacks(on_status=on_status))
    client.open(SessionOptions(path=str(path), journal_folder=str(tmp_path)))
    try:
        assert is_read.wait(30)
        assert frames[-1] == 1
    finally:
        client.close()
