"""Profiles on the command line: saved, obeyed, and no secret of theirs anywhere but in the key store."""

from __future__ import annotations

import json
from pathlib import Path

import keyring
import keyring.backend
import pytest
from keyring.backends import fail

from app.cli.targets import find_target
from app.cli.wire_options import WireOptions
from broker.operate.profiles import Profile, ProfileStore
from broker.operate.secrets import NO_STORE
from broker.probe.ssh import Machine
from tests.program import Run

SHOP = "redis://ops@redis.shop.example:6379"


class KeyStore(keyring.backend.KeyringBackend):
    """Keeps what it is given for as long as a test runs."""

    priority = 1.0  # type: ignore[assignment]  a property of the class in keyring

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def key_store() -> KeyStore:
    before, made = keyring.get_keyring(), KeyStore()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def no_key_store() -> None:
    """Said by name: left to itself, keyring takes any class of one that it finds, that of this file too."""
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def store() -> ProfileStore:
    return ProfileStore()


def test_a_profile_is_added_listed_shown_and_removed(run: Run, store: ProfileStore) -> None:
    added = run(
        "profiles", "add", "shop", SHOP, "--production", "--namespace", "-", "--namespace", "prod", "--mask", "iban"
    )
    assert added.exit_code == 0, added.output
    shop = Profile("shop", SHOP, is_production=True, namespaces=("", "prod"), mask_names=("iban",))
    assert store.load().all == (shop,)
    assert "see · PRODUCTION" in run("profiles").stdout
    assert json.loads(run("profiles", "list", "--json").stdout)[0]["namespaces"] == ["", "prod"]
    assert json.loads(run("profiles", "show", "shop", "--json").stdout)["is_production"] is True
    assert run("profiles", "show", "shop").stdout.splitlines()[0] == "name              shop"
    assert run("profiles", "add", "shop", SHOP).exit_code == 1
    assert run("profiles", "add", "shop", SHOP, "--may", "ask", "--replace").exit_code == 0
    assert store.load().all == (Profile("shop", SHOP, may="ask"),)
    assert run("profiles", "remove", "shop").exit_code == 0
    assert store.load().all == ()
    assert run("profiles", "remove", "shop").exit_code == 1


def test_what_cannot_be_is_refused_with_its_reason(run: Run, store: ProfileStore) -> None:
    refused = run("profiles", "add", "shop", "redis://u:hunter2@h:1")
    assert (refused.exit_code, "hunter2" in refused.output) == (1, False)
    assert "--secret password" in refused.stderr
    assert run("profiles", "add", "shop", SHOP, "--production", "--may", "act").exit_code == 1
    assert run("profiles", "add", "shop", SHOP, "--secret", "pin").exit_code == 2
    assert run("profiles", "add", "shop", SHOP, "--variable", "x").exit_code == 2
    assert not store.path.exists()


def test_secrets_go_to_the_key_store_and_nowhere_else(run: Run, key_store: KeyStore, home: Path) -> None:
    added = run(
        *("profiles", "add", "shop", SHOP, "--secret", "password", "--secret", "helper", "--secret", "variable:TOKEN"),
        typed="hunter2\nopensesame\nt0ken\n",
    )
    assert added.exit_code == 0, added.output
    assert key_store.kept == {
        ("meshscope", SHOP): "hunter2",
        ("meshscope", "shop: helper secret"): "opensesame",
        ("meshscope", "shop: variable TOKEN"): "t0ken",
    }
    everything = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file()) + added.output.encode()
    assert not [secret for secret in (b"hunter2", b"opensesame", b"t0ken") if secret in everything]
    target = find_target("shop", "see")
    assert (target.password, target.helper_secret()) == ("hunter2", "opensesame")
    run("profiles", "add", "shop", "redis://other:1", "--replace")
    assert key_store.kept["meshscope", "redis://other:1"] == "hunter2"
    run("profiles", "remove", "shop")
    assert key_store.kept == {}


@pytest.mark.usefixtures("no_key_store")
def test_without_a_key_store_a_secret_is_not_kept_and_nothing_is_saved(run: Run, store: ProfileStore) -> None:
    refused = run("profiles", "add", "shop", SHOP, "--secret", "password", typed="hunter2\n")
    assert refused.exit_code == 1
    assert NO_STORE in refused.stderr
    assert not store.path.exists()


def test_names_of_secrets_are_kept_for_all_meshes(run: Run) -> None:
    assert run("profiles", "mask", "--add", "iban", "--add", "tax number").stdout == "iban\ntax number\n"
    assert run("profiles", "mask", "--remove", "iban").exit_code == 0
    assert json.loads(run("profiles", "mask", "--json").stdout) == ["tax number"]
    assert run("profiles", "mask", "--add", "x").exit_code == 1
    assert find_target("redis://h:1", "see").all_mask_names[-1] == "tax number"


