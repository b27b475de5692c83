"""Commands as a user types them, on a capture of a short story."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from broker.capture.writer import CaptureWriter
from tests.script import Script, failure, service

Run = Callable[..., Result]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Two calls of v2.orders.get, one of which fails, and an INFO of who offers it."""
    script = (
        Script(namespace="prod")
        .info(0.0, "shop-1", services=[service("v2.orders", "get", events=["order.*"])])
        .request(1.0, action="v2.orders.get", caller="api", sender="edge-1", target="shop-1")
        .response(1.1)
        .request(2.0, action="v2.orders.get", caller="api", sender="edge-1", target="shop-1")
        .response(2.5, error=failure(code=409, type="CONFLICT"))
    )
    path = tmp_path / "checkout.mcap"
    writer = CaptureWriter.file(path)
    for at_ns, frames in script.feeds():
        writer.write(at_ns, frames)
    writer.close()
    return path


def test_inspect_prints_one_json_document_with_what_the_file_tells(run: Run, capture: Path) -> None:
    result = run("inspect", capture, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    [action] = [a for a in found["actions"] if a["name"] == "v2.orders.get"]
    assert (action["calls"], action["completed"], action["errors"], action["namespace"]) == (2, 2, 1, "prod")
    assert action["p50_ms"] == pytest.approx(100, rel=0.011)
    [edge] = found["edges"]
    assert (edge["from"], edge["to"], edge["calls"], edge["errors"]) == ("api", "v2.orders", 2, 1)


def test_inspect_without_json_prints_a_table_for_people(run: Run, capture: Path) -> None:
    lines = run("inspect", capture).stdout.splitlines()
    assert lines[0].startswith("5 packets (")
    assert any(line.split()[:3] == ["v2.orders.get", "2", "1"] for line in lines)


def test_actions_tell_what_info_told(run: Run, capture: Path) -> None:
    [action] = [a for a in json.loads(run("actions", capture, "--json").stdout) if a["name"] == "v2.orders.get"]
    assert (action["service"], action["supposed"], action["nodes"]) == ("v2.orders", False, ["shop-1"])


@pytest.mark.parametrize("command", ["nodes", "services", "actions", "events"])
def test_every_listing_names_what_is_there(run: Run, capture: Path, command: str) -> None:
    expected = {"nodes": "shop-1", "services": "v2.orders", "actions": "v2.orders.get", "events": "order.*"}[command]
    result = run(command, capture)
    assert result.exit_code == 0
    assert any(line.split()[0] == expected for line in result.stdout.splitlines())


def test_tail_prints_a_line_a_packet_and_joins_answers_with_their_requests(run: Run, capture: Path) -> None:
    lines = run("tail", capture).stdout.splitlines()
    assert len(lines) == 5
    assert "v2.orders.get" in lines[-1]
    assert "409 CONFLICT" in lines[-1]
    assert "500 ms" in lines[-1]


def test_tail_prints_only_what_the_filter_wants(run: Run, capture: Path) -> None:
    lines = run("tail", capture, "--filter", "outcome = failed", "--json").stdout.splitlines()
    assert [json.loads(line)["error"] for line in lines] == ["409 CONFLICT"]


def test_a_mistake_in_the_filter_is_pointed_at(run: Run, capture: Path) -> None:
    result = run("tail", capture, "--filter", "duration >")
    assert result.exit_code == 1
    assert "^" in result.stderr


def test_what_is_neither_url_nor_file_is_refused_with_an_example(run: Run) -> None:
    result = run("inspect", "chekcout.mcap")
    assert result.exit_code == 1
    assert "'chekcout.mcap' is neither a URL, nor a saved profile, nor a file that is there." in result.stderr


def test_a_file_that_is_no_capture_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "notes.mcap"
    path.write_text("nothing of the kind")
    result = run("inspect", path)
    assert result.exit_code == 1
    assert "notes.mcap is no capture" in result.stderr


def test_wrong_usage_is_exit_2(run: Run) -> None:
    assert run("inspect").exit_code == 2
    assert run("inspect", "redis://127.0.0.1", "--may", "all").exit_code == 2


def test_a_recording_never_overwrites_a_file(run: Run, capture: Path) -> None:
    before = capture.read_bytes()
    result = run("record", "redis://127.0.0.1:1", "-o", capture)
    assert result.exit_code == 1
    assert "is there already" in result.stderr
    assert capture.read_bytes() == before


def test_a_bad_url_says_what_was_expected(run: Run) -> None:
    result = run("inspect", "http://127.0.0.1")
    assert result.exit_code == 1
    assert "expected" in result.stderr


def test_commands_import_no_qt() -> None:
    import subprocess
    import sys

    code = "import sys, app.cli.all_commands; sys.exit(any(name.startswith('PySide6') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
