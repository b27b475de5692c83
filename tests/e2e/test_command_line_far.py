"""The command line on a profile that is seen from another machine: a real sshd on loopback, a real mesh behind it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from broker.operate.audit import Audit
from broker.operate.profiles import Profile, ProfileStore
from broker.probe.ssh import REMOTE_VARIABLE, SSH_VARIABLE
from tests.e2e.helper_mesh import MESHES, SECRET, TRANSFER, HelperMesh, Stage, on_stage
from tests.e2e.redis_server import RedisServer, free_port
from tests.e2e.ssh_server import SshServer
from tests.e2e.test_remote_probe import HERE

pytestmark = pytest.mark.usefixtures("moleculerjs")


@pytest.fixture(scope="module")
def stage(shared_redis: RedisServer) -> Iterator[Stage]:
    with on_stage(MESHES["MoleculerJS 0.15"], shared_redis) as made:
        yield made


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    server = SshServer(tmp_path_factory.mktemp("ssh"), free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def env(tmp_path: Path, stage: Stage, sshd: SshServer) -> Mapping[str, str]:
    """A machine whose user has two profiles of the mesh that are seen from the other machine."""
    mesh, there = stage.mesh, f"ssh://127.0.0.1:{sshd.port}"
    store = ProfileStore(tmp_path / "config" / "meshscope" / "profiles.json")
    common: dict[str, Any] = {"namespaces": (mesh.namespace,), "ssh": there}
    store.save(Profile("live", mesh.redis.url, is_production=True, **common))
    store.save(Profile("nowhere", "redis://127.0.0.1:1", **{**common, "ssh": "ssh://127.0.0.1:1"}))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MESHSCOPE_")}
    folders = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("CONFIG", "STATE", "CACHE")}
    ours = {SSH_VARIABLE: sshd.ssh, REMOTE_VARIABLE: HERE, "MESHSCOPE_SECRET": SECRET}
    return kept | folders | ours | {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


async def run(env: Mapping[str, str], *words: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", *words),
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def told(env: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What the audit log of this machine holds: profile, act, outcome; the oldest first."""
    page = Audit(Path(env["XDG_STATE_HOME"]) / "meshscope" / "audit.jsonl").read()
    acts = [entry for entry in reversed(page.entries) if entry.before is not None]
    return [(each.before.profile, each.before.command, each.outcome) for each in acts if each.before is not None]


def test_who_is_there_is_told_from_there(stage: Stage, env: Mapping[str, str]) -> None:
    async def story(_mesh: HelperMesh) -> None:
        code, out, err = await run(env, "nodes", "live", "--duration", "1", "--unlock", "--json")
        assert code == 0, err
        assert {"shop-1", "shop-2", "bank-1", "bank-2"} <= {node["node_id"] for node in json.loads(out)}

    stage.play(story)
    assert told(env) == [("live", "unlock", "done")]


def test_production_is_locked_unlocked_confirmed_and_called_from_there(stage: Stage, env: Mapping[str, str]) -> None:
    async def story(_mesh: HelperMesh) -> None:
        code, _, err = await run(env, "call", "live", TRANSFER, "--confirm", TRANSFER)
        assert (code, "'live' is production and locked" in err) == (1, True), err
        assert told(env) == []
        code, _, err = await run(env, "call", "live", TRANSFER, "--unlock")
        assert (code, f"Say --confirm {TRANSFER}" in err) == (1, True), err
        code, out, err = await run(env, "call", "live", TRANSFER, "--unlock", "--confirm", TRANSFER, "--json")
        assert code == 0, err
        assert json.loads(out)["outcome"] == "done"

    stage.play(story)
    assert told(env) == [("live", "unlock", "done"), ("live", "call", "done")]


def test_a_breaker_is_held_from_there(stage: Stage, env: Mapping[str, str]) -> None:
    async def story(mesh: HelperMesh) -> None:
        on = ("--caller", "shop-1", "--endpoint", f"bank-1:{TRANSFER}", "--for", "60", "--listen", "1")
        code, _, err = await run(env, "breakers", "hold", "live", *on, "--unlock", "--confirm", TRANSFER)
        assert code == 0, err
        assert (await mesh.breaker("shop-1", "bank-1"))["held"] == "open"

    stage.play(story)


def test_a_machine_that_is_not_there_is_told_and_what_needs_packets_is_refused(env: Mapping[str, str]) -> None:
    async def story() -> None:
        code, _, err = await run(env, "nodes", "nowhere", "--duration", "1")
        assert (code, "ssh does not reach 127.0.0.1" in err) == (1, True), err
        for words in (("tail", "live"), ("record", "live", "-o", "x.mcap")):
            code, _, err = await run(env, *words)
            assert (code, "packets as they are do not come from there" in err) == (1, True), err

    asyncio.run(story())
