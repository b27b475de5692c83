"""The interop table as tests: one for each row and column."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.interop.columns import COLUMNS, Column
from tests.interop.mesh import Mesh, mesh_of
from tests.interop.table import CHECKS

pytestmark = pytest.mark.usefixtures("moleculerjs")
Running = tuple[asyncio.Runner, Mesh]
PATIENCE_S = 120.0


@pytest.fixture(scope="module", params=COLUMNS, ids=lambda column: column.name)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The mesh of a column: all its rows are checked on it, in the order of the table."""
    column: Column = request.param
    folder: Path = tmp_path_factory.mktemp("interop")
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        mesh = runner.run(stack.enter_async_context(mesh_of(column, folder)))
        yield runner, mesh
        runner.run(stack.aclose())


@pytest.mark.parametrize("title", CHECKS)
def test_moleculerjs_and_we_agree_on(title: str, running: Running) -> None:
    runner, mesh = running
    check = CHECKS[title]
    if not check.applies(mesh.column):
        return  # nothing of the kind exists in this version of the protocol

    async def limited() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await check.run(mesh)

    runner.run(limited())
