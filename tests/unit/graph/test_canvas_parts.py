"""Parts of the canvas that need no window: ways, scenes, views, dots, steering."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF

from app.widgets.canvas.dots import Dots, dots_for, seconds_across
from app.widgets.canvas.items import CARD_HEIGHT, CARD_WIDTH, Card, Wire
from app.widgets.canvas.routes import route_wires, sampled
from app.widgets.canvas.scene import Content, Scene
from app.widgets.canvas.steering import in_reading_order, next_card
from app.widgets.canvas.viewport import Viewport

W, H = CARD_WIDTH, CARD_HEIGHT


def scene_of(at: dict[str, tuple[float, float]], *calls: str) -> Scene:
    scene = Scene()
    wires = [Wire(call, *call.split(">"), calls_per_s=5.0, seconds=0.01) for call in calls]
    scene.show(Content([Card(key, key) for key in at], wires))
    scene.place(at, {})
    return scene


SQUARE = scene_of({"a": (0, 0), "b": (400, 0), "c": (0, 200), "d": (400, 200)}, "a>b", "a>d", "c>d", "d>c")


def test_a_wire_leaves_at_the_right_and_arrives_at_the_left() -> None:
    route = SQUARE.routes["a>b"]
    first, last = route.curves[0], route.curves[-1]
    assert (first[0], last[6]) == (W / 2, 400 - W / 2)
    assert not route.has_arrow


def test_a_wire_that_runs_back_has_an_arrow() -> None:
    route = SQUARE.routes["d>c"]
    assert (route.curves[0][0], route.curves[-1][6]) == (400 - W / 2, W / 2)
    assert route.has_arrow


def test_wires_at_one_side_do_not_begin_at_one_point_nor_cross_there() -> None:
    to_b, to_d = (SQUARE.routes[key].curves[0][1] for key in ("a>b", "a>d"))
    assert to_b < to_d


def test_a_wire_between_cards_of_one_column_is_upright() -> None:
    route = scene_of({"a": (0, 0), "b": (10, 200)}, "a>b").routes["a>b"]
    assert (route.curves[0][1], route.curves[-1][7]) == (H / 2, 200 - H / 2)


def test_a_bend_is_passed_straight_for_the_width_of_a_card() -> None:
    wires = [Wire("w", "a", "b")]
    routes = route_wires(wires, {"a": (0, 0), "b": (800, 0)}, {"w": [(400.0, 90.0)]}, W, H)
    ways = sampled([routes["w"]], 201)[0]
    beside = ways[np.abs(ways[:, 0] - 400) < W / 2]
    assert beside[:, 1] == pytest.approx(90.0)


def test_thousands_of_wires_run_from_middle_to_middle_and_their_boxes_hold_them() -> None:
    chance = np.random.default_rng(3)
    at = {f"s{n}": (float(x), float(y)) for n, (x, y) in enumerate(chance.uniform(-5e3, 5e3, (40, 2)))}
    wires = [Wire(f"{a}>{b}", f"s{a}", f"s{b}") for a in range(40) for b in range(40) if a != b]
    scene = Scene()
    scene.show(Content([Card(key, key) for key in at], wires))
    scene.place(at, {})
    assert scene.is_crowded
    assert list(scene.routes) == [wire.key for wire in wires]
    assert "nobody" not in scene.routes
    assert scene.wires_in(QRectF(-1e5, -1e5, 2e5, 2e5)) == list(scene.routes)
    for wire in wires:
        curve = scene.routes[wire.key].curves[0]
        assert (curve[:2], curve[6:]) == (at[wire.source], at[wire.target])
        left, top, right, bottom = scene.routes[wire.key].box
        assert wire.key in scene.wires_in(QRectF(left, top, right - left, bottom - top))
    ways = sampled(list(scene.routes.values()), 12)
    begin, end = ways[:, :1], ways[:, -1:]
    along = (end - begin) / np.linalg.norm(end - begin, axis=2, keepdims=True)
    away = ways - begin
    off = along[..., 0] * away[..., 1] - along[..., 1] * away[..., 0]
    assert (off[:, 1:-1] < 0).all(), "bent to the left of where they go, so that there and back are two lines"


def test_a_card_that_calls_itself_has_a_loop() -> None:
    left, _, right, bottom = scene_of({"a": (0, 0)}, "a>a").routes["a>a"].box
    assert bottom <= -H / 2 < bottom + 1
    assert -W / 2 < left < right < W / 2


def test_points_on_a_way_are_equally_far_apart() -> None:
    ways = sampled(list(SQUARE.routes.values()), 20)
    steps = np.hypot(*np.moveaxis(np.diff(ways, axis=1), 2, 0))
    assert ways.shape == (4, 20, 2)
    assert steps.max(1) == pytest.approx(steps.min(1), rel=0.1)


def test_cards_and_wires_are_found_where_they_are() -> None:
    assert SQUARE.card_at(QPointF(W / 2 - 2, 20)) == "a"
    assert SQUARE.card_at(QPointF(W / 2 + 8, 20)) == ""
    assert SQUARE.wire_at(QPointF(200, -3), 5.0) == "a>b"
    assert SQUARE.wire_at(QPointF(200, -60), 5.0) == ""
    assert SQUARE.cards_in(QRectF(-10, -10, 20, 300)) == ["a", "c"]


def test_only_what_looks_different_counts_as_changed() -> None:
    scene = scene_of({"a": (0, 0), "b": (400, 0)}, "a>b")
    cards, wire = list(scene.cards.values()), scene.wires["a>b"]
    faster = Wire("a>b", "a", "b", calls_per_s=7.0, seconds=0.02)
    assert scene.show(Content(cards, [faster])) == (False, set(), set(), set(), set(), False)
    change = scene.show(Content([Card("a", "a", "58/s"), Card("b", "b", tone="failed")], [faster]))
    assert (change.cards, change.far_cards) == ({"a", "b"}, {"b"})
    assert scene.show(Content(cards, [])).is_other
    assert scene.show(Content(cards, [wire])).is_other


def test_zooming_leaves_what_is_under_the_mouse_where_it_is() -> None:
    view = Viewport(800, 600, 10, 20, 1.0)
    at = QPointF(600, 100)
    before = view.to_plane(at)
    after = view.zoomed(1.7, at).to_plane(at)
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()))


def test_a_fitted_view_shows_all_of_it() -> None:
    box = QRectF(-300, 40, 900, 200)
    assert Viewport(800, 600).fitted(box).rect.contains(box)


def test_more_calls_have_more_dots_but_never_too_many() -> None:
    assert [dots_for(rate, 1000.0) for rate in (0, 0.1, 10, 1000, 1e9)] == [0, 1, 3, 6, 7]
    assert dots_for(1000, 60.0) == 1


def test_fast_calls_run_fast() -> None:
    times = [seconds_across(seconds) for seconds in (0.001, 0.01, 0.1, 1.0, 3.0, 60.0)]
    assert times == sorted(times)
    assert times[-1] == times[-2]


def test_dots_go_on_where_they_are_when_figures_change() -> None:
    dots = Dots()
    dots.set_wires(SQUARE, SQUARE.wires.values())
    dots.advance(0.5)
    before = dots.points(Viewport(2000, 2000))[0].tolist()
    dots.set_wires(SQUARE, SQUARE.wires.values())
    assert dots.points(Viewport(2000, 2000))[0].tolist() == before
    dots.advance(0.1)
    assert dots.points(Viewport(2000, 2000))[0].tolist() != before


def test_failures_run_as_diamonds() -> None:
    scene = scene_of({"a": (0, 0), "b": (400, 0)}, "a>b")
    dots = Dots()
    dots.set_wires(scene, [Wire("a>b", "a", "b", calls_per_s=50.0, failures_per_s=25.0)])
    calls, failures = dots.points(Viewport(2000, 2000))
    assert len(calls) == len(failures) == 2


def test_nothing_runs_behind_a_card() -> None:
    scene = scene_of({"a": (0, 0), "between": (400, 0), "b": (800, 0)}, "a>b")
    dots = Dots()
    dots.set_wires(scene, scene.wires.values())
    for _ in range(200):
        dots.advance(0.05)
        x = dots.points(Viewport(4000, 4000))[0][:, 0] - 2000
        assert not ((x > 400 - W / 2 + 12) & (x < 400 + W / 2 - 12)).any()


def test_arrows_go_to_the_neighbour_in_their_direction() -> None:
    assert next_card(SQUARE, "a", "right") == "b"
    assert next_card(SQUARE, "d", "left") == "c"
    assert next_card(SQUARE, "a", "down") == "c"
    assert next_card(SQUARE, "a", "up") == ""


def test_tab_goes_column_by_column() -> None:
    assert in_reading_order(SQUARE) == ["a", "c", "b", "d"]
