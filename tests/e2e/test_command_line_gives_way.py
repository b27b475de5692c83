"""A command that listens to a live mesh gives way to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from broker.probe.niceness import NICENESS
from tests.e2e.redis_server import RedisServer

PATIENCE_S = 20.0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such policies")
@pytest.mark.parametrize("command", [["inspect", "--duration", "60"], ["tail"]], ids=lambda words: words[0])
def test_it_is_a_batch_behind_others(redis_server: RedisServer, tmp_path: Path, command: list[str]) -> None:
    homes = ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    environment = os.environ | {name: str(tmp_path / name) for name in homes}
    words = [sys.executable, "-m", "app", *command, redis_server.url]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with redis.Redis.from_url(redis_server.url) as client:
            deadline_s = time.monotonic() + PATIENCE_S
            while client.pubsub_numpat() == 0:
                assert process.poll() is None, "it ended before it listened"
                assert time.monotonic() < deadline_s
                time.sleep(0.02)
        assert policy_and_niceness(process.pid) == (os.SCHED_BATCH, NICENESS)
    finally:
        process.kill()
        process.wait()


def policy_and_niceness(thread: int) -> tuple[int, int]:
    return os.sched_getscheduler(thread), os.getpriority(os.PRIO_PROCESS, thread)