def test_a_target_obeys_the_profile_of_its_name_or_place(store: ProfileStore) -> None:
    shop = Profile("shop", SHOP, may="ask", announce=True, namespaces=("prod",), policy="headers", mask_names=("iban",))
    store.save(shop)
    by_name = find_target("shop", "see")
    assert (by_name.url, by_name.namespaces, by_name.profile) == (SHOP, ("prod",), shop)
    assert (by_name.policy, by_name.mask_names, by_name.announce) == ("headers", ("iban",), False)
    assert find_target("shop", "ask").announce
    assert find_target(SHOP, "see").namespaces == ("prod",)
    by_place = find_target("redis://somebody@REDIS.shop.example/2", "see", wire=WireOptions(serializer="CBOR"))
    assert (by_place.profile, by_place.namespaces, by_place.policy) == (shop, (), "headers")
    assert by_place.wire.serializer == "CBOR"
    assert find_target("redis://elsewhere", "act").profile is None


def test_a_locked_profile_refuses_what_was_asked_for_and_listens_otherwise(run: Run, store: ProfileStore) -> None:
    store.save(Profile("shop", "redis://127.0.0.1:1", is_production=True))
    refused = run("nodes", "shop", "--may", "ask")
    assert refused.exit_code == 1
    assert "'shop' is production and locked" in refused.stderr
    assert run("nodes", "redis://localhost:1", "--may", "ask").exit_code == 1
    assert find_target("shop", "ask").may == "see"
    assert find_target("shop", "ask", unlocks=True).may == "ask"
    assert find_target("shop", "ask", unlocks=True).base == "see"


def test_a_window_starts_with_what_its_profile_says(store: ProfileStore) -> None:
    store.save(Profile("shop", SHOP, may="call", announce=True))
    store.save(Profile("live", "redis://live.example:6379", is_production=True))
    for text, may in (("shop", "call"), (SHOP, "call"), ("live", "see"), ("redis://x@redis.shop.example:6379", "see")):
        assert find_target(text, "see", opens_window=True).may == may
    assert find_target("shop", "see", wanted_may="ask", opens_window=True).may == "ask"
    assert find_target("shop", "see").may == "see"


def test_unlocking_to_listen_has_an_end_and_is_written_down(run: Run, store: ProfileStore) -> None:
    store.save(Profile("shop", "redis://127.0.0.1:1", is_production=True))
    assert "lasts 600 s" in run("nodes", "shop", "--unlock", "--duration", "601").stderr
    assert json.loads(run("audit", "list", "--json").stdout) == []
    assert run("nodes", "shop", "--unlock", "--duration", "0.1").exit_code == 1
    (entry,) = json.loads(run("audit", "list", "--json").stdout)
    assert (entry["command"], entry["target"], entry["outcome"]) == ("unlock", "ask", "done")
    assert (entry["profile"], entry["source"], entry["may"]) == ("shop", "command line", "see")


def test_production_is_unlocked_by_its_name_and_not_by_its_url(run: Run, store: ProfileStore) -> None:
    store.save(Profile("shop", "redis://127.0.0.1:1", is_production=True))
    for command in (("nodes", "--duration", "0.1"), ("call", "orders.get", "--confirm", "orders.get")):
        refused = run(command[0], "redis://127.0.0.1:1/2", *command[1:], "--unlock")
        assert refused.exit_code == 1
        assert "To unlock 'shop', which is PRODUCTION, its name is typed, and a URL was." in refused.stderr
        assert "Say shop instead of the URL" in refused.stderr
    assert json.loads(run("audit", "list", "--json").stdout) == []


def test_a_broken_file_of_profiles_opens_nothing(run: Run, store: ProfileStore) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_text("{")
    refused = run("inspect", "redis://127.0.0.1:1", "--duration", "0.1")
    assert refused.exit_code == 1
    assert "cannot be read" in refused.stderr


def test_a_bus_that_only_another_machine_sees_is_looked_at_from_there(store: ProfileStore, run: Run) -> None:
    store.save(Profile("far", "redis://localhost:6379", may="act", ssh="ops@bus-1"))
    assert find_target("far", "see").machine == Machine("bus-1", "ops")
    assert find_target("redis://localhost:6379", "see").machine == Machine("bus-1", "ops")
    assert find_target("redis://localhost:6379/3", "see").machine is None
    refused = run("tail", "far")
    assert (refused.exit_code, "'far' is seen from ops@bus-1" in refused.stderr) == (1, True)
    assert find_target("far", "see", opens_window=True).url == "redis://localhost:6379"
    assert find_target("redis://localhost:7000", "see").profile is None
