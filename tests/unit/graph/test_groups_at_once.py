"""Many groups: they are told apart quickly, and seen before there is a layout."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.graph.grouped import _overlapping
from app.graph.meanwhile import meanwhile
from app.widgets.canvas.items import CARD_HEIGHT as H
from app.widgets.canvas.items import CARD_WIDTH as W
from app.widgets.canvas.items import FRAME_SIDE, FRAME_TOP

Rect = tuple[float, float, float, float]
PLACES = st.tuples(st.integers(-60, 60), st.integers(-60, 60), st.integers(1, 40), st.integers(1, 40))


@given(st.lists(PLACES, max_size=25))
def test_blocks_that_overlap_are_all_found_without_comparing_all(blocks: list[tuple[int, int, int, int]]) -> None:
    rows = np.array(blocks, np.float64).reshape(-1, 4)
    points, sizes = rows[:, :2], rows[:, 2:]
    one, other = _overlapping(points, sizes)
    found = {tuple(sorted(pair)) for pair in zip(one.tolist(), other.tolist(), strict=True)}
    expected = {
        (a, b)
        for a, b in combinations(range(len(blocks)), 2)
        if (np.abs(points[a] - points[b]) < (sizes[a] + sizes[b]) / 2).all()
    }
    assert found == expected


def frame(at: dict[str, tuple[float, float]], members: list[str]) -> Rect:
    xs, ys = [at[key][0] for key in members], [at[key][1] for key in members]
    left, top = min(xs) - W / 2 - FRAME_SIDE, min(ys) - H / 2 - FRAME_TOP
    return left, top, max(xs) + W / 2 + FRAME_SIDE, max(ys) + H / 2 + FRAME_SIDE


def apart(one: Rect, other: Rect) -> bool:
    return one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]


@given(st.lists(st.integers(1, 9), min_size=2, max_size=12), st.integers(0, 5))
def test_groups_that_were_all_opened_stand_apart_until_there_is_a_layout(sizes: list[int], alone: int) -> None:
    groups = {f"g{n}": [f"g{n}-{i}" for i in range(size)] for n, size in enumerate(sizes)}
    boxes = [key for members in groups.values() for key in members] + [f"a{n}" for n in range(alone)]
    frames = {key: group for group, members in groups.items() for key in members}
    known = {group: (n % 3 * 300.0, n // 3 * 120.0) for n, group in enumerate(groups)}
    at = meanwhile(boxes, frames, known, {}, W, H)
    assert at.keys() == set(boxes)
    rects = [frame(at, members) for members in groups.values()]
    cards = [(x - W / 2, y - H / 2, x + W / 2, y + H / 2) for key, (x, y) in at.items() if key not in frames]
    assert all(apart(one, other) for one, other in combinations([*rects, *cards], 2))


def test_a_group_that_is_opened_stands_around_the_card_that_it_was_and_all_others_stay() -> None:
    known = {"a": (0.0, 0.0), "b": (300.0, 0.0), "c": (0.0, 200.0), "g": (600.0, 100.0)}
    at = meanwhile(["a", "b", "c", "x", "y"], {"x": "g", "y": "g"}, known, {}, W, H)
    assert [at[key] for key in "abc"] == [known[key] for key in "abc"]
    left, top, right, bottom = frame(at, ["x", "y"])
    assert ((left + right) / 2, (top + bottom) / 2) == (600.0, 100.0)


def test_a_group_that_is_closed_stands_where_its_cards_stood() -> None:
    known = {"a": (0.0, 0.0), "b": (300.0, 0.0), "x": (500.0, 50.0), "y": (700.0, 150.0)}
    at = meanwhile(["a", "b", "g"], {}, known, {"x": "g", "y": "g"}, W, H)
    assert at == {"a": (0.0, 0.0), "b": (300.0, 0.0), "g": (600.0, 100.0)}
