"""Each import contract holds for the program, and fails when it is broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]

# One breach of each contract: the module that breaks it and the line that does.
BREACHES = {
    "broker-knows-no-app": ("broker/mesh/breach.py", "import app.window"),
    "pure-core": ("broker/observe/breach.py", "import asyncio"),
    "pure-core-layers": ("broker/protocol/breach.py", "import broker.mesh"),
    "validation-is-alone": ("broker/validation/breach.py", "import broker.node"),
    "native-is-alone": ("broker/native/breach.py", "import broker.protocol"),
    "redis-in-its-file": ("broker/probe/breach.py", "import redis"),
    "broker-layers": ("broker/transport/breach.py", "import broker.node"),
    "agent-runs-in-others-nodes": ("broker/agent/breach.py", "import broker.operate"),
    "operators-know-signatures-only": ("broker/operate/breach.py", "import broker.agent.helper"),
    "capture-is-low": ("broker/capture/breach.py", "import broker.mesh"),
    "probe-knows-commands-only": ("broker/probe/breach.py", "import broker.operate.secrets"),
    "views-are-apart": ("app/views/overview.py", "import app.views.graph"),
    "parts-of-views-are-apart": ("app/breakers/breach.py", "import app.graph.bar"),
    "items-and-widgets-know-no-mesh": ("app/items/breach.py", "import broker.probe"),
    "cli-without-qt": ("app/cli/breach.py", "import PySide6"),
}


def skeleton(folder: Path) -> None:
    """The packages of the program, all modules empty."""
    for package in ("app", "broker"):
        for source in (ROOT / package).rglob("*.py"):
            target = folder / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
    shutil.copy(ROOT / "pyproject.toml", folder / "pyproject.toml")


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-cache", "--contract", contract]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_contract_has_a_breach_to_prove_it() -> None:
    contracts: list[dict[str, Any]] = SETTINGS["contracts"]
    assert {contract["id"] for contract in contracts} == set(BREACHES)


@pytest.mark.parametrize("contract", BREACHES)
def test_a_broken_contract_fails(contract: str, tmp_path: Path) -> None:
    skeleton(tmp_path)
    assert lint(tmp_path, contract).returncode == 0
    path, line = BREACHES[contract]
    (tmp_path / path).write_text(line + "\n")
    broken = lint(tmp_path, contract)
    assert broken.returncode == 1
    assert "BROKEN" in broken.stdout
