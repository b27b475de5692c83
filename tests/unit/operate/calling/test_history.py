"""What was sent is found again: after a restart, from another window, and without its secrets."""

from __future__ import annotations

from pathlib import Path

from broker.operate.calling.history import SEGMENT_BYTES, SEGMENTS, TOO_LONG, Entry, History
from broker.operate.calling.masked import MASKED
from broker.operate.calling.request import Request


def entry(at_ns: int, action: str = "v2.orders.get", params: str = '{"id": 1}', **more: object) -> Entry:
    return Entry(at_ns, "shop", Request("call", action, "prod", params=params), "done", **more)  # type: ignore[arg-type]


def test_what_was_sent_is_there_after_a_restart(tmp_path: Path):
    sent = entry(2, duration_ms=12.4, node_id="shop-2", size_bytes=412, message="")
    History(tmp_path).add(entry(1))
    History(tmp_path).add(sent)
    assert History(tmp_path).entries() == [sent, entry(1)]


def test_two_windows_write_into_one_history(tmp_path: Path):
    one, other = History(tmp_path), History(tmp_path)
    for number in range(1, 21):
        (one if number % 2 else other).add(entry(number))
        assert [e.at_ns for e in one.entries()] == list(range(number, 0, -1))
    assert one.entries() == other.entries()


def test_no_secret_reaches_the_file(tmp_path: Path):
    history = History(tmp_path)
    kept = history.add(entry(1, params='{"password": "hunter2", "token": {{secret:token}}}'))
    text = "".join(path.read_text("utf-8") for path in tmp_path.iterdir())
    assert "hunter2" not in text
    assert MASKED in kept.request.params
    assert "{{secret:token}}" in history.entries()[0].request.params


def test_only_its_owner_may_read_it(tmp_path: Path):
    folder = tmp_path / "calls"
    History(folder).add(entry(1))
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_every_word_that_is_searched_must_be_there(tmp_path: Path):
    history = History(tmp_path)
    history.add(entry(1, "users.get", '{"id": "Eve"}'))
    history.add(entry(2, "users.find", '{"text": "eve"}', message="422 VALIDATION_ERROR"))
    assert [e.at_ns for e in history.search("USERS eve")] == [2, 1]
    assert [e.at_ns for e in history.search("eve validation")] == [2]
    assert history.search("adam") == []


def test_it_is_bounded_and_keeps_the_newest(tmp_path: Path):
    history = History(tmp_path)
    params = '{"text": "' + "x" * 15_000 + '"}'
    for number in range(1, 200):
        history.add(entry(number, params=params))
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) <= SEGMENTS
    assert max(sizes) < SEGMENT_BYTES + 20_000
    kept = [e.at_ns for e in history.entries()]
    assert kept == list(range(199, 199 - len(kept), -1))
    assert len(kept) > 100


def test_a_payload_of_megabytes_is_not_kept(tmp_path: Path):
    kept = History(tmp_path).add(entry(1, params='{"text": "' + "x" * 20_000 + '"}'))
    assert kept.request.params == TOO_LONG


def test_a_damaged_line_costs_only_itself(tmp_path: Path):
    history = History(tmp_path)
    history.add(entry(1))
    with (tmp_path / "00000001.jsonl").open("ab") as file:
        file.write(b'{"at_ns": 2, "pla\n[]\n{"at_ns": 3, "half')
    assert [e.at_ns for e in history.entries()] == [1]
    with (tmp_path / "00000001.jsonl").open("ab") as file:
        file.write(b"\n")
    history.add(entry(4))
    assert [e.at_ns for e in history.entries()] == [4, 1]


def test_a_disk_that_says_no_does_not_stop_anybody(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    history = History(blocked / "calls")
    history.add(entry(1))
    assert [e.at_ns for e in history.entries()] == [1]


def test_it_can_be_forgotten(tmp_path: Path):
    history = History(tmp_path)
    history.add(entry(1))
    history.clear()
    assert History(tmp_path).entries() == []
