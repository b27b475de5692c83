"""The audit on the command line: a table, JSON, and files for other tools."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from broker.clock import SECOND
from broker.operate.audit import After, Audit, Before
from tests.program import Run

AT_NS = 1_730_000_000 * SECOND


@pytest.fixture
def audit() -> Audit:
    made = Audit()
    first = Before("a1", AT_NS, "ops@laptop", "shop", "redis://h:1", "broadcast", "prod", "cache.clean", "=1+1", "type")
    made.write(first)
    made.write(Before("b2", AT_NS + SECOND, "ops@laptop", "", "redis://h:2", "call", "", "a.b", "params {}", "none"))
    made.write(After("a1", AT_NS + 2 * SECOND, "partly", "half", ({"target": "n", "outcome": "done", "message": ""},)))
    with made.path.open("a") as file:
        file.write("{half a line\n")
    return made


def test_nothing_done_is_said(run: Run) -> None:
    assert "Nothing was done" in run("audit").stderr
    assert json.loads(run("audit", "list", "--json").stdout) == []


@pytest.mark.usefixtures("audit")
def test_the_newest_comes_first(run: Run) -> None:
    lines = run("audit").stdout.splitlines()
    assert "unreadable" in lines[1]
    assert "a.b  params {}" in lines[2]
    assert "unknown" in lines[2]
    assert "shop · prod" in lines[3]
    assert "partly" in lines[3]
    (newest,) = json.loads(run("audit", "list", "--json", "--limit", "1").stdout)
    assert (newest["outcome"], newest["message"]) == ("unreadable", "{half a line")
    (shop,) = json.loads(run("audit", "list", "--json", "--profile", "shop").stdout)
    assert (shop["at"], shop["targets"]) == (
        "2024-10-27T03:33:20.000+00:00",
        [{"target": "n", "outcome": "done", "message": ""}],
    )


@pytest.mark.usefixtures("audit")
def test_it_is_exported_and_never_over_a_file(run: Run, tmp_path: Path) -> None:
    table, document = tmp_path / "audit.csv", tmp_path / "audit.json"
    assert run("audit", "export", table).exit_code == 0
    assert run("audit", "export", document, "--profile", "shop").exit_code == 0
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["outcome"] for row in rows] == ["unreadable", "unknown", "partly"]
    assert rows[2]["details"] == "'=1+1"
    assert [each["id"] for each in json.loads(document.read_text())] == ["a1"]
    assert run("audit", "export", table).exit_code == 1
    assert run("audit", "export", tmp_path / "no" / "a.csv").exit_code == 1
