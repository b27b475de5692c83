"""What the window remembers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app import settings
from app.settings import MAX_RECENT, Connection


def test_what_is_saved_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "window.json"
    made = settings.load(path)
    made.theme, made.span_s, made.detached = "light", 900, ["graph"]
    made.remember(Connection("redis://h:1", "shop", namespaces=["", "prod"], has_password=True, last_ns=5))
    made.remember_filter("outcome = failed")
    made.save()
    assert made.disk.finish()
    assert settings.load(path) == made


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"theme": 7, "span_s": "x", "recent": [{}, 3, {"url": 1}]}'])
def test_a_broken_file_gives_defaults(tmp_path: Path, text: str) -> None:
    path = tmp_path / "window.json"
    path.write_text(text)
    assert settings.load(path) == settings.Settings(path=path)


def test_secrets_have_no_place_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "window.json"
    made = settings.load(path)
    made.remember(Connection("redis://user@h:1", has_password=True))
    made.save()
    assert made.disk.finish()
    assert set(json.loads(path.read_text())["recent"][0]) == set(Connection.__slots__)
    assert "password" not in Connection.__slots__


def test_the_newest_connection_comes_first_once_and_old_ones_go() -> None:
    made = settings.load(None)
    for number in range(MAX_RECENT + 3):
        made.remember(Connection(f"redis://h:{number + 1}"))
    made.remember(Connection("redis://h:9", "again"))
    assert made.recent[0].name == "again"
    assert [one.url for one in made.recent].count("redis://h:9") == 1
    assert len(made.recent) == MAX_RECENT


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    file, told = tmp_path / "file", list[str]()
    file.write_text("")
    made = settings.load(file / "window.json")
    made.disk.tell = lambda problem, _advice: told.append(problem)
    for _ in range(2):
        made.save()
        assert made.disk.finish()
    path = file / "window.json"
    assert told == [f"Preferences of the window cannot be kept in {path}: File exists."]
