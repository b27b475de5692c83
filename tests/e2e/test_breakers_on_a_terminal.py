"""`meshscope breakers` as somebody uses it at a prompt: what it shows, what it asks, what becomes of each answer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from broker.operate.audit import Audit
from broker.operate.profiles import Profile, ProfileStore
from tests.e2e.helper_mesh import MESHES, SECRET, TRANSFER, HelperMesh, Stage, on_stage
from tests.e2e.redis_server import RedisServer
from tests.e2e.terminal import CTRL_C, CTRL_D, on_terminal
from tests.interop.mesh import until, until_true

pytestmark = pytest.mark.usefixtures("moleculerjs")

ON_BANK_1 = ("--endpoint", f"bank-1:{TRANSFER}")
NAME_IT = f"This acts on 'live', which is PRODUCTION. Type {TRANSFER} to send it:"


@pytest.fixture(scope="module")
def stage(shared_redis: RedisServer) -> Iterator[Stage]:
    with on_stage(MESHES["MoleculerJS 0.15"], shared_redis) as made:
        yield made


@pytest.fixture
def env(tmp_path: Path, stage: Stage) -> Mapping[str, str]:
    """A machine whose user has a profile of production and one of staging for the mesh."""
    mesh = stage.mesh
    store = ProfileStore(tmp_path / "config" / "meshscope" / "profiles.json")
    store.save(Profile("live", mesh.redis.url, is_production=True, namespaces=(mesh.namespace,)))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MESHSCOPE_")}
    folders = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("CONFIG", "STATE", "CACHE")}
    return kept | folders | {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", "MESHSCOPE_SECRET": SECRET}


def hold(*more: str) -> tuple[str, ...]:
    return ("breakers", "hold", "live", *more, "--for", "60", "--listen", "0.5", "--unlock")


def told(env: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the audit log holds: act and outcome, the oldest first."""
    page = Audit(Path(env["XDG_STATE_HOME"]) / "meshscope" / "audit.jsonl").read()
    return [(entry.before.command if entry.before else "", entry.outcome) for entry in reversed(page.entries)]


async def held(mesh: HelperMesh, owner: str, node: str) -> str:
    return str((await mesh.breaker(owner, node))["held"])


def test_a_plan_is_shown_and_sent_once_its_name_was_typed(stage: Stage, env: Mapping[str, str]) -> None:
    async def story(mesh: HelperMesh) -> None:
        async with on_terminal(*hold("--caller", "shop-1", *ON_BANK_1), env=env) as terminal:
            await terminal.answers(NAME_IT, TRANSFER)
            assert await terminal.ends() == 0, terminal.screen
        assert "hold open:" in terminal.screen
        assert await held(mesh, "shop-1", "bank-1") == "open"

    stage.play(story)
    assert told(env) == [("unlock", "done"), ("hold", "done")]


@pytest.mark.parametrize("answer", ["bank\n", "\n", CTRL_D, CTRL_C], ids=["wrong", "nothing", "end", "interrupt"])
def test_another_answer_sends_nothing(stage: Stage, env: Mapping[str, str], answer: str) -> None:
    async def story(mesh: HelperMesh) -> None:
        async with on_terminal(*hold("--caller", "shop-1", *ON_BANK_1), env=env) as terminal:
            await terminal.asks(NAME_IT)
            terminal.types(answer)
            code = await terminal.ends()
        assert code == (130 if answer == CTRL_C else 1), terminal.screen
        assert await held(mesh, "shop-1", "bank-1") == ""

    stage.play(story)
    assert told(env) == [("unlock", "done")]


EVERYBODY = f"It turns away every caller of bank-1:{TRANSFER}. Send it all the same? [y/N]"


@pytest.mark.parametrize("answer", ["y", "n"])
def test_what_stops_everybody_is_asked_a_second_time(stage: Stage, env: Mapping[str, str], answer: str) -> None:
    async def story(mesh: HelperMesh) -> None:
        async with on_terminal(*hold(*ON_BANK_1, "--include-callee"), env=env) as terminal:
            await terminal.answers(NAME_IT, TRANSFER)
            await terminal.answers(EVERYBODY, answer)
            code = await terminal.ends()
        assert code == (0 if answer == "y" else 1), terminal.screen
        expected = "open" if answer == "y" else ""
        assert [await held(mesh, owner, "bank-1") for owner in ("shop-1", "shop-2", "bank-1")] == [expected] * 3

    stage.play(story)


UNDO = "Take back what was done on 1 target? [y/N]"


@pytest.mark.parametrize("answer", ["y", "n"])
def test_what_was_done_in_part_is_taken_back_if_somebody_says_so(
    stage: Stage, env: Mapping[str, str], answer: str
) -> None:
    async def story(mesh: HelperMesh) -> None:
        async with on_terminal(*hold(*ON_BANK_1), env=env) as terminal:
            await terminal.asks(NAME_IT)
            await mesh.shop_2.remove_helper()  # the plan counts on it
            terminal.types(f"{TRANSFER}\n")
            await terminal.answers(UNDO, answer)
            code = await terminal.ends()
        await mesh.shop_2.add_helper()
        await until_true(lambda: knows_banks(mesh))
        assert code == 1, terminal.screen
        assert ("Taking it back:" in terminal.screen) == (answer == "y")
        assert ("The same command with --undo takes back what was done." in terminal.screen) == (answer == "n")
        assert await held(mesh, "shop-1", "bank-1") == ("" if answer == "y" else "open")

    stage.play(story)
    assert told(env)[:1] + sorted(told(env)[1:3]) == [("unlock", "done"), ("hold", "done"), ("hold", "failed")]
    assert told(env)[3:] == ([("release", "done")] if answer == "y" else [])


async def knows_banks(mesh: HelperMesh) -> bool:
    if "shop-2" not in mesh._known_helpers():
        return False
    return {"bank-1", "bank-2"} <= {each["node"] for each in (await mesh.listed("shop-2"))["breakers"]}


def test_what_was_typed_before_a_question_is_no_answer_to_it(stage: Stage, env: Mapping[str, str]) -> None:
    async def story(mesh: HelperMesh) -> None:
        words = ("breakers", "hold", "live", "--caller", "shop-1", *ON_BANK_1, "--for", "60", "--unlock")
        async with on_terminal(*words, "--listen", "2", env=env) as terminal:
            await until(lambda: told(env) == [("unlock", "done")])  # it listens now, and asks later
            terminal.types(f"{TRANSFER}\n")
            await until(lambda: NAME_IT in terminal.screen)
            terminal.types("\n")
            assert await terminal.ends() == 1, terminal.screen
        assert "Nothing was typed" in terminal.screen
        assert await held(mesh, "shop-1", "bank-1") == ""

    stage.play(story)
