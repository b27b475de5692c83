"""What is muted stays counted, and comes back when it should."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from app.disk import Disk
from app.mutes import Mutes
from broker.mesh.answers import Concern
from broker.mesh.subject import Subject


def concern(key: str, severity: Literal["failed", "slow", "note"] = "slow") -> Concern:
    return Concern(key, severity, 1.0, f"{key} is wrong", "", Subject("action", "", key), "latency")


def keys(mutes: Mutes, *found: Concern, now: int = 100, is_all: bool = True) -> tuple[list[str], list[str]]:
    split = mutes.split(found, now, is_all=is_all)
    return [one.key for one in split.shown], [mute.key for mute, _ in split.muted]


def test_a_muted_line_is_not_shown_and_counted_until_its_time_is_over() -> None:
    mutes = Mutes()
    mutes.add(concern("a"), 100, 200)
    assert keys(mutes, concern("a"), concern("b"), now=199) == (["b"], ["a"])
    assert keys(mutes, concern("b"), now=199) == (["b"], ["a"])
    assert keys(mutes, concern("a"), concern("b"), now=200) == (["a", "b"], [])


def test_a_line_that_was_taken_note_of_comes_back_when_it_is_over_and_begins_again() -> None:
    mutes = Mutes()
    mutes.add(concern("a"), 100, 0)
    assert keys(mutes, concern("a"), now=10**18) == ([], ["a"])
    assert keys(mutes, is_all=False) == ([], ["a"])
    assert keys(mutes) == ([], [])
    assert keys(mutes, concern("a")) == (["a"], [])


def test_a_line_that_was_taken_note_of_is_shown_again_when_it_becomes_worse() -> None:
    mutes = Mutes()
    mutes.add(concern("a"), 100, 0)
    mutes.add(concern("b"), 100, 200)
    assert keys(mutes, concern("a", "failed"), concern("b", "failed")) == (["a"], ["b"])


def test_mutes_are_kept_in_a_file_and_a_file_that_makes_no_sense_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "mutes" / "shop.json"
    disk = Disk()
    first = Mutes(path, disk)
    first.add(concern("a"), 100, 200)
    first.add(concern("b"), 100, 0)
    assert disk.finish()
    assert keys(Mutes(path), concern("a"), concern("b")) == ([], ["a", "b"])
    first.remove("a")
    assert disk.finish()
    assert keys(Mutes(path), concern("a"), concern("b")) == (["a"], ["b"])
    first.clear()
    assert disk.finish()
    assert len(Mutes(path)) == 0
    path.write_text("{", "utf-8")
    assert len(Mutes(path)) == 0
