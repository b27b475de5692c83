"""Secrets planted everywhere are nowhere in what the window shows, copies, keeps and tells of its own bugs."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before any Qt is imported

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.bugs import catch_bugs
from app.caller.copy_menu import copy_menu
from app.caller.request_panel import RequestPanel
from app.views.caller import CallerView
from broker.mesh.calls import recent
from broker.mesh.filter import parse
from broker.mesh.subject import Subject
from broker.operate import log_masks
from broker.operate.calling.captured import Template
from broker.operate.calling.request import Request
from broker.operate.profiles import Profile, ProfileStore
from tests.e2e.planted import META, NS, PARAMS, SECRETS, VISIBLE, VaultMesh, contents, leaks, leaks_of_everything
from tests.e2e.redis_server import RedisServer, free_port
from tests.e2e.screen import Screen

pytestmark = pytest.mark.alone


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[VaultMesh]:
    server = RedisServer(tmp_path, free_port(), password=SECRETS["bus"])
    server.start()
    made = VaultMesh(server.url, NS)
    try:
        made.start()
        yield made
        made.stop()
    finally:
        server.stop()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    log_masks.install()
    caplog.set_level(logging.DEBUG)
    yield caplog
    log_masks.uninstall()


def shown(widget: QWidget) -> Iterator[str]:
    """Every text in a widget, and what it says to a mouse that rests on it; but for what its user types."""
    for each in (widget, *widget.findChildren(QWidget)):
        if _is_typed(each):
            continue
        yield each.toolTip()
        yield each.accessibleName()
        match each:
            case QLabel() | QLineEdit() | QAbstractButton():
                yield each.text()
            case QPlainTextEdit() | QTextEdit():
                yield each.toPlainText()
            case QAbstractItemView() if each.model() is not None:
                yield from cells(each.model(), QModelIndex())


def _is_typed(widget: QWidget | None) -> bool:
    """Whether it is part of what a user writes to be sent."""
    while widget is not None:
        if isinstance(widget, RequestPanel):
            return True
        widget = widget.parentWidget()
    return False


def cells(model: QAbstractItemModel, parent: QModelIndex) -> Iterator[str]:
    for row in range(model.rowCount(parent)):
        for column in range(model.columnCount(parent)):
            index = model.index(row, column, parent)
            yield str(index.data(Qt.ItemDataRole.DisplayRole))
            yield str(index.data(Qt.ItemDataRole.ToolTipRole))
        yield from cells(model, model.index(row, 0, parent))


def test_nothing_secret_is_shown_copied_kept_or_told(
    qtbot: QtBot, mesh: VaultMesh, home: Path, monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MESHSCOPE_SECRET", SECRETS["helper"])
    place = f"redis://{mesh.url.rpartition('@')[2]}"
    store = ProfileStore()
    store.save(Profile("vault", place, may="act", policy="everything", namespaces=(NS,)))
    store.set_mask_names(("iban",))
    screen = Screen(qtbot, keeps=True)
    texts: list[str] = []
    try:
        screen.open(place, may="act", namespace=NS, password=SECRETS["bus"])
        screen.wait_for(lambda: bool(screen.shell.desk.snapshot.tally.packets))
        texts += look_around(screen)
        texts += call(screen, "vault.open")
        texts += call(screen, "vault.refuse")
        texts += call(screen, "$node.options")
        texts += look_around(screen)
        texts += bug(screen)
        kept = list(contents(home))
    finally:
        screen.close()
    kept += contents(home)
    found = leaks("window", [text.encode("utf-8", "replace") for text in texts])
    found += leaks("log", [logged.text.encode()])
    for file, octets in kept:
        is_capture = file.suffix == ".mcap"
        found += leaks_of_everything(file.name, octets) if is_capture else leaks(file.name, [octets])
    assert not found, "\n".join(found)
    assert any(VISIBLE in text for text in texts)
    assert any(VISIBLE.encode() in octets for file, octets in kept if file.suffix != ".mcap")


def look_around(screen: Screen) -> list[str]:
    """Every view, and the side panel about one of each kind, with the bodies of a call."""
    texts = []
    for view_id in screen.shell.rail.buttons:
        screen.choose(view_id)
        QApplication.processEvents()
        texts += shown(screen.window)
    desk = screen.shell.desk
    for subject in (
        Subject("node", NS, "desk-1"),
        Subject("service", NS, "vault"),
        Subject("action", NS, "vault.open"),
        Subject("event", NS, "vault.opened"),
    ):
        desk.select(subject)
        screen.wait_for(lambda name=subject.name: any(name in text for text in shown(screen.shell.side)))
        texts += shown(screen.shell.side)
    return texts + bodies(screen)


def bodies(screen: Screen) -> list[str]:
    """What both packets carried of the newest call of each action; this profile keeps them as they came."""
    desk, side = screen.shell.desk, screen.shell.side
    texts = []
    for action in ("vault.open", "vault.refuse"):
        wanted = parse(f'action = "{action}"')
        newest = recent(desk.snapshot, desk.span(), filter=wanted, limit=1)[0]
        subject = Subject("call", NS, action, address=newest.address)
        desk.select(subject)
        screen.wait_for(lambda subject=subject: side._facts is not None and side._facts.subject == subject)
        for made in side._body_buttons:
            side._body.clear()
            made.click()
            screen.wait_for(lambda: bool(side._body.toPlainText()))
            texts.append(side._body.toPlainText())
    assert any(VISIBLE in text for text in texts)
    return texts


def call(screen: Screen, action: str) -> list[str]:
    """A call from the caller: what is shown of it, and its copies."""
    request = Request("call", action, NS, "desk-1", json.dumps(PARAMS), json.dumps(META))
    screen.shell.desk.use_template(Template(request))
    view = screen.view("caller")
    assert isinstance(view, CallerView)
    screen.wait_for(lambda: view.isVisible() and view.request.send.isEnabled())
    view.send()
    screen.wait_for(lambda: view.answer.shown is not None and view.answer.shown.request.name == action)
    texts = list(shown(view))
    for made in view.findChildren(QAbstractButton):
        if "opy" in (made.text() + made.accessibleName() + made.toolTip()) and not _is_typed(made) and made.isVisible():
            made.click()
            texts.append(QGuiApplication.clipboard().text())
    menu = copy_menu(view, request, screen.shell.desk.keeping, texts.append)
    for one in menu.actions():
        one.trigger()
        texts.append(QGuiApplication.clipboard().text())
    assert any(action in text for text in texts)
    return texts


def bug(screen: Screen) -> list[str]:
    """What a dialog tells of a bug whose words hold secrets."""
    catch_bugs(screen.window)
    sys.excepthook(ValueError, ValueError(f"{mesh_words()} is odd"), None)
    box = screen.window.findChild(QMessageBox)
    assert box is not None
    texts = [box.text(), box.informativeText(), box.detailedText()]
    assert "is odd" in texts[1]
    box.close()
    return texts


def mesh_words() -> str:
    return (
        f"redis://:{SECRETS['bus']}@h {SECRETS['helper']} password={SECRETS['params']} {{'token': '{SECRETS['deep']}'}}"
    )
