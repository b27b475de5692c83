"""Saved profiles on the start page, as a user meets them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from conftest import no_check
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import PasswordDeleteError
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app import settings
from app.profile_keeper import ProfileKeeper
from app.settings import Connection
from app.start import StartPage
from app.widgets.confirm import ConfirmDialog
from broker.operate.profiles import HELPER_SECRET, PASSWORD, Profile, ProfileStore
from broker.transport.base import CheckResult
from broker.transport.url import ConnectionSettings

PRODUCTION = Profile("shop-production", "redis://ops@redis.shop.example:6379", is_production=True)
STAGING = Profile("shop-staging", "redis://redis.staging.example:6379", colour="slow", may="act")


class MemoryKeyring(KeyringBackend):
    """A key store that keeps what it is given as long as it lives."""

    priority = 9.0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.held.pop(username, None) is None:
            raise PasswordDeleteError(username)


@pytest.fixture
def key_store() -> Iterator[MemoryKeyring]:
    before, made = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def no_key_store() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    made = ProfileStore(tmp_path / "profiles.json")
    made.save(PRODUCTION)
    made.save(STAGING)
    return made


@pytest.fixture
def page(store: ProfileStore, shown: Callable[[QWidget], QWidget]) -> StartPage:
    kept = settings.load(None)
    kept.remember(Connection("redis://h:6379", "of yesterday"))
    made = StartPage(kept, no_check, ProfileKeeper(store))
    shown(made)
    return made


def rows(page: StartPage) -> list[QPushButton]:
    """Rows that open something, from the top."""
    made = (page._recent.itemAt(place).widget() for place in range(page._recent.count()))
    return [widget for widget in made if isinstance(widget, QPushButton)]


def texts(row: QPushButton) -> list[str]:
    return [part.text() for part in row.findChildren(QLabel) if part.text()]


def write(qtbot: QtBot, edit: QLineEdit, text: str) -> None:
    edit.selectAll()
    qtbot.keyClicks(edit, text)


def ask(page: StartPage, qtbot: QtBot) -> ConfirmDialog:
    """The question that stands over the page."""
    qtbot.waitUntil(lambda: page.findChild(ConfirmDialog) is not None)
    found = page.findChild(ConfirmDialog)
    assert found is not None
    return found


def test_profiles_come_before_what_was_opened_before_and_production_is_red_with_a_lock_and_a_word(
    page: StartPage,
) -> None:
    production, staging, recent = rows(page)
    assert texts(production) == ["shop-production", "production · locked", PRODUCTION.url]
    assert production.property("tone") == "failed"
    assert production.accessibleName().startswith("Connect to shop-production, production, sees only")
    assert any(part.accessibleName() == "Production" and part.pixmap() for part in production.findChildren(QLabel))
    assert texts(staging)[:2] == ["shop-staging", "act"]
    assert texts(recent)[0] == "of yesterday"


def test_a_click_opens_a_profile_with_what_is_kept_for_it(page: StartPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.connect_wanted) as wanted:
        rows(page)[0].click()
    assert wanted.args[0].profile == PRODUCTION
    assert wanted.args[0].connection.may == "see"


def test_a_profile_is_saved_with_its_secrets_in_the_key_store_and_nowhere_else(
    page: StartPage, store: ProfileStore, key_store: MemoryKeyring, qtbot: QtBot
) -> None:
    form = page.form
    write(qtbot, form.url, "redis://ops@bank.example:6379")
    assert not form.save.isEnabled()
    assert form.save.toolTip() == "A profile needs a name"
    write(qtbot, form.name, "bank")
    write(qtbot, form.password, "pass-phrase-1")
    form.keep.click()
    form.may.steps["call"].click()
    form.packets.serializer.setCurrentText("MsgPack")
    write(qtbot, form.packets.mask_names, "iban, customer number")
    write(qtbot, form.helper.secret, "helpers-know-this")
    form.save.click()
    qtbot.waitUntil(lambda: "bank is saved." in page.banner.text)
    saved = store.load().get("bank")
    assert saved == Profile(
        "bank",
        "redis://ops@bank.example:6379",
        may="call",
        serializer="MsgPack",
        mask_names=("iban", "customer number"),
        secret_names=saved.secret_names if saved else (),
    )
    assert set(saved.secret_names) == {PASSWORD, HELPER_SECRET}
    assert key_store.held == {
        "redis://ops@bank.example:6379": "pass-phrase-1",
        "bank: helper secret": "helpers-know-this",
    }
    text = store.path.read_text()
    assert "pass-phrase-1" not in text
    assert "helpers-know-this" not in text
    assert form.password.text() == form.helper.secret.text() == ""
    assert form.helper.secret.placeholderText() == "kept in the key store"
    assert any("bank" in texts(row) for row in rows(page))


@pytest.mark.usefixtures("no_key_store")
def test_without_a_key_store_the_profile_is_saved_and_it_is_said_what_is_not(
    page: StartPage, store: ProfileStore, qtbot: QtBot
) -> None:
    write(qtbot, page.form.name, "bank")
    write(qtbot, page.form.helper.secret, "helpers-know-this")
    page.form.save.click()
    qtbot.waitUntil(lambda: "bank is saved. Not kept: helper secret." in page.banner.text)
    assert "This machine has no key store" in page.banner.text
    assert "MESHSCOPE_SECRET" in page.banner.text
    saved = store.load().get("bank")
    assert saved is not None
    assert saved.secret_names == ()
    assert "helpers-know-this" not in store.path.read_text()


def test_a_profile_is_tested_with_the_password_that_is_kept(
    store: ProfileStore, key_store: MemoryKeyring, shown: Callable[[QWidget], QWidget], qtbot: QtBot
) -> None:
    used: list[str] = []

    async def check(given: ConnectionSettings, _names: Sequence[str] | None) -> AsyncIterator[CheckResult]:
        used.append(given.password)
        yield CheckResult("login", True, "logged in")

    kept = Profile("bank", "redis://ops@bank.example:6379", secret_names=(PASSWORD,))
    store.save(kept)
    key_store.held[kept.url] = "pass-phrase-1"
    page = StartPage(settings.load(None), check, ProfileKeeper(store))
    shown(page)
    page.form.edit(kept)
    page.form.test.click()
    qtbot.waitUntil(lambda: page.form.results.summary == "✓ Ready to connect")
    assert used == ["pass-phrase-1"]
    assert page.form.password.text() == ""
    write(qtbot, page.form.url, "redis://ops@elsewhere.example:6379")
    page.form.test.click()
    qtbot.waitUntil(lambda: len(used) == 2)
    assert used[1] == ""
    qtbot.waitUntil(lambda: page.form.results.summary == "✓ Ready to connect")


def test_production_cannot_be_given_more_than_see(page: StartPage, qtbot: QtBot, store: ProfileStore) -> None:
    form = page.form
    write(qtbot, form.name, "till")
    form.may.steps["act"].click()
    form.announce.click()
    form.production.click()
    assert form.may.steps["see"].isChecked()
    for may in ("ask", "call", "act"):
        assert not form.may.steps[may].isEnabled()
        assert "unlock it in the bar" in form.may.steps[may].toolTip()
    assert not form.announce.isEnabled()
    assert not form.announce.isChecked()
    form.save.click()
    qtbot.waitUntil(lambda: store.load().get("till") is not None)
    saved = store.load().get("till")
    assert saved is not None
    assert (saved.is_production, saved.may, saved.announce, saved.tone) == (True, "see", False, "failed")


def test_a_change_is_saved_before_it_is_opened(page: StartPage, store: ProfileStore, qtbot: QtBot) -> None:
    rows(page)[1].findChild(QPushButton).click()
    assert page.form.profile == STAGING
    assert page.form.open.text() == "Connect"
    write(qtbot, page.form.name, "stage")
    assert page.form.open.text() == "Save and connect"
    with qtbot.waitSignal(page.connect_wanted) as wanted:
        page.form.open.click()
    assert wanted.args[0].profile.name == "stage"
    assert [each.name for each in store.load().all] == ["shop-production", "stage"]


def test_a_password_that_is_not_to_be_kept_leaves_the_key_store_and_variables_of_the_caller_stay(
    page: StartPage, store: ProfileStore, key_store: MemoryKeyring, qtbot: QtBot
) -> None:
    kept = Profile("bank", "redis://ops@bank.example:6379", secret_names=(PASSWORD, "variable TOKEN"))
    store.save(kept)
    key_store.held |= {kept.url: "pass-phrase-1", "bank: variable TOKEN": "t0ken-of-bank"}
    page.form.edit(kept)
    store.save(replace(kept, variables={"id": "7"}))
    page.form.keep.click()
    write(qtbot, page.form.name, "bank of tests")
    page.form.save.click()
    qtbot.waitUntil(lambda: store.load().get("bank of tests") is not None)
    saved = store.load().get("bank of tests")
    assert saved == replace(kept, name="bank of tests", variables={"id": "7"}, secret_names=("variable TOKEN",))
    assert key_store.held == {"bank of tests: variable TOKEN": "t0ken-of-bank"}


def test_a_copy_is_another_profile_without_the_secrets(page: StartPage, store: ProfileStore, qtbot: QtBot) -> None:
    rows(page)[0].findChild(QPushButton).click()
    page.form.duplicate.click()
    assert page.form.profile is None
    assert page.form.name.text() == "shop-production 2"
    assert page.form.production.isChecked()
    write(qtbot, page.form.url, "redis://redis2.shop.example:6379")
    page.form.save.click()
    qtbot.waitUntil(lambda: store.load().get("shop-production 2") is not None)
    assert store.load().get("shop-production") == PRODUCTION


def test_production_is_deleted_only_after_its_name_was_typed(
    page: StartPage, store: ProfileStore, qtbot: QtBot
) -> None:
    rows(page)[0].findChild(QPushButton).click()
    page.form.remove.click()
    dialog = ask(page, qtbot)
    assert not dialog.act.isEnabled()
    assert "protected by no profile" in dialog._hits_text.text()
    write(qtbot, dialog.name, "shop-production")
    dialog.act.click()
    qtbot.waitUntil(lambda: store.load().get("shop-production") is None)
    qtbot.waitUntil(lambda: len(rows(page)) == 2)
    assert page.form.profile is None


def test_that_production_is_none_any_more_is_asked_for_with_its_name(
    page: StartPage, store: ProfileStore, qtbot: QtBot
) -> None:
    rows(page)[0].findChild(QPushButton).click()
    page.form.production.click()
    page.form.may.steps["act"].click()
    page.form.save.click()
    dialog = ask(page, qtbot)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert store.load().get("shop-production") == PRODUCTION


def test_a_url_of_a_profile_says_whose_rules_hold(page: StartPage, qtbot: QtBot) -> None:
    write(qtbot, page.form.url, "redis://redis.shop.example:6379")
    assert "This server is production: shop-production." in page.form._belongs.text()
    write(qtbot, page.form.url, "redis://elsewhere.example:6379")
    assert not page.form._belongs.isVisible()


def test_profiles_that_cannot_be_read_are_told_and_not_overwritten(
    tmp_path: Path, shown: Callable[[QWidget], QWidget], qtbot: QtBot
) -> None:
    path = tmp_path / "profiles.json"
    path.write_text("{")
    page = StartPage(settings.load(None), no_check, ProfileKeeper(ProfileStore(path)))
    shown(page)
    assert "cannot be read" in page.banner.text
    write(qtbot, page.form.name, "bank")
    page.form.save.click()
    qtbot.waitUntil(lambda: "Nothing was saved." in page.banner.text)
    assert path.read_text() == "{"
