"""Saved connections: what is kept, which one a URL must obey, and that a broken file is no permission."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.operate.profiles import Profile, Profiles, ProfilesError, ProfileStore

PRODUCTION = Profile(
    "shop-production",
    "rediss://ops@redis.shop.example:6380",
    is_production=True,
    namespaces=("", "prod"),
    policy="headers",
    mask_names=("iban",),
    variables={"ORDER": "17"},
    secret_names=("password", "variable TOKEN"),
)
LOCAL = Profile("laptop", "redis://localhost:6379", may="act", announce=True, colour="ok")


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    return ProfileStore(tmp_path / "config" / "profiles.json")


def test_what_is_saved_is_loaded_again(store: ProfileStore) -> None:
    assert store.load() == Profiles()
    store.save(PRODUCTION)
    store.save(LOCAL)
    store.set_mask_names(("iban", "tax number"))
    assert ProfileStore(store.path).load() == Profiles((PRODUCTION, LOCAL), ("iban", "tax number"))


def test_the_file_is_its_users_alone(store: ProfileStore) -> None:
    store.save(LOCAL)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    assert sorted(each.name for each in store.path.parent.iterdir()) == ["profiles.json", "profiles.lock"]


def test_a_profile_takes_the_place_of_the_one_it_replaces(store: ProfileStore) -> None:
    store.save(LOCAL)
    store.save(PRODUCTION)
    renamed = replace(LOCAL, name="mine", may="see", announce=False)
    assert store.save(renamed, replaces="laptop").all == (renamed, PRODUCTION)
    with pytest.raises(ProfilesError, match="There is a profile 'mine' already"):
        store.save(replace(PRODUCTION, name="mine"), replaces="shop-production")
    assert store.remove("mine").all == (PRODUCTION,)
    with pytest.raises(ProfilesError, match="There is no profile 'mine'"):
        store.remove("mine")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://redis.shop.example:6380", "shop-production"),
        ("redis://other:pw@REDIS.shop.example.:6380/3", "shop-production"),
        ("redis+cluster://a:1,redis.shop.example:6380", "shop-production"),
        ("redis://redis.shop.example:6379", ""),
        ("redis://localhost", "laptop"),
        ("redis://127.0.0.1:6379", "laptop"),
        ("redis://[::1]:6379", "laptop"),
        ("redis://127.0.0.1:6380", ""),
    ],
)
def test_a_url_obeys_the_profile_of_its_host_and_port(url: str, name: str) -> None:
    found = Profiles((PRODUCTION, LOCAL)).of_url(url)
    assert (found.name if found else "") == name


def test_of_several_at_one_place_the_strictest_is_obeyed() -> None:
    asks = Profile("asks", "redis://h:1", may="ask")
    sees = Profile("sees", "redis://h:1")
    live = Profile("live", "redis://h:1", is_production=True)
    assert Profiles((asks, sees)).of_url("redis://h:1") == sees
    assert Profiles((asks, live, sees)).of_url("redis://h:1") == live


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": " "}, "name is ' '"),
        ({"name": "redis://h"}, "expected a word or some, and no URL"),
        ({"name": "a\x1bb"}, "cannot be shown"),
        ({"url": "http://h"}, "no bus that is known"),
        ({"url": "redis://u:hunter2@h"}, "url holds a password, expected it in the key store"),
        ({"may": "all"}, "may is 'all'"),
        ({"policy": "some"}, "policy is 'some'"),
        ({"colour": "pink"}, "colour is 'pink'"),
        ({"compression": "zip"}, "compression is 'zip'"),
        ({"is_production": True, "may": "call"}, "may is 'call' in production, expected 'see'"),
        ({"announce": True}, "announce is set with the permission 'see'"),
        ({"mask_names": ("id",)}, "at least 3 letters"),
    ],
)
def test_a_profile_that_cannot_be_says_why(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        replace(Profile("x", "redis://h:1"), **change)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "\ud83d",
        '{"format": 2, "profiles": []}',
        '{"format": 1, "profiles": {}}',
        '{"format": 1, "profiles": [3]}',
        '{"format": 1, "profiles": [{}]}',
        '{"format": 1, "profiles": [{"name": "a"}]}',
        '{"format": 1, "profiles": [{"name": "a", "url": "redis://h", "is_production": "yes"}]}',
        '{"format": 1, "profiles": [{"name": "a", "url": "redis://h", "may": "everything"}]}',
        '{"format": 1, "profiles": [{"name": "a", "url": "redis://h", "namespaces": "prod"}]}',
        '{"format": 1, "profiles": [{"name": "a", "url": "redis://h", "variables": {"a": 1}}]}',
        '{"format": 1, "profiles": [{"name": "a", "url": "redis://h"}, {"name": "a", "url": "redis://i"}]}',
        '{"format": 1, "profiles": [], "mask_names": ["x"]}',
    ],
)
def test_a_broken_file_is_told_of_and_never_overwritten(store: ProfileStore, text: str) -> None:
    store.path.parent.mkdir()
    written = text.encode("utf-8", "surrogatepass")
    store.path.write_bytes(written)
    with pytest.raises(ProfilesError, match="cannot be read"):
        store.load()
    with pytest.raises(ProfilesError):
        store.save(LOCAL)
    assert store.path.read_bytes() == written


def test_what_a_newer_program_added_is_left_out(store: ProfileStore) -> None:
    store.save(LOCAL)
    kept = json.loads(store.path.read_text())
    kept["profiles"][0]["sound"] = "bell"
    store.path.write_text(json.dumps(kept))
    assert store.load().all == (LOCAL,)


def test_a_folder_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProfilesError, match="cannot be kept"):
        ProfileStore(tmp_path / "file" / "profiles.json").save(LOCAL)


def test_production_is_red_whatever_colour_it_has() -> None:
    assert PRODUCTION.colour == "accent"
    assert PRODUCTION.tone == "failed"
    assert LOCAL.tone == "ok"
