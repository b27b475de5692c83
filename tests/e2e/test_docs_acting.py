"""The command lines of docs/acting.md do what the page says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.operate.audit import Audit
from tests.e2e.redis_server import RedisServer, free_port
from tests.e2e.small_mesh import SmallMesh
from tests.program import Run

PAGE = Path(__file__).parents[2] / "docs" / "acting.md"
PLACES = ("10.0.0.7:6379", "10.0.0.8:6379")


class OrdersMesh(SmallMesh):
    """Who offers what the page calls."""

    def _schema(self) -> dict[str, Any]:
        return {"name": "orders", "actions": {"get": self._echo}, "events": {"orders.*": self._take}}


@pytest.fixture(scope="module")
def meshes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Where the page's servers really are."""
    servers = [RedisServer(tmp_path_factory.mktemp("redis"), free_port()) for _ in PLACES]
    made: list[SmallMesh] = []
    try:
        for server in servers:
            server.start()
            made.append(OrdersMesh(server.url, "shop"))
            made[-1].start()
        yield {place: f"127.0.0.1:{server.port}" for place, server in zip(PLACES, servers, strict=True)}
        for mesh in made:
            mesh.stop()
    finally:
        for server in servers:
            server.stop()


def test_the_examples_do_what_the_page_says(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meshes: dict[str, str]
) -> None:
    assert not home.exists()
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) > 10
    for line in lines:
        command, _, promise = line.partition("  # exit ")
        expected = int(promise[0]) if promise else 0
        for place, real in meshes.items():
            command = command.replace(place, real)
        program, *words = shlex.split(command)
        assert program == "meshscope"
        done = run(*words)
        assert done.exit_code == expected, f"{line}\n{done.output}"
    acts = [entry.before.command for entry in Audit().read().entries if entry.before]
    assert sorted(acts) == ["bench", "broadcast", "call", "call", "call", "emit", "unlock", "unlock", "unlock"]
    assert (tmp_path / "acts.csv").read_text().count("\n") == 10
