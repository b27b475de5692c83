"""The start page and the form for a connection."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from conftest import no_check
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app import settings
from app.settings import Connection
from app.start import StartPage
from app.start_form import ConnectionForm, Wanted
from broker.transport.base import CheckResult
from broker.transport.reach import Begun
from broker.transport.url import ConnectionSettings

Show = Callable[[QWidget], QWidget]


@pytest.fixture
def form(shown: Show) -> ConnectionForm:
    made = ConnectionForm(no_check)
    shown(made)
    return made


def write(qtbot: QtBot, edit: QLineEdit, text: str) -> None:
    edit.selectAll()
    qtbot.keyClicks(edit, text)


def test_a_url_fills_the_parts_and_parts_make_the_url(form: ConnectionForm, qtbot: QtBot) -> None:
    write(qtbot, form.url, "rediss://ops@redis.example.org:6380/2")
    assert (form.host.text(), form.port.text(), form.user.text()) == ("redis.example.org", "6380", "ops")
    assert form.tls.isChecked()
    write(qtbot, form.host, "other.example.org")
    form.tls.click()
    assert form.url.text() == "redis://ops@other.example.org:6380/2"


def test_a_password_in_the_url_moves_into_its_own_field_and_is_never_shown(form: ConnectionForm, qtbot: QtBot) -> None:
    form.url.clear()
    qtbot.keyClicks(form.url, "redis://ops:s3cret@h:6379")
    form.password.setFocus()
    form.url.editingFinished.emit()
    assert "s3cret" not in form.url.text()
    assert form.password.echoMode() is QLineEdit.EchoMode.Password
    wanted = form.wanted()
    assert wanted.password == "s3cret"
    assert "s3cret" not in repr(wanted.connection)


@pytest.mark.parametrize(
    ("url", "said"),
    [("nats://h", "redis://"), ("redis://h:99999", "expected a number from 1 to 65535"), ("", "redis://")],
)
def test_what_is_wrong_with_a_url_is_said_and_nothing_is_opened(
    form: ConnectionForm, qtbot: QtBot, url: str, said: str
) -> None:
    form.url.selectAll()
    qtbot.keyClicks(form.url, url or "a")
    if not url:
        qtbot.keyClick(form.url, Qt.Key.Key_Backspace)
    assert said in form._error.text()
    assert not form.open.isEnabled()
    assert not form.test.isEnabled()


def test_namespaces_permission_and_name_are_asked_for(form: ConnectionForm, qtbot: QtBot) -> None:
    qtbot.keyClicks(form.namespaces, "prod, -")
    qtbot.keyClicks(form.name, "shop")
    form.ask.click()
    form.announce.click()
    form.colour.setCurrentIndex(form.colour.findData("failed"))
    with qtbot.waitSignal(form.connect_wanted) as wanted:
        form.open.click()
    connection = wanted.args[0].connection
    assert connection == Connection(
        "redis://localhost:6379", "shop", "ask", announce=True, namespaces=["prod", ""], colour="failed"
    )


def test_a_test_tells_step_by_step_with_its_time_and_what_to_do(shown: Show, qtbot: QtBot) -> None:
    may_go_on = threading.Event()

    async def check(_settings: ConnectionSettings, names: Sequence[str] | None) -> AsyncIterator[Begun | CheckResult]:
        yield Begun("reached", "connecting to h:6379")
        await asyncio.to_thread(may_go_on.wait)
        yield CheckResult("reached", True, f"h:6379 takes connections, {names}")
        yield CheckResult("listening", False, "not allowed", "Allow it.")

    form = ConnectionForm(check)
    shown(form)
    qtbot.keyClicks(form.namespaces, "prod, dev")
    form.test.click()
    qtbot.waitUntil(lambda: form.results.going_on.startswith("… connecting to h:6379"))
    assert form.results.texts() == []
    may_go_on.set()
    qtbot.waitUntil(lambda: form.test.text() == "Test connection" and len(form.results.texts()) == 2)
    assert form.results.texts() == [
        "ok: reached: h:6379 takes connections, ['prod', 'dev']",
        "wrong: listening: not allowed Allow it.",
    ]
    times = [made.text() for made in form.results.findChildren(QLabel) if made.accessibleName().startswith("Time of")]
    assert len(times) == 2
    assert all(time.endswith("s") for time in times)
    assert form.results.summary == "▲ 1 of 2 findings need a look"
    assert form.results.going_on == ""


def test_a_test_that_finds_nothing_wrong_says_so(form: ConnectionForm, qtbot: QtBot) -> None:
    form.test.click()
    qtbot.waitUntil(lambda: form.results.summary == "✓ Ready to connect")


def test_a_test_that_hangs_is_cancelled(shown: Show, qtbot: QtBot) -> None:
    async def check(_settings: ConnectionSettings, _names: Sequence[str] | None) -> AsyncIterator[Begun | CheckResult]:
        yield Begun("login", "logging in")
        await asyncio.sleep(3600)

    form = ConnectionForm(check)
    shown(form)
    form.test.click()
    qtbot.waitUntil(lambda: form.results.going_on == "… logging in")
    run = form._run
    assert form.test.text() == "Cancel test"
    qtbot.keyClick(form, Qt.Key.Key_Escape)
    assert form.test.text() == "Test connection"
    assert form.results.summary == "Cancelled"
    assert run is not None
    qtbot.waitUntil(lambda: not run._thread.is_alive())


def test_a_recent_connection_opens_with_one_click_and_its_kept_password(shown: Show, qtbot: QtBot) -> None:
    kept = settings.load(None)
    kept.remember(Connection("redis://ops@h:6379", "shop-production", has_password=True))
    page = StartPage(kept, no_check)
    shown(page)
    row = page._recent.itemAt(1).widget()
    assert "shop-production" in row.accessibleName()
    with qtbot.waitSignal(page.connect_wanted) as wanted:
        row.click()
    assert wanted.args[0] == Wanted(kept.recent[0], "", keep_password=True)


def test_nothing_opened_before_says_what_can_be_done(shown: Show) -> None:
    page = StartPage(settings.load(None), no_check)
    shown(page)
    texts = [label.text() for label in page.findChildren(type(page.form._error))]
    assert any("The demo starts a shop" in text for text in texts)
