"""The program as a user runs it, on a machine where nobody used it before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli.all_commands import meshscope
from app.cli.group import Programs

Run = Callable[..., Result]


def no_window(**_: Any) -> int:
    raise AssertionError("a headless command opened the window")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folders in which the program keeps things, empty; and no secrets in the environment, and no key store."""
    folder = tmp_path / "home"
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder / name.split("_")[1].lower()))
    for name in ("MESHSCOPE_PASSWORD", "MESHSCOPE_SECRET", "MESHSCOPE_CIPHER_KEY", "MESHSCOPE_CIPHER_IV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return folder


@pytest.fixture
def run() -> Run:
    """Runs the program: ``run("inspect", path, "--json")``."""

    def run_it(*words: str | Path, typed: str | None = None) -> Result:
        return CliRunner().invoke(meshscope, [str(word) for word in words], input=typed, obj=Programs(no_window))

    return run_it
