"""Groups of the graph, the way between two cards, and breakers on connections, as users act on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_mesh import FakeMesh
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.desk import Desk
from app.graph.places import PlaceStore, use_store
from app.views.graph import GraphView
from app.widgets.canvas.spots import hide_spot
from broker.mesh.subject import Subject
from broker.mesh.timeline import Timeline
from broker.observe.journal import Batch, StateChange
from tests.gui.test_graph import drag, key, on, opened, settled, titles

Show = Callable[[QWidget], QWidget]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def own_places() -> Iterator[None]:
    use_store(PlaceStore())
    yield
    use_store(PlaceStore())


@pytest.fixture
def graph(desk: Desk, mesh: FakeMesh, shown: Show, qtbot: QtBot) -> GraphView:  # noqa: ARG001
    desk.set_reduce_motion(True)
    return opened(desk, shown, qtbot)


def frame(view: GraphView, title: str) -> str:
    return next(key for key in view.canvas.scene.frames if view.canvas.scene.frames[key].title == title)


def group(view: GraphView, value: str, qtbot: QtBot) -> None:
    view.bar.group._pick(value)
    qtbot.waitUntil(lambda: len(view.canvas.scene.frames) > 0, timeout=5000)
    settled(view, qtbot)


def head(view: GraphView, title: str) -> QPoint:
    rect = view.canvas.viewport.transform().mapRect(view.canvas.scene.frames.rects[frame(view, title)])
    return QPoint(round(rect.left()) + 12, round(rect.top()) + 6)


def wait_closed(view: GraphView, title: str, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: title in titles(view), timeout=5000)
    settled(view, qtbot)


def test_grouping_by_node_draws_a_box_around_the_services_of_each(graph: GraphView, qtbot: QtBot) -> None:
    group(graph, "node", qtbot)
    scene = graph.canvas.scene
    inside = {scene.cards[card].title for card in scene.frames.cards_of(frame(graph, "cat-2"))}
    assert inside == {"catalog", "reports"}
    rects = scene.frames.rects
    for name, rect in rects.items():
        assert all(rect.contains(scene.rect_of(card)) for card in scene.frames.cards_of(name))
        assert not [other for other, there in rects.items() if other != name and there.intersects(rect)]
    assert "1 service" in scene.frames[frame(graph, "pay-1")].detail


def test_a_box_closes_to_one_card_with_its_edges_bundled_and_opens_again(graph: GraphView, qtbot: QtBot) -> None:
    group(graph, "node", qtbot)
    button = graph.canvas.viewport.transform().mapRect(graph.canvas.scene.frames.button(frame(graph, "cat-2")))
    qtbot.mouseClick(graph.canvas, LEFT, pos=button.center().toPoint())
    wait_closed(graph, "cat-2", qtbot)
    card = graph.canvas.scene.cards[key(graph, "cat-2")]
    assert (card.shape, card.is_stack) == ("square", True)
    assert "reports" not in titles(graph)
    graph.canvas.setFocus()
    graph.canvas.select(key(graph, "cat-2"))
    QTest.keyClick(graph.canvas, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: "reports" in titles(graph), timeout=5000)


def test_groups_that_are_opened_are_seen_before_there_is_a_layout(graph: GraphView, qtbot: QtBot) -> None:
    group(graph, "node", qtbot)
    graph.toggle_all(is_open=False)
    wait_closed(graph, "cat-2", qtbot)
    settled(graph, qtbot)
    scene, seen = graph.canvas.scene, list[bool]()
    graph._arranger.arranged.connect(lambda *_: seen.append(scene.cards.keys() <= scene.at.keys()))
    graph.toggle_all(is_open=True)
    qtbot.waitUntil(lambda: "reports" in titles(graph), timeout=5000)
    settled(graph, qtbot)
    assert seen == [True, True], "all of it is shown at once, and once more when it is laid out"
    assert len(graph.canvas.scene.frames) > 3


def test_a_card_closes_its_group_with_a_key_and_what_was_closed_is_remembered(
    graph: GraphView, desk: Desk, shown: Show, qtbot: QtBot
) -> None:
    group(graph, "node", qtbot)
    graph.canvas.select(key(graph, "search"))
    QTest.keyClick(graph.canvas, Qt.Key.Key_G)
    wait_closed(graph, "search-1", qtbot)
    assert desk.selection == Subject("node", "prod", "search-1")
    again = opened(desk, shown, qtbot)
    group(again, "node", qtbot)
    assert "search-1" in titles(again)
    assert "search" not in titles(again)


def test_what_is_open_is_remembered_from_one_sitting_to_the_next(
    desk: Desk,
    mesh: FakeMesh,  # noqa: ARG001
    shown: Show,
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    desk.set_reduce_motion(True)
    use_store(PlaceStore(tmp_path / "places.json", desk.disk))
    first = opened(desk, shown, qtbot)
    first.toggle(key(first, "payments"))
    qtbot.waitUntil(lambda: "pay-1" in titles(first), timeout=5000)
    assert desk.disk.finish()
    use_store(PlaceStore(tmp_path / "places.json"))
    second = opened(desk, shown, qtbot)
    assert {"pay-1", "pay-2", "stock"} <= titles(second)
    assert "payments" not in titles(second)


def test_a_service_opens_to_its_instances_from_its_menu(graph: GraphView, qtbot: QtBot) -> None:
    menu = graph.menu_for(key(graph, "v2.orders"))
    action = next(action for action in menu.actions() if action.text().startswith("Open: show the 3 in it"))
    action.trigger()
    qtbot.waitUntil(lambda: {"shop-1", "shop-2", "shop-3"} <= titles(graph), timeout=5000)
    settled(graph, qtbot)
    assert graph.canvas.scene.frames[frame(graph, "v2.orders")].detail == "3 instances"
    closing = graph.menu_for(key(graph, "shop-2"))
    next(action for action in closing.actions() if action.text().startswith("Close group v2.orders")).trigger()
    wait_closed(graph, "v2.orders", qtbot)


def test_the_head_of_a_box_selects_it_and_moves_it_with_all_in_it(graph: GraphView, desk: Desk, qtbot: QtBot) -> None:
    group(graph, "node", qtbot)
    qtbot.mouseClick(graph.canvas, LEFT, pos=head(graph, "cat-2"))
    assert desk.selection == Subject("node", "prod", "cat-2")
    scene = graph.canvas.scene
    before = {card: scene.at[card] for card in scene.frames.cards_of(frame(graph, "cat-2"))}
    begin = head(graph, "cat-2")
    drag(graph.canvas, begin, begin + QPoint(0, 90))
    zoom = graph.canvas.viewport.zoom
    for card, (x, y) in before.items():
        assert scene.at[card] == pytest.approx((x, y + 90 / zoom), abs=1.5)


def test_tab_reaches_boxes_and_they_are_told_in_words(graph: GraphView, qtbot: QtBot) -> None:
    group(graph, "namespace", qtbot)
    graph.canvas.select("")
    graph.canvas.setFocus()
    QTest.keyClick(graph.canvas, Qt.Key.Key_Tab)
    assert graph.canvas.selected == "namespace:prod"
    assert "prod (namespace, open)" in graph.canvas.accessibleDescription()


def test_the_whole_graph_is_exported_with_its_boxes(graph: GraphView, qtbot: QtBot, tmp_path: Path) -> None:
    group(graph, "node", qtbot)
    for kind in ("svg", "png", "dot", "json"):
        path = tmp_path / f"graph.{kind}"
        graph.export_to(path)
        qtbot.waitUntil(lambda path=path: graph._hint_line.text == f"Written to {path}", timeout=10_000)
        assert (tmp_path / f"graph.{kind}").stat().st_size > 1000
    assert 'subgraph "cluster node:prod/cat-2"' in (tmp_path / "graph.dot").read_text()
    assert "cat-2" in (tmp_path / "graph.svg").read_text()


def test_a_cross_at_the_corner_of_a_card_hides_it_and_so_does_a_key(graph: GraphView, qtbot: QtBot) -> None:
    here = on(graph, "mail")
    QTest.mouseMove(graph.canvas, here)
    spot = hide_spot(graph.canvas.scene, graph.canvas.viewport, key(graph, "mail"))
    qtbot.mouseClick(graph.canvas, LEFT, pos=spot.center().toPoint())
    qtbot.waitUntil(lambda: "mail" not in titles(graph), timeout=5000)
    graph.canvas.select(key(graph, "search"))
    QTest.keyClick(graph.canvas, Qt.Key.Key_H)
    qtbot.waitUntil(lambda: "search" not in titles(graph), timeout=5000)
    assert graph.bar.hide_box.text() == "$node or service = mail or service = search"


# the way between two


def ask_path(view: GraphView, begin: str, end: str, qtbot: QtBot) -> None:
    view.canvas.setFocus()
    qtbot.mouseClick(view.canvas, LEFT, pos=on(view, begin))
    qtbot.mouseClick(view.canvas, LEFT, Qt.KeyboardModifier.ControlModifier, pos=on(view, end))
    qtbot.waitUntil(lambda: "way" in view.ways.bar.text, timeout=5000)
    settled(view, qtbot)


def unfaded(view: GraphView) -> set[str]:
    scene = view.canvas.scene
    return {card.title for card in scene.cards.values() if card.key not in scene.faded}


def test_two_chosen_cards_show_the_way_between_them_and_the_rest_is_dimmed(graph: GraphView, qtbot: QtBot) -> None:
    ask_path(graph, "api", "bank", qtbot)
    assert graph.ways.bar.text == "api → bank: 3 hops, 1 way"
    assert unfaded(graph) == {"api", "v2.orders", "payments", "bank"}
    QTest.keyClick(graph.canvas, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not graph.canvas.scene.faded, timeout=5000)
    assert graph.ways.bar.text == ""


def test_all_ways_are_shown_on_request(graph: GraphView, qtbot: QtBot) -> None:
    ask_path(graph, "api", "stock", qtbot)
    assert graph.ways.bar.text == "api → stock: 2 hops, 2 ways"
    assert len(unfaded(graph)) == 3
    qtbot.mouseClick(graph.ways.bar._all, LEFT)
    qtbot.waitUntil(lambda: unfaded(graph) == {"api", "v2.orders", "catalog", "stock"}, timeout=5000)


def test_a_way_is_asked_for_with_the_keyboard_and_against_the_calls_there_is_none(
    graph: GraphView, qtbot: QtBot
) -> None:
    graph.canvas.setFocus()
    graph.canvas.select(key(graph, "bank"))
    QTest.keyClick(graph.canvas, Qt.Key.Key_P)
    assert graph._hint_line.text == "Path from bank: select another card and press P."
    graph.canvas.select(key(graph, "api"))
    QTest.keyClick(graph.canvas, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: "no way" in graph.ways.bar.text, timeout=5000)
    assert graph.ways.bar.text == "bank → api: no way along calls seen in this window"
    qtbot.mouseClick(graph.ways.bar.swap, LEFT)
    qtbot.waitUntil(lambda: graph.ways.bar.text == "api → bank: 3 hops, 1 way", timeout=5000)


def test_an_open_breaker_is_a_sign_on_its_connection_with_word_and_source(
    graph: GraphView, timeline: Timeline, mesh: FakeMesh, qtbot: QtBot
) -> None:
    open_state = {"state": "open", "failures": 8, "count": 10}
    change = StateChange("breaker", "prod", "pay-1|bank.eu-1:bank.transfer", mesh.through_ns, open_state, "event")
    timeline.take(Batch(through_ns=mesh.through_ns + 1, changes=[change]))
    mesh.fill(timeline, 2)
    scene = graph.canvas.scene
    wire = next(
        wire.key
        for wire in scene.wires.values()
        if (wire.source, wire.target) == (key(graph, "payments"), key(graph, "bank")) and not wire.is_event
    )
    qtbot.waitUntil(lambda: scene.wires[wire].barrier == "▬ open", timeout=8000)
    assert scene.wires[wire].barrier_tone == "failed"
    assert graph.canvas.chips[wire] is not None
    words = graph.canvas.words(wire)
    assert "breaker ▬ open since" in words
    assert "pay-1 → bank.eu-1:bank.transfer (told by its event)" in words


def test_what_holds_calls_up_is_said_even_where_labels_find_no_room(
    graph: GraphView, timeline: Timeline, mesh: FakeMesh, qtbot: QtBot
) -> None:
    graph.bar.label._pick("none")
    change = StateChange(
        "breaker", "prod", "shop-1|stock-1:stock.reserve", mesh.through_ns, {"state": "half-open"}, "event"
    )
    timeline.take(Batch(through_ns=mesh.through_ns + 1, changes=[change]))
    mesh.fill(timeline, 2)
    qtbot.waitUntil(lambda: any(wire.barrier for wire in graph.canvas.scene.wires.values()), timeout=8000)
    settled(graph, qtbot)
    assert [graph.canvas.scene.wires[key].text for key in graph.canvas.chips] == ["◐ half-open"]
