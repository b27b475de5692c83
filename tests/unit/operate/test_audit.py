"""The audit log: two lines an act, kept whatever happens to the program, and told as it stands there."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from broker.operate.audit import NO_ANSWER_YET, After, Audit, AuditError, Before, Entry


def before(number: int = 1, **more: str) -> Before:
    return Before(
        id=f"{number:032x}",
        at_ns=number,
        who="ops@laptop",
        profile="shop-production",
        url="redis://h:1",
        command="call",
        target="orders.get",
        **more,
    )


def after(number: int = 1, outcome: str = "done", message: str = "") -> After:
    return After(f"{number:032x}", number + 100, outcome, message, ({"target": "a", "outcome": "done", "message": ""},))


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    return Audit(tmp_path / "state" / "audit.jsonl")


def test_two_lines_are_one_entry_and_the_newest_comes_first(audit: Audit) -> None:
    assert audit.read().entries == ()
    audit.write(before(1))
    audit.write(before(2))
    audit.write(after(2, "failed", "it said no"))
    audit.write(after(1))
    assert audit.read().entries == (Entry(before(2), after(2, "failed", "it said no")), Entry(before(1), after(1)))
    assert len(audit.path.read_bytes().splitlines()) == 4


def test_the_file_is_its_users_alone(audit: Audit) -> None:
    audit.write(before())
    assert stat.S_IMODE(audit.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(audit.path.parent.stat().st_mode) == 0o700


def test_an_act_without_an_outcome_is_unknown(audit: Audit) -> None:
    audit.write(before())
    (entry,) = audit.read().entries
    assert (entry.outcome, entry.message, entry.at_ns) == ("unknown", NO_ANSWER_YET, 1)


def test_an_outcome_without_its_act_is_shown(audit: Audit) -> None:
    audit.write(after(7))
    (entry,) = audit.read().entries
    assert (entry.before, entry.outcome, entry.at_ns) == (None, "done", 107)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"3",
        b"null",
        b"\xff\xfe",
        b'{"step": "before"}',
        b'{"step": "before", "format": 1}',
        b'{"step": "later", "format": 1}',
        b'{"step": ["before"], "format": 1}',
        b'{"step": "after", "format": 1, "id": 3, "at_ns": 1, "outcome": "done"}',
        b'{"step": "after", "format": 1, "id": "3", "at_ns": "1", "outcome": "done"}',
        b'{"step": "after", "format": 1, "id": "3", "at_ns": 1, "outcome": "done", "targets": 5}',
        b"[" * 5000,
    ],
)
def test_a_line_that_cannot_be_read_is_shown_as_such(audit: Audit, line: bytes) -> None:
    audit.write(before(1))
    with audit.path.open("ab") as file:
        file.write(line + b"\n")
    audit.write(after(1))
    odd, whole = audit.read().entries
    assert odd == Entry(unreadable=line.decode("utf-8", "replace"))
    assert odd.outcome == "unreadable"
    assert whole == Entry(before(1), after(1))


def test_half_a_line_of_a_killed_program_does_not_swallow_the_next(audit: Audit) -> None:
    audit.write(before(1))
    with audit.path.open("ab") as file:
        file.write(b'{"format": 1, "step": "aft')
    audit.write(before(2))
    assert [entry.outcome for entry in audit.read().entries] == ["unknown", "unreadable", "unknown"]


def test_only_the_end_of_a_long_log_is_read_and_that_is_told(audit: Audit) -> None:
    for number in range(20):
        audit.write(before(number))
    size = audit.path.stat().st_size
    page = audit.read(most_bytes=size // 2)
    assert [entry.at_ns for entry in page.entries] == list(range(19, 19 - len(page.entries), -1))
    assert 0 < len(page.entries) < 20
    assert page.left_out_bytes == size - sum(
        len(line) + 1 for line in audit.path.read_bytes().splitlines()[-len(page.entries) :]
    )


def test_a_line_that_does_not_fit_on_the_disk_leaves_nothing_behind(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit.write(before(1))
    kept = audit.path.read_bytes()
    whole = os.write

    def ten_bytes_are_left(descriptor: int, octets: memoryview) -> int:
        if len(octets) < 100:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return whole(descriptor, octets[: len(octets) - 50])

    monkeypatch.setattr(os, "write", ten_bytes_are_left)
    with pytest.raises(AuditError, match=r"No space left on device.*Without it nothing is done"):
        audit.write(before(2))
    monkeypatch.undo()
    assert audit.path.read_bytes() == kept


def test_a_log_that_cannot_be_written_or_read_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditError, match="cannot be written"):
        Audit(tmp_path / "file" / "audit.jsonl").write(before())
    (tmp_path / "audit.jsonl").mkdir()
    with pytest.raises(AuditError, match="cannot be read"):
        Audit(tmp_path / "audit.jsonl").read()


SCRIPT = """
import sys
from pathlib import Path
from broker.operate.audit import After, Audit, Before
audit, first = Audit(Path(sys.argv[1])), int(sys.argv[2])
for number in range(first, first + 50):
    audit.write(Before(f"{number:032x}", number, "w", "p", "u", "call", details="x" * 5000))
    audit.write(After(f"{number:032x}", number, "done"))
"""


def test_processes_that_write_at_once_leave_whole_lines(audit: Audit) -> None:
    run = [sys.executable, "-c", SCRIPT, str(audit.path)]
    writers = [subprocess.Popen([*run, str(first)]) for first in (1000, 2000, 3000)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    entries = audit.read().entries
    assert len(entries) == 150
    assert {entry.outcome for entry in entries} == {"done"}
