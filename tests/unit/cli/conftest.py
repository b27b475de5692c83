"""Every test of a command has a home of its own."""

from __future__ import annotations

import pytest

from tests.program import home, run

__all__ = ["home", "run"]


@pytest.fixture(autouse=True)
def _at_home(home: object) -> None:
    """For those that do not ask for it."""
