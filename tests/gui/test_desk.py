"""The desk: one cursor, one selection, one filter, and a worker that answers."""

from __future__ import annotations

import math
import threading

import pytest
from fake_mesh import FakeMesh
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.desk import Desk
from broker.clock import SECOND
from broker.mesh.filter import parse
from broker.mesh.span import Cursor, Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot, Timeline


def test_a_question_is_answered_on_the_gui_thread_from_a_worker(desk: Desk, qtbot: QtBot) -> None:
    threads: list[tuple[str, str]] = []
    owner = QObject()

    def answer(asked_in: str) -> None:
        threads.append((asked_in, threading.current_thread().name))

    desk.ask(owner, "which", lambda _snapshot: threading.current_thread().name, answer)
    qtbot.waitUntil(lambda: threads == [("questions", threading.main_thread().name)])


def test_the_newest_question_replaces_one_that_still_waits(desk: Desk, qtbot: QtBot) -> None:
    owner, gate, heard, asked = QObject(), threading.Event(), [], []

    def question(number: int) -> int:
        asked.append(number)
        return number

    desk.ask(owner, "gate", lambda _: gate.wait(5), lambda _: None)
    for number in range(5):
        desk.ask(owner, "same", lambda _, number=number: question(number), heard.append)
    desk.ask(owner, "other", lambda _: "other", heard.append)
    gate.set()
    qtbot.waitUntil(lambda: heard == [4, "other"])
    assert asked == [4]


def test_an_answer_is_dropped_when_nobody_waits_for_it_any_more(desk: Desk, qtbot: QtBot) -> None:
    gate, heard = threading.Event(), []
    owner, other = QObject(), QObject()
    desk.ask(owner, "gone", lambda _: gate.wait(5), heard.append)
    owner.deleteLater()
    qtbot.wait(20)
    desk.ask(other, "here", lambda _: "here", heard.append)
    gate.set()
    qtbot.waitUntil(lambda: heard == ["here"])


def test_an_error_in_a_question_reaches_the_hook_and_the_desk_goes_on(desk: Desk, qtbot: QtBot) -> None:
    owner, heard = QObject(), []

    def broken(_snapshot: Snapshot) -> None:
        raise RuntimeError("asked badly")

    with qtbot.captureExceptions() as errors:
        desk.ask(owner, "broken", broken, heard.append)
        qtbot.waitUntil(lambda: bool(errors))
        desk.ask(owner, "fine", lambda _: 1, heard.append)
        qtbot.waitUntil(lambda: heard == [1])
    assert "asked badly" in str(errors[0][1])


def test_it_ticks_when_the_timeline_grows_and_is_still_when_it_does_not(
    desk: Desk, timeline: Timeline, qtbot: QtBot
) -> None:
    mesh = FakeMesh()
    with qtbot.waitSignal(desk.ticked, timeout=2000):
        timeline.take(mesh.batch(1))
    ticks = []
    desk.ticked.connect(lambda: ticks.append(1))
    qtbot.wait(350)
    assert ticks == []


def test_paused_the_picture_stands_still_while_the_timeline_grows(desk: Desk, timeline: Timeline, qtbot: QtBot) -> None:
    mesh = FakeMesh()
    mesh.fill(timeline, 60)
    desk.pause()
    span, ticks = desk.span(), []
    desk.ticked.connect(lambda: ticks.append(1))
    with qtbot.waitSignal(desk.arrived, timeout=2000):
        mesh.fill(timeline, 30)
    assert (desk.span(), ticks) == (span, [])
    desk.follow()
    assert desk.span() == Span(span.from_ns, span.to_ns + 30 * SECOND)


def test_zooming_twice_and_back_twice_ends_where_it_began(desk: Desk, mesh: FakeMesh) -> None:
    begin = desk.cursor
    first = Span(mesh.begin_ns + 10 * SECOND, mesh.begin_ns + 60 * SECOND)
    second = Span(mesh.begin_ns + 20 * SECOND, mesh.begin_ns + 30 * SECOND)
    for span in (first, second):
        desk.zoom(span)
        assert desk.span() == span
    assert desk.zoom_back()
    assert desk.span() == first
    assert desk.zoom_back()
    assert desk.cursor == begin
    assert not desk.zoom_back()


def test_an_empty_zoom_is_refused(desk: Desk, mesh: FakeMesh) -> None:
    before = desk.cursor
    desk.zoom(Span(mesh.begin_ns, mesh.begin_ns))
    assert desk.cursor == before


def test_following_again_gives_back_the_length_before_the_zoom(desk: Desk, mesh: FakeMesh) -> None:
    desk.set_cursor(Cursor(length_ns=900 * SECOND))
    desk.zoom(Span(mesh.begin_ns, mesh.begin_ns + SECOND))
    desk.follow()
    assert desk.cursor == Cursor(length_ns=900 * SECOND)


@pytest.mark.parametrize(
    ("namespace", "wanted", "text"),
    [
        (None, "outcome = failed", "outcome = failed"),
        ("prod", "", 'namespace = "prod"'),
        ("prod", "a or b", 'namespace = "prod" and (a or b)'),
        ("", "", 'namespace = ""'),
    ],
)
def test_views_obey_namespace_and_filter_together(desk: Desk, namespace: str | None, wanted: str, text: str) -> None:
    desk.set_namespace(namespace)
    desk.set_filter(parse(wanted))
    assert (desk.filter.text, desk.wanted.text) == (text, wanted)


def test_the_span_never_begins_before_anything_was_heard(desk: Desk, timeline: Timeline) -> None:
    FakeMesh().fill(timeline, 10)
    assert desk.cursor.length_ns == 300 * SECOND
    assert math.isclose(desk.span().seconds, 10, abs_tol=1)


def test_selecting_the_same_thing_again_tells_nobody(desk: Desk) -> None:
    told = []
    desk.selection_changed.connect(lambda: told.append(desk.selection))
    for _ in range(2):
        desk.select(Subject("node", "prod", "pay-1"))
    desk.select(None)
    assert told == [Subject("node", "prod", "pay-1"), None]


def test_the_body_of_a_frame_that_was_not_kept_is_none(desk: Desk) -> None:
    heard: list[bytes | None] = []
    desk.body(0, heard.append)
    assert heard == [None]


def test_a_body_comes_on_the_gui_thread(desk: Desk, qtbot: QtBot) -> None:
    heard: list[tuple[bytes | None, bool]] = []

    def fetch(number: int, answer: object) -> None:
        threading.Thread(target=lambda: answer(b"%d" % number)).start()

    desk.fetch_body = fetch
    desk.body(7, lambda body: heard.append((body, threading.current_thread() is threading.main_thread())))
    qtbot.waitUntil(lambda: heard == [(b"7", True)])
