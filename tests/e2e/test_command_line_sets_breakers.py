"""`meshscope breakers` in meshes of both versions under traffic: what it does is what callers' own logs say."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.helper_mesh import MESHES, PLAIN, SECRET, TRANSFER, HelperMesh, Stage, on_stage
from tests.e2e.redis_server import RedisServer
from tests.interop.mesh import until_true

pytestmark = pytest.mark.usefixtures("moleculerjs")

ENDPOINT = f"bank-1:{TRANSFER}"


@pytest.fixture(scope="module", params=["MoleculerJS 0.14", "MoleculerJS 0.15"])
def stage(request: pytest.FixtureRequest, shared_redis: RedisServer) -> Iterator[Stage]:
    with on_stage(MESHES[request.param], shared_redis) as made:
        yield made


@dataclass(frozen=True)
class Ended:
    """A command that ended."""

    code: int
    said: str
    document: dict[str, Any]

    @property
    def rows(self) -> dict[str, str]:
        """Outcome by target."""
        return {row["target"]: row["outcome"] for row in self.document["targets"]}


class CommandLine:
    """A machine on which somebody uses the program."""

    def __init__(self, home: Path, mesh: HelperMesh) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MESHSCOPE_")}
        folders = {name: str(home / name) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
        self._env = kept | folders | {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        self._mesh = mesh

    async def breakers(self, verb: str, *words: str, profile: str = "", secret: str = SECRET) -> Ended:
        """``meshscope breakers URL|PROFILE verb … --json``."""
        namespace = ("--namespace", self._mesh.namespace, "--listen", "1", "--json")
        return await self.run("breakers", profile or self._mesh.redis.url, verb, *words, *namespace, secret=secret)

    async def run(self, *words: str, secret: str = SECRET) -> Ended:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", *words),
            env=self._env | ({"MESHSCOPE_SECRET": secret} if secret else {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, err.decode(), json.loads(out) if out else {})


@pytest.fixture
def line(tmp_path: Path, stage: Stage) -> CommandLine:
    return CommandLine(tmp_path, stage.mesh)


def test_held_open_by_command_nothing_is_sent_to_the_endpoint_until_it_is_reset(
    stage: Stage, line: CommandLine
) -> None:
    async def story(mesh: HelperMesh) -> None:
        shops = (mesh.shop_1, mesh.shop_2)
        for shop in shops:
            await shop.traffic(TRANSFER)
            await mesh.sends(shop, "bank-1")
        held = await line.breakers("hold", "--endpoint", ENDPOINT, "--for", "600", "--reason", "the vault is slow")
        assert held.code == 0, held.said
        assert held.rows == {f"shop-1 → {ENDPOINT}": "done", f"shop-2 → {ENDPOINT}": "done"}
        assert "Nodes that join later are not held." in held.said
        assert "calls/min from shop-1 will go to bank-2" in held.said
        reported = {shop.node_id: len(await shop.sent()) for shop in shops}
        for shop in shops:
            await mesh.sends(shop, "bank-2", 50, after=reported[shop.node_id])
            assert {each.target for each in await shop.sent(reported[shop.node_id])} == {"bank-2"}
        breaker = await mesh.breaker("shop-1", "bank-1")
        assert (breaker["held"], breaker["hold"]["reason"]) == ("open", "the vault is slow")
        reset = await line.breakers("reset", "--endpoint", ENDPOINT)
        assert (reset.code, set(reset.rows.values())) == (0, {"done"}), reset.said
        for shop in shops:
            await mesh.sends(shop, "bank-1", after=len(await shop.sent()))
        audit = await line.run("audit", "list", "--json")
        told = [(entry["command"], entry["outcome"]) for entry in audit.document]  # type: ignore[index]
        assert told.count(("hold", "done")) == 2
        assert told.count(("reset", "done")) >= 2

    stage.play(story)


def test_a_trip_by_command_closes_by_itself_and_a_hold_ends_on_time(stage: Stage, line: CommandLine) -> None:
    async def story(mesh: HelperMesh) -> None:
        await mesh.shop_1.traffic(TRANSFER)
        await mesh.sends(mesh.shop_1, "bank-1")
        before = mesh.mark()
        tripped = await line.breakers("trip", "--caller", "shop-1", "--endpoint", ENDPOINT)
        assert (tripped.code, tripped.rows) == (0, {f"shop-1 → {ENDPOINT}": "done"}), tripped.said
        for what in ("opened", "half-opened", "closed"):
            await mesh.heard(lambda packet, what=what: packet.is_event(f"$circuit-breaker.{what}", "shop-1"), before)
        held = await line.breakers("hold", "--caller", "shop-1", "--endpoint", ENDPOINT, "--for", "1.5")
        assert held.code == 0, held.said
        await until_true(lambda: _is_free(mesh))
        await mesh.sends(mesh.shop_1, "bank-1", after=len(await mesh.shop_1.sent()))

    stage.play(story)


async def _is_free(mesh: HelperMesh) -> bool:
    return bool((await mesh.breaker("shop-1", "bank-1"))["held"] == "")


def test_what_cannot_be_done_ends_with_1_says_why_and_changes_nothing(stage: Stage, line: CommandLine) -> None:
    async def story(mesh: HelperMesh) -> None:
        await mesh.shop_1.traffic(TRANSFER)
        wrong, none, off = await asyncio.gather(
            line.breakers("hold", "--caller", "shop-1", "--endpoint", ENDPOINT, secret="another secret"),
            line.breakers("hold", "--endpoint", ENDPOINT, secret=""),
            line.breakers("trip", "--endpoint", f"bank-1:{PLAIN}"),
        )
        assert (wrong.code, wrong.document["outcome"]) == (1, "refused")
        assert wrong.document["targets"][0]["message"].startswith("signature: ")
        assert (none.code, "MESHSCOPE_SECRET" in none.said) == (1, True)
        assert (off.code, "Hold it open instead" in off.said) == (1, True), off.said
        await mesh.sends(mesh.shop_1, "bank-1", after=len(await mesh.shop_1.sent()))
        assert (await mesh.listed("shop-1"))["refused"]["signature"] >= 1

    stage.play(story)


def test_in_production_it_takes_unlocking_and_the_actions_name(stage: Stage, line: CommandLine) -> None:
    async def story(mesh: HelperMesh) -> None:
        added = await line.run("profiles", "add", "live", mesh.redis.url, "--production", "--namespace", mesh.namespace)
        assert added.code == 0, added.said
        hold = ("hold", "--caller", "shop-1", "--endpoint", ENDPOINT, "--for", "60")
        locked, unnamed = await asyncio.gather(
            line.breakers(*hold, "--confirm", TRANSFER), line.breakers(*hold, "--unlock", profile="live")
        )
        assert (locked.code, "'live' is production and locked" in locked.said) == (1, True), locked.said
        assert (unnamed.code, f"Say --confirm {TRANSFER}" in unnamed.said) == (1, True), unnamed.said
        by_url = await line.breakers(*hold, "--unlock", "--confirm", TRANSFER)
        assert (by_url.code, "Say live instead of the URL" in by_url.said) == (1, True), by_url.said
        assert (await mesh.breaker("shop-1", "bank-1"))["held"] == ""
        held = await line.breakers(*hold, "--unlock", "--confirm", TRANSFER, profile="live")
        assert (held.code, held.rows) == (0, {f"shop-1 → {ENDPOINT}": "done"}), held.said
        assert (await mesh.breaker("shop-1", "bank-1"))["held"] == "open"

    stage.play(story)
