"""`meshscope helper` gives out the service for MoleculerJS nodes."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from click.testing import CliRunner, Result

from app.cli.all_commands import meshscope

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "resources/agent/meshscope.service.js"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(meshscope, ["helper", *map(str, words)])


def test_it_is_printed_byte_for_byte() -> None:
    done = run()
    assert done.exit_code == 0
    assert done.stdout_bytes == SOURCE.read_bytes()


def test_it_is_written_into_a_file_or_a_folder(tmp_path: Path) -> None:
    for target, file in [(tmp_path, tmp_path / "meshscope.service.js"), (tmp_path / "h.js", tmp_path / "h.js")]:
        assert run("-o", target).exit_code == 0
        assert file.read_bytes() == SOURCE.read_bytes()
        again = run("-o", target)
        assert (again.exit_code, "the same" in again.stderr) == (0, True)


def test_another_file_is_not_written_over_unasked(tmp_path: Path) -> None:
    file = tmp_path / "meshscope.service.js"
    file.write_text("mine")
    done = run("-o", file)
    assert done.exit_code == 1
    assert "is another one" in done.stderr
    assert file.read_text() == "mine"
    assert run("-o", file, "--force").exit_code == 0
    assert file.read_bytes() == SOURCE.read_bytes()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = run("-o", tmp_path / "no" / "h.js")
    assert done.exit_code == 1
    assert "cannot be written: No such file" in done.stderr


def test_it_comes_with_the_wheel(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        assert wheel.read("app/resources/agent/meshscope.service.js") == SOURCE.read_bytes()
