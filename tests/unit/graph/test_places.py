"""Places that are kept, and places for what is new."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.disk import Disk
from app.graph.beside import place_beside
from app.graph.places import PlaceStore
from app.widgets.canvas.items import CARD_HEIGHT as H
from app.widgets.canvas.items import CARD_WIDTH as W

STEP = W + 108.0


def test_a_new_box_stands_right_of_its_caller() -> None:
    assert place_beside(["b"], {"a": (0.0, 0.0)}, [("a", "b")], W, H) == {"b": (STEP, 0.0)}


def test_a_new_caller_stands_left_of_those_it_calls() -> None:
    assert place_beside(["b"], {"a": (0.0, 50.0)}, [("b", "a")], W, H)["b"] == (-STEP, 50.0)


def test_a_new_box_without_calls_stands_below_everything() -> None:
    placed = place_beside(["c"], {"a": (0.0, 0.0), "b": (300.0, 200.0)}, [], W, H)
    assert placed["c"][1] > 200.0


def test_new_boxes_that_call_each_other_follow_from_the_known_one() -> None:
    placed = place_beside(["c", "b"], {"a": (0.0, 0.0)}, [("b", "c"), ("a", "b")], W, H)
    assert 0.0 < placed["b"][0] < placed["c"][0]


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30))
def test_nothing_new_covers_anything(pairs: list[tuple[int, int]]) -> None:
    known = {str(n): (n % 3 * 282.0, n // 3 * 92.0) for n in range(6)}
    new = [str(n) for n in range(6, 12)]
    placed = place_beside(new, known, [(str(a), str(b)) for a, b in pairs], W, H)
    assert sorted(placed) == sorted(new)
    everything = list((known | placed).values())
    for number, (x, y) in enumerate(everything):
        assert all(abs(x - ox) >= W or abs(y - oy) >= H for ox, oy in everything[:number])


def test_places_and_pins_are_there_again_in_the_next_sitting(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "shop.json"
    disk = Disk()
    store = PlaceStore(path, disk)
    store.places("service/layered").move("payments", (12.5, -3.0))
    store.places("service/layered").bends["a>b"] = [(1.0, 2.0)]
    store.save()
    assert disk.finish()
    again = PlaceStore(path).places("service/layered")
    assert (again.at, again.pinned, again.bends) == ({"payments": (12.5, -3.0)}, ["payments"], {"a>b": [(1.0, 2.0)]})
    assert PlaceStore(path).places("node/layered").at == {}


def test_a_file_that_makes_no_sense_counts_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    path.write_text('{"pictures": {"service/layered": {"at": {"a": "here"}}}}')
    assert PlaceStore(path).places("service/layered").at == {}


def test_pins_are_taken_off_one_by_one_or_all() -> None:
    places = PlaceStore().places("x")
    for key in "abc":
        places.move(key, (0.0, 0.0))
    places.unpin("b")
    assert places.pinned == ["a", "c"]
    places.unpin()
    assert places.pinned == []
