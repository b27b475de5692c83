"""A probe that died before anybody looked is told of."""

from __future__ import annotations

import sys
import threading

import pytest

from broker.probe.client import ProbeCallbacks, ProbeClient
from broker.probe.options import SessionOptions


def test_a_probe_that_ends_before_all_threads_run_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def start_and_let_it_end(thread: threading.Thread) -> None:
        start(thread)
        thread.join(20.0)

    monkeypatch.setattr(threading.Thread, "start", start_and_let_it_end)
    lost: list[str] = []
    dies = (sys.executable, "-c", "import sys; sys.stderr.write('no way there'); sys.exit(3)")
    client = ProbeClient(ProbeCallbacks(on_lost=lost.append), dies)
    client.open(SessionOptions(url="redis://127.0.0.1:1"))
    assert lost == ["The probe ended with code 3. no way there"]
    client.close()
