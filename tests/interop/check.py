"""What a row of the interop table is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from broker.node.errors import MoleculerError
from tests.interop.columns import Column
from tests.interop.mesh import Mesh

Run = Callable[[Mesh], Awaitable[None]]


@dataclass(frozen=True)
class Check:
    """One row: something that works between MoleculerJS and us in both directions.

    Attributes:
        title: As the table names it.
        run: Raises AssertionError where it does not hold.
        applies: In which columns it makes sense.
    """

    title: str
    run: Run
    applies: Callable[[Column], bool]


_REGISTERED: Final[list[Check]] = []


def check(title: str, applies: Callable[[Column], bool] = lambda _column: True) -> Callable[[Run], Run]:
    """Make a function a row of the table, after the rows of its module that are there already."""

    def register(run: Run) -> Run:
        _REGISTERED.append(Check(title, run, applies))
        return run

    return register


def checks_of(*modules: ModuleType) -> dict[str, Check]:
    """The rows of these modules in this order, by title."""
    return {each.title: each for module in modules for each in _REGISTERED if each.run.__module__ == module.__name__}


def is_equal(got: Any, expected: Any, what: str) -> None:
    """Raise with both values where they differ; the table shows it, without a debugger beside it."""
    if got != expected:
        raise AssertionError(f"{what}: {got!r}, expected {expected!r}")


def in_one_version(column: Column) -> bool:
    """Whether the MoleculerJS nodes of a column know each other."""
    return not column.is_mixed


async def caught(call: Awaitable[Any]) -> MoleculerError:
    """The error with which a call of ours ends."""
    try:
        answer = await call
    except MoleculerError as error:
        return error
    raise AssertionError(f"the answer is {answer!r}, expected an error")
