"""The graph as its users act on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest
from fake_mesh import FakeMesh
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.desk import Desk
from app.graph.places import PlaceStore, use_store
from app.views.graph import GraphView
from broker.mesh.subject import Subject
from broker.mesh.timeline import Timeline

Show = Callable[[QWidget], QWidget]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def own_places() -> Iterator[None]:
    use_store(PlaceStore())
    yield
    use_store(PlaceStore())


@pytest.fixture
def graph(desk: Desk, mesh: FakeMesh, shown: Show, qtbot: QtBot) -> GraphView:  # noqa: ARG001
    """The shop, laid out and painted; nothing glides, so that places can be compared at once."""
    desk.set_reduce_motion(True)
    return opened(desk, shown, qtbot)


def opened(desk: Desk, shown: Show, qtbot: QtBot) -> GraphView:
    view = GraphView(desk)
    shown(view)
    settled(view, qtbot)
    return view


def settled(view: GraphView, qtbot: QtBot) -> None:
    def is_settled() -> bool:
        scene = view.canvas.scene
        is_placed = bool(scene.cards) and scene.cards.keys() <= scene.at.keys()
        return is_placed and not view._arranger.is_busy and view.canvas.has_sharp_picture

    qtbot.waitUntil(is_settled, timeout=15_000)
    qtbot.waitUntil(lambda: view._desk._worker.is_idle, timeout=5000)


def titles(view: GraphView) -> set[str]:
    return {card.title for card in view.canvas.scene.cards.values()}


def key(view: GraphView, title: str) -> str:
    return next(card.key for card in view.canvas.scene.cards.values() if card.title == title)


def on(view: GraphView, title: str) -> QPoint:
    """Where a card is on the canvas."""
    return view.canvas.viewport.to_screen(*view.canvas.scene.at[key(view, title)]).toPoint()


def wait_for(view: GraphView, qtbot: QtBot, expected: set[str]) -> None:
    qtbot.waitUntil(lambda: titles(view) == expected, timeout=5000)


def drag(
    canvas: QWidget, begin: QPoint, end: QPoint, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    QTest.mousePress(canvas, LEFT, modifiers, begin)
    for share in (0.3, 0.6, 1.0):
        QTest.mouseMove(canvas, begin + (end - begin) * share)
        QApplication.processEvents()
    QTest.mouseRelease(canvas, LEFT, modifiers, end)


SHOP = {"api", "v2.orders", "users", "payments", "bank", "stock", "catalog", "search", "mail", "reports", "edge-admin"}


def test_the_shop_is_shown_with_rates_and_health(graph: GraphView) -> None:
    assert titles(graph) >= SHOP
    cards = {card.title: card for card in graph.canvas.scene.cards.values()}
    assert cards["reports"].is_dashed
    assert "p99" in cards["payments"].detail
    assert cards["payments"].sign
    assert any("payments (service)" in line for line in graph.canvas.shown())


def test_cards_stand_apart_and_callers_left_of_called(graph: GraphView) -> None:
    at = graph.canvas.scene.at
    assert at[key(graph, "api")][0] < at[key(graph, "v2.orders")][0] < at[key(graph, "payments")][0]


def test_a_click_selects_and_a_double_click_drills_in(graph: GraphView, desk: Desk, qtbot: QtBot) -> None:
    led: list[str] = []
    desk.view_wanted.connect(led.append)
    qtbot.mouseClick(graph.canvas, LEFT, pos=on(graph, "stock"))
    assert desk.selection == Subject("service", "prod", "stock")
    qtbot.mouseDClick(graph.canvas, LEFT, pos=on(graph, "bank"))
    assert (desk.selection, led) == (Subject("service", "prod", "bank"), ["latency"])


def test_a_click_on_a_wire_selects_the_calls_along_it(graph: GraphView, desk: Desk, qtbot: QtBot) -> None:
    scene = graph.canvas.scene
    wire = next(
        w for w in scene.wires.values() if w.source == key(graph, "payments") and w.target == key(graph, "bank")
    )
    curve = scene.routes[wire.key].curves[0]
    middle = graph.canvas.viewport.to_screen((curve[0] + curve[6]) / 2, (curve[1] + curve[7]) / 2)
    qtbot.mouseClick(graph.canvas, LEFT, pos=middle.toPoint())
    assert desk.selection == Subject("edge", "prod", "payments", "bank")


def test_what_is_selected_elsewhere_is_marked_here(graph: GraphView, desk: Desk) -> None:
    desk.select(Subject("action", "prod", "payments.charge"))
    assert graph.canvas.selected == key(graph, "payments")
    assert "payments" in graph.canvas.accessibleDescription()
    desk.select(None)
    assert graph.canvas.selected == ""


def test_new_figures_move_nothing(graph: GraphView, timeline: Timeline, mesh: FakeMesh, qtbot: QtBot) -> None:
    before = dict(graph.canvas.scene.at)
    detail = {card.key: card.detail for card in graph.canvas.scene.cards.values()}
    mesh.fill(timeline, 60)
    qtbot.waitUntil(
        lambda: {card.key: card.detail for card in graph.canvas.scene.cards.values()} != detail, timeout=8000
    )
    known = {key: point for key, point in graph.canvas.scene.at.items() if key in before}
    assert known == before


def test_a_dragged_card_stays_where_it_was_put_in_the_next_sitting_too(
    graph: GraphView, desk: Desk, shown: Show, qtbot: QtBot, tmp_path: Path
) -> None:
    store = PlaceStore(tmp_path / "shop.json", desk.disk)
    use_store(store)
    graph._pick_layout("layered")
    settled(graph, qtbot)
    begin = on(graph, "mail")
    drag(graph.canvas, begin, begin + QPoint(37, -61))
    there = graph.canvas.scene.at[key(graph, "mail")]
    graph._arranger.lay_out()
    settled(graph, qtbot)
    assert graph.canvas.scene.at[key(graph, "mail")] == there
    graph._arranger.stop()
    assert desk.disk.finish()
    use_store(PlaceStore(tmp_path / "shop.json"))
    again = opened(desk, shown, qtbot)
    assert again.canvas.scene.at[key(again, "mail")] == pytest.approx(there)


def test_find_highlights_and_fades_the_rest(graph: GraphView, qtbot: QtBot) -> None:
    graph.bar.find_box.setText("service = payments")
    qtbot.keyClick(graph.bar.find_box, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(graph.canvas.scene.found), timeout=5000)
    assert graph.canvas.scene.found == {key(graph, "payments")}
    assert key(graph, "api") in graph.canvas.scene.faded
    assert titles(graph) >= SHOP


def test_hide_takes_out_and_says_what_it_does_not_understand(graph: GraphView, qtbot: QtBot) -> None:
    graph.bar.hide_box.set_text("service = payments or service = bank")
    qtbot.waitUntil(lambda: not titles(graph) & {"payments", "bank"}, timeout=5000)
    graph.bar.hide_box.set_text("service = = bank")
    assert graph.bar.message.startswith("▲ Hide: ")
    assert "payments" not in titles(graph)
    graph.bar.hide_box.set_text("")
    qtbot.waitUntil(lambda: "payments" in titles(graph), timeout=5000)
    assert graph.bar.message == ""


def test_find_completes_names_of_fields(graph: GraphView, qtbot: QtBot) -> None:
    box = graph.bar.find_box
    box.setFocus()
    qtbot.keyClicks(box, "serv")
    words = [p.text for p in box._proposals]
    assert any(word.startswith("service") for word in words)
    box._popup.hide()


def test_the_menu_of_a_card_focuses_hides_copies_and_leads_on(graph: GraphView, qtbot: QtBot) -> None:
    menu = graph.menu_for(key(graph, "payments"))
    actions = {action.text().partition("\t")[0]: action for action in menu.actions()}
    actions["Copy name"].trigger()
    assert QApplication.clipboard().text() == "payments"
    actions["Focus here, 1 hop"].trigger()
    qtbot.waitUntil(lambda: "catalog" not in titles(graph), timeout=5000)
    assert titles(graph) >= {"payments", "bank", "v2.orders"}
    assert graph.bar.focus.text_shown == "payments · 1 hop"
    graph._pick_focus("off")
    qtbot.waitUntil(lambda: "catalog" in titles(graph), timeout=5000)
    actions["Hide this"].trigger()
    qtbot.waitUntil(lambda: "payments" not in titles(graph), timeout=5000)
    assert "payments" in graph.bar.hide_box.text()


def test_focus_goes_against_or_along_the_calls(graph: GraphView, qtbot: QtBot) -> None:
    graph.canvas.select(key(graph, "payments"))
    graph._pick_focus("1:callers")
    qtbot.waitUntil(lambda: "bank" not in titles(graph), timeout=5000)
    assert "v2.orders" in titles(graph)
    graph._pick_focus("3:callees")
    qtbot.waitUntil(lambda: "bank" in titles(graph), timeout=5000)


def test_grouping_by_node_shows_nodes_once_they_are_closed(graph: GraphView, qtbot: QtBot) -> None:
    graph.bar.group._pick("node")
    graph.bar.group._pick("close")
    qtbot.waitUntil(lambda: {"pay-1", "shop-1", "api-2"} <= titles(graph), timeout=5000)
    settled(graph, qtbot)
    assert all(card.shape == "square" for card in graph.canvas.scene.cards.values())


def test_labels_can_be_chosen(graph: GraphView, qtbot: QtBot) -> None:
    def labels() -> set[str]:
        return {wire.label for wire in graph.canvas.scene.wires.values() if wire.label}

    assert all("ms" in label or " s" in label or "%" in label for label in labels())
    graph.bar.label._pick("rate")
    qtbot.waitUntil(lambda: all(label.endswith("/s") for label in labels()), timeout=5000)
    graph.bar.label._pick("none")
    qtbot.waitUntil(lambda: not labels(), timeout=5000)


@pytest.mark.parametrize("kind", ["force", "concentric", "grid"])
def test_other_layouts_are_there_on_request(graph: GraphView, qtbot: QtBot, kind: str) -> None:
    before = dict(graph.canvas.scene.at)
    graph.bar.layout_chip._pick(kind)
    qtbot.waitUntil(lambda: graph.canvas.scene.at != before, timeout=8000)
    settled(graph, qtbot)
    graph.bar.layout_chip._pick("layered")
    qtbot.waitUntil(lambda: graph.canvas.scene.at == before, timeout=8000)


def test_labels_lie_on_no_card(graph: GraphView) -> None:
    scene = graph.canvas.scene
    assert graph.canvas.chips
    for chip in graph.canvas.chips.values():
        for card in scene.cards:
            rect = scene.rect_of(card)
            is_beside = chip.x + chip.width / 2 <= rect.left() or chip.x - chip.width / 2 >= rect.right()
            assert is_beside or abs(chip.y - rect.center().y()) > rect.height() / 2


def test_the_wheel_zooms_and_f_fits(graph: GraphView, qtbot: QtBot) -> None:
    canvas, home = graph.canvas, graph.canvas.viewport
    at = QPointF(300, 300)
    wheel = QWheelEvent(
        at, canvas.mapToGlobal(at), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, wheel)
    assert canvas.viewport.zoom > home.zoom
    qtbot.keyClick(canvas, Qt.Key.Key_F)
    assert canvas.viewport == home
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.viewport.zoom > home.zoom
    qtbot.keyClick(canvas, Qt.Key.Key_Minus)
    assert canvas.viewport.zoom == pytest.approx(home.zoom)


def test_a_drag_pans_and_with_shift_zooms_to_a_box(graph: GraphView) -> None:
    canvas = graph.canvas
    before = canvas.viewport
    drag(canvas, QPoint(20, 20), QPoint(70, 50))
    assert (before.x - canvas.viewport.x) * before.zoom == pytest.approx(50)
    zoom = canvas.viewport.zoom
    drag(canvas, QPoint(300, 200), QPoint(500, 330), Qt.KeyboardModifier.ShiftModifier)
    assert canvas.viewport.zoom > zoom


def test_keys_go_from_card_to_card(graph: GraphView, desk: Desk, qtbot: QtBot) -> None:
    canvas, led = graph.canvas, []
    desk.view_wanted.connect(led.append)
    desk.select(Subject("service", "prod", "payments"))
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert desk.selection == Subject("service", "prod", "bank")
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert led == ["latency"]
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert desk.selection is None
    canvas.setFocus()
    seen = set()
    for _ in canvas.scene.cards:
        qtbot.keyClick(canvas, Qt.Key.Key_Tab)
        seen.add(canvas.selected)
    assert seen == set(canvas.scene.cards)


def test_dots_run_until_they_are_switched_off_or_nobody_looks(graph: GraphView, desk: Desk, qtbot: QtBot) -> None:
    canvas = graph.canvas
    assert not canvas.is_moving
    desk.set_reduce_motion(False)
    assert canvas.is_moving
    qtbot.mouseClick(graph.bar.dots, LEFT)
    assert not canvas.is_moving
    qtbot.mouseClick(graph.bar.dots, LEFT)
    assert canvas.is_moving
    desk.set_reduce_motion(True)
    assert not canvas.is_moving
    desk.set_reduce_motion(False)
    assert canvas.is_moving
    graph.hide()
    assert not canvas.is_moving
    graph.show()
    assert canvas.is_moving


def test_the_table_says_the_same_and_selects_the_same(graph: GraphView, desk: Desk, qtbot: QtBot) -> None:
    qtbot.mouseClick(graph.bar.table, LEFT)
    texts = graph.table.table.texts()
    assert {row[1] for row in texts if row[0] == "service"} >= SHOP - {"edge-admin"}
    row = next(n for n, cells in enumerate(texts) if cells[:3] == ["calls", "payments", "bank"])
    graph.table.table.selectRow(row)
    assert desk.selection == Subject("edge", "prod", "payments", "bank")
    qtbot.mouseClick(graph.bar.table, LEFT)
    assert graph._stack.currentWidget() is graph.canvas


def test_the_whole_graph_can_be_written_in_four_ways(graph: GraphView, tmp_path: Path, qtbot: QtBot) -> None:
    graph.canvas.zoom_by(3.0)  # what is on screen does not matter
    for kind in ("svg", "png", "dot", "json"):
        path = tmp_path / f"graph.{kind}"
        graph.export_to(path)
        qtbot.waitUntil(lambda path=path: graph._hint_line.text == f"Written to {path}", timeout=10_000)
    text = "".join(ET.parse(tmp_path / "graph.svg").getroot().itertext())  # noqa: S314  our own file
    assert all(title in text for title in SHOP)
    image = QImage(str(tmp_path / "graph.png"))
    assert image.width() > 2 * graph.canvas.scene.bounds().width()
    assert "digraph" in (tmp_path / "graph.dot").read_text()
    document = json.loads((tmp_path / "graph.json").read_text())
    assert {node["title"] for node in document["nodes"]} >= SHOP


def test_an_export_that_cannot_be_written_says_why(graph: GraphView, tmp_path: Path, qtbot: QtBot) -> None:
    graph.export_to(tmp_path / "no" / "graph.svg")
    qtbot.waitUntil(lambda: graph._hint_line.text.startswith("Not exported: "), timeout=5000)
    graph.export_to(tmp_path / "graph.gif")
    assert "expected .svg, .png, .dot or .json" in graph._hint_line.text


def test_an_empty_graph_says_why_and_what_to_do(desk: Desk, shown: Show, qtbot: QtBot) -> None:
    view = GraphView(desk)
    shown(view)
    qtbot.waitUntil(lambda: view._shown is not None, timeout=5000)
    assert view._stack.currentWidget() is view.empty
    assert view.empty.text.startswith("Nothing heard yet")


def test_a_graph_that_is_all_hidden_offers_to_show_it(graph: GraphView, qtbot: QtBot) -> None:
    graph.bar.hide_box.set_text("service ~ * or node ~ *")
    qtbot.waitUntil(lambda: graph._stack.currentWidget() is graph.empty, timeout=5000)
    graph._show_everything()
    qtbot.waitUntil(lambda: graph._stack.currentWidget() is graph.canvas, timeout=5000)


def test_the_layout_process_ends_with_its_view(desk: Desk, mesh: FakeMesh, qtbot: QtBot) -> None:  # noqa: ARG001
    graph = GraphView(desk)  # not of the fixture, which would close it again
    graph.show()
    settled(graph, qtbot)
    graph._arranger.lay_out()
    process = graph._arranger._layouter._process
    assert process is not None
    qtbot.waitUntil(lambda: process.processId() > 0, timeout=3000)
    pid = process.processId()
    graph.close()
    graph.deleteLater()
    qtbot.waitUntil(lambda: not psutil.pid_exists(pid), timeout=5000)


def test_a_layout_process_that_dies_leaves_a_graph_all_the_same(
    desk: Desk,
    mesh: FakeMesh,  # noqa: ARG001
    shown: Show,
    qtbot: QtBot,
    caplog: pytest.LogCaptureFixture,
) -> None:
    view = GraphView(desk)
    view._arranger._layouter._command = ["/bin/false"]
    shown(view)
    settled(view, qtbot)
    assert titles(view) >= SHOP
    assert "the layout process ended" in caplog.text
    caplog.clear()
