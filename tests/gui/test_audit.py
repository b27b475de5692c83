"""The audit view, as a user meets it: over a log that was really written."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.desk import Desk
from app.side import SidePanel
from app.views.audit import AuditView
from broker.clock import SECOND
from broker.operate.audit import After, Audit, Before, who

AT_NS = 1_772_620_800 * SECOND
Show = Callable[[QWidget], QWidget]


def before(number: int, command: str, target: str, **more: str) -> Before:
    given = {"who": who(), "profile": "shop-production", "url": "redis://h", "confirm": "type", "may": "act"} | more
    return Before(f"id{number}", AT_NS + number * SECOND, command=command, target=target, source="window", **given)


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """A call that was done, one nobody knows the end of, a hold on two nodes, one of another machine, a broken line."""
    made = Audit(tmp_path / "audit.jsonl")
    made.write(before(1, "call", "users.get on users-1", details='params {"id": 7}'))
    made.write(After("id1", AT_NS + 2 * SECOND, "done", "users-1 answered in 4.2 ms, 80 bytes"))
    made.write(before(3, "emit", "order.created"))
    made.write(before(4, "hold", "bank-1:bank.transfer seen by pay-1"))
    targets = ({"target": "pay-1", "outcome": "done"}, {"target": "pay-2", "outcome": "failed", "message": "no helper"})
    made.write(After("id4", AT_NS + 5 * SECOND, "partly", "1 of 2", targets))
    made.write(before(6, "broadcast", "cache.clear", who="eve@elsewhere"))
    made.write(After("id6", AT_NS + 7 * SECOND, "failed", "no connection"))
    with made.path.open("a") as file:
        file.write("{ half a li token=s3cr3t-of-ours\n")
    return made


@pytest.fixture
def view(desk: Desk, audit: Audit, shown: Show, qtbot: QtBot) -> AuditView:
    desk.audit = audit
    made = AuditView(desk)
    shown(made)
    qtbot.waitUntil(lambda: len(made.table.texts()) == 5, timeout=5000)
    return made


def rows(view: AuditView) -> list[tuple[str, str, str]]:
    """Outcome, what and who, from the top."""
    titles = [column.title for column in view.table.records.columns]
    places = [titles.index(title) for title in ("outcome", "what", "who")]
    return [(row[places[0]], row[places[1]], row[places[2]]) for row in view.table.texts()]


def test_each_act_is_one_row_with_what_became_of_it_and_nobody_knows_is_said(view: AuditView) -> None:
    me = who()
    assert rows(view) == [
        ("▲ failed", "broadcast", "eve@elsewhere (another)"),
        ("◷ partly", "hold", me),
        ("? unknown", "emit", me),
        ("✓ done", "call", me),
        ("▲ unreadable", "–", "–"),
    ]


def test_words_find_acts_and_say_when_they_find_none(view: AuditView, qtbot: QtBot) -> None:
    qtbot.keyClicks(view.search, "hold bank")
    assert [row[1] for row in rows(view)] == ["hold"]
    assert view._count.text() == "1 of 5"
    qtbot.keyClicks(view.search, " nowhere")
    assert "No act with these words" in view.empty.text
    assert not view.export.isEnabled()
    view.empty._act.click()
    assert len(rows(view)) == 5


def test_the_side_panel_tells_all_of_an_act_with_each_target(
    desk: Desk, view: AuditView, shown: Show, qtbot: QtBot
) -> None:
    panel = SidePanel(desk)
    shown(panel)
    view.table.selectRow(1)
    qtbot.waitUntil(lambda: panel._title.text() == "hold bank-1:bank.transfer seen by pay-1", timeout=5000)
    facts = dict(row[:2] for row in panel.fact_table.texts())
    assert facts["outcome"] == "◷ partly"
    assert facts["second step"] == "its name was typed"
    assert facts["→ pay-2"] == "failed no helper"
    view.table.selectRow(4)
    qtbot.waitUntil(lambda: panel._title.text() == "A line of the log", timeout=5000)
    assert panel._schema.toPlainText() == "{ half a li token=***"


def test_what_is_shown_is_exported_as_json_and_as_csv(view: AuditView, tmp_path: Path, qtbot: QtBot) -> None:
    qtbot.keyClicks(view.search, "window")
    view.export_to(tmp_path / "acts.json")
    qtbot.waitUntil(lambda: view._note.text() == f"4 acts written to {tmp_path / 'acts.json'}", timeout=5000)
    written = json.loads((tmp_path / "acts.json").read_text())
    assert [each["command"] for each in written] == ["broadcast", "hold", "emit", "call"]
    assert written[2]["outcome"] == "unknown"
    view.export_to(tmp_path / "acts.csv")
    qtbot.waitUntil(lambda: view._note.text() == f"4 acts written to {tmp_path / 'acts.csv'}", timeout=5000)
    with (tmp_path / "acts.csv").open() as file:
        assert [each["outcome"] for each in csv.DictReader(file)] == ["failed", "partly", "unknown", "done"]
    assert (tmp_path / "acts.csv").stat().st_mode & 0o077 == 0


def test_what_is_done_meanwhile_appears_by_itself_and_the_selection_stays(
    desk: Desk, view: AuditView, audit: Audit, qtbot: QtBot
) -> None:
    view.table.selectRow(1)
    audit.write(After("id3", AT_NS + 9 * SECOND, "done", "sent"))
    audit.write(before(10, "call", "users.list"))
    desk.reported.emit()
    qtbot.waitUntil(lambda: len(view.table.texts()) == 6, timeout=5000)
    assert ("✓ done", "emit", who()) in rows(view)
    assert view.table.texts()[view.table.currentIndex().row()][2] == "hold"


def test_an_empty_log_says_what_will_be_in_it(desk: Desk, tmp_path: Path, shown: Show, qtbot: QtBot) -> None:
    desk.audit = Audit(tmp_path / "none.jsonl")
    view = AuditView(desk)
    shown(view)
    qtbot.waitUntil(lambda: "Nothing was done from here yet" in view.empty.text, timeout=5000)


def test_a_log_that_cannot_be_read_is_said(desk: Desk, tmp_path: Path, shown: Show, qtbot: QtBot) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    desk.audit = Audit(tmp_path / "folder.jsonl")
    view = AuditView(desk)
    shown(view)
    qtbot.waitUntil(lambda: "The audit log cannot be read" in view.empty.text, timeout=5000)
