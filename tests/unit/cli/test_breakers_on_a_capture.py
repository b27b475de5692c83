"""`meshscope breakers` on a capture, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli.all_commands import meshscope
from app.cli.group import Programs
from broker.capture.writer import CaptureWriter
from tests.script import Script, at


def run(*words: str | Path) -> Result:
    """Run the program without a window."""
    return CliRunner().invoke(meshscope, [str(word) for word in words], obj=Programs(lambda **_: 1))


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A helper that tells of an open breaker, and a node without one that told an event."""
    breaker = {"node": "bank-1", "action": "bank.transfer", "state": "open", "failures": 21, "count": 50}
    breaker |= {"threshold": 0.4, "min": 8, "reason": "21 of 50 failed", "until": at(9) // 1_000_000}
    told = {"node": "shop-1", "at": at(1) // 1_000_000, "acts": True, "breakers": [breaker]}
    script = (
        Script(namespace="prod")
        .info(0.0, "shop-1")
        .info(0.0, "shop-2")
        .event(1.0, "$meshscope.breakers", sender="shop-1", data=told)
        .event(
            2.0, "$circuit-breaker.half-opened", sender="shop-2", data={"nodeID": "bank-1", "action": "bank.transfer"}
        )
    )
    path = tmp_path / "bank.mcap"
    writer = CaptureWriter.file(path)
    for at_ns, frames in script.feeds():
        writer.write(at_ns, frames)
    writer.close()
    return path


@pytest.mark.parametrize("words", [(), ("list",)])
def test_list_prints_every_breaker_with_its_source_whether_the_word_is_written_or_not(
    capture: Path, words: tuple[str, ...]
) -> None:
    result = run("breakers", capture, *words, "--json")
    found: list[dict[str, Any]] = json.loads(result.stdout)["breakers"]
    keys = ("namespace", "owner", "endpoint", "state", "source", "failures", "count", "threshold", "until_ns", "reason")
    assert [tuple(one[key] for key in keys) for one in found] == [
        ("prod", "shop-1", "bank-1:bank.transfer", "open", "helper", 21, 50, 0.4, at(9), "21 of 50 failed"),
        ("prod", "shop-2", "bank-1:bank.transfer", "half-open", "event", None, None, None, None, ""),
    ]


def test_list_prints_a_table_for_people_and_says_who_has_a_helper(capture: Path) -> None:
    result = run("breakers", capture)
    lines = result.stdout.splitlines()
    assert lines[1].split()[:5] == ["shop-1", "bank-1:bank.transfer", "prod", "open", "helper"]
    assert "21 of 50 failed" in lines[1]
    assert "40% of 8" in lines[1]
    assert "Helper on 1 of 2 nodes." in result.stderr


def test_inspect_tells_the_same_states(capture: Path) -> None:
    found = json.loads(run("inspect", capture, "--json").stdout)["breakers"]
    assert [(one["owner"], one["state"], one["source"]) for one in found] == [
        ("shop-1", "open", "helper"),
        ("shop-2", "half-open", "event"),
    ]


def test_nothing_heard_says_so_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "calm.mcap"
    writer = CaptureWriter.file(path)
    for at_ns, frames in Script().info(0.0, "a").feeds():
        writer.write(at_ns, frames)
    writer.close()
    result = run("breakers", path, "list")
    assert result.exit_code == 0
    assert "No breaker has been heard of. Helper on 0 of 1 nodes." in result.stderr
