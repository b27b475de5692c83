"""Named connections of a program that knew no profiles become profiles, once."""

from __future__ import annotations

from pathlib import Path

from app import settings
from app.profile_file import load_profiles
from app.settings import Connection
from broker.operate.profiles import Profile, Profiles, ProfileStore


def test_named_connections_become_profiles_once(tmp_path: Path) -> None:
    before = settings.load(tmp_path / "window.json")
    for connection in (
        Connection("redis://u@live:1", " shop ", "ask", announce=True, colour="failed", has_password=True),
        Connection("redis://dev:1", "dev", "ask", announce=True, namespaces=["", "dev"], tls_ca="/ca.pem"),
        Connection("redis://nameless:1"),
        Connection("redis://again:1", "dev"),
        Connection("what", "odd"),
    ):
        before.remember(connection)
    before.save()
    assert before.disk.finish()
    store = ProfileStore(tmp_path / "profiles.json")
    dev = Profile("dev", "redis://again:1")
    shop = Profile("shop", "redis://u@live:1", "failed", is_production=True, secret_names=("password",))
    assert load_profiles(store) == Profiles((dev, shop))
    store.remove("dev")
    assert load_profiles(store) == Profiles((shop,))


def test_nothing_named_makes_no_file(tmp_path: Path) -> None:
    store = ProfileStore(tmp_path / "profiles.json")
    assert load_profiles(store) == Profiles()
    assert not store.path.exists()
