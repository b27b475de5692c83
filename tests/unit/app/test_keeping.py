"""Variables of a profile: kept in its file, secret ones in the key store, two windows beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.caller.keeping import Keeping
from broker.operate import secrets
from broker.operate.profiles import Profile, ProfileStore


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    made = ProfileStore(tmp_path / "profiles.json")
    made.save(Profile("shop", "redis://10.4.0.7", variables={"order": "4711"}))
    return made


@pytest.fixture
def key_store(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One that takes everything."""
    kept: dict[str, str] = {}

    def write(account: str, secret: str) -> str:
        kept[account] = secret
        return ""

    monkeypatch.setattr(secrets, "write", write)
    monkeypatch.setattr(secrets, "read", lambda account: kept.get(account, ""))
    monkeypatch.setattr(secrets, "remove", lambda account: kept.pop(account, None) is not None)
    return kept


def keeping(store: ProfileStore) -> Keeping:
    return Keeping("shop", profile=store.load().get("shop"), store=store)


def test_two_windows_do_not_take_each_others_secrets_away(store: ProfileStore, key_store: dict[str, str]) -> None:
    one, other = keeping(store), keeping(store)
    assert one.set_secret("token", "abcdef") == ""
    assert other.set_plain({"order": "1", "host": "h"}) == ""
    saved = store.load().get("shop")
    assert saved is not None
    assert (saved.variables, saved.secret_names) == ({"order": "1", "host": "h"}, ("variable token",))
    assert other.values.secret_of("token") == "abcdef"
    assert list(key_store.values()) == ["abcdef"]


def test_no_secret_reaches_the_file_of_profiles(store: ProfileStore, key_store: dict[str, str], tmp_path: Path) -> None:
    keeping(store).set_secret("token", "abcdef")
    assert "abcdef" in key_store.values()
    assert "abcdef" not in (tmp_path / "profiles.json").read_text("utf-8")


def test_an_empty_secret_is_forgotten(store: ProfileStore, key_store: dict[str, str]) -> None:
    one = keeping(store)
    one.set_secret("token", "abcdef")
    one.set_secret("token", "")
    assert (one.secret_names, key_store) == ((), {})


def test_what_the_key_store_does_not_take_is_told_and_not_promised(
    store: ProfileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "write", lambda *_: secrets.NO_STORE)
    one = keeping(store)
    assert one.set_secret("token", "abcdef") == secrets.NO_STORE
    assert one.secret_names == ()


def test_a_secret_that_was_used_is_hidden_wherever_it_comes_back(
    store: ProfileStore, key_store: dict[str, str]
) -> None:
    del key_store
    one = keeping(store)
    one.set_secret("token", "abcdef")
    one.values.secret_of("token")
    assert one.masks.text("it said abcdef") == "it said ***"


def test_without_a_profile_variables_last_as_long_as_the_session() -> None:
    bare = Keeping("redis://h")
    assert bare.set_plain({"order": "1"}) == ""
    assert bare.plain == {"order": "1"}
    assert bare.set_secret("token", "x") == "Secret variables belong to a profile: save this connection as one first."


@pytest.mark.usefixtures("key_store")
def test_a_secret_is_told_to_the_probe_before_it_is_sent(store: ProfileStore) -> None:
    told: list[str] = []
    one = keeping(store)
    one.hide = told.append
    one.set_secret("token", "abcdef")
    assert told == []
    assert one.values.secret_of("token") == "abcdef"
    assert told == ["abcdef"]
