"""What a session is asked to be, by what is wanted and whose rules hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.cli.wire_options import WireOptions
from app.opening import Opening, gather, rules_for, session_options
from app.settings import Connection
from app.wanted import Wanted
from broker.operate.profiles import CIPHER_KEY, HELPER_SECRET, PASSWORD, Profile, Profiles

PRODUCTION = Profile("shop-production", "redis://ops@redis.shop.example:6379", is_production=True, mask_names=("iban",))
OFFICE = Profile(
    "office", "redis://office.example:6379", may="call", announce=True, serializer="CBOR", policy="headers"
)
PROFILES = Profiles((PRODUCTION, OFFICE), ("customer number",))
WIRE = WireOptions(serializer="JSON", cipher_key="of the environment")


def opened(connection: Connection, profile: Profile | None = None) -> Opening:
    wanted = Wanted(connection, profile=profile)
    return Opening(connection, rules_for(wanted, PROFILES))


@pytest.mark.parametrize("may", ["see", "ask", "call", "act"])
def test_production_is_opened_with_see_whatever_is_wanted_and_however_it_is_written(may: str) -> None:
    for url in (PRODUCTION.url, "redis://someone@REDIS.shop.example.:6379/3", "rediss://redis.shop.example:6379"):
        found = session_options(opened(Connection(url, may=may, announce=True)), WIRE, ())
        assert (found.may, found.announce) == ("see", False)


def test_a_server_of_no_profile_is_opened_as_wanted() -> None:
    found = session_options(opened(Connection("redis://h:1", may="act", announce=True)), WIRE, ())
    assert (found.may, found.announce, found.serializer) == ("act", True, "JSON")


def test_a_profile_says_how_packets_are_written_and_what_is_kept_of_them() -> None:
    found = session_options(opened(Connection.of(OFFICE), OFFICE), WIRE, PROFILES.mask_names)
    assert (found.may, found.announce, found.serializer, found.policy) == ("call", True, "CBOR", "headers")
    assert "customer number" in found.mask_names
    assert "password" in found.mask_names


def test_a_bare_url_keeps_no_more_of_payloads_than_the_profile_of_its_server() -> None:
    connection = Connection(OFFICE.url, policy="everything")
    assert session_options(opened(connection), WIRE, ()).policy == "headers"
    assert session_options(opened(Connection("redis://h:1", policy="everything")), WIRE, ()).policy == "everything"


def test_names_of_the_profile_are_masked_also_for_a_bare_url() -> None:
    assert "iban" in session_options(opened(Connection(PRODUCTION.url)), WIRE, ()).mask_names


def test_a_profile_that_became_production_meanwhile_is_opened_as_production() -> None:
    before = replace(OFFICE, may="act")
    now = Profiles((replace(OFFICE, may="see", announce=False, is_production=True),))
    connection = Connection.of(before)
    rules = rules_for(Wanted(connection, profile=before), now)
    assert session_options(Opening(connection, rules), WIRE, ()).may == "see"


def test_what_was_typed_is_used_and_the_helpers_secret_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MESHSCOPE_SECRET", "of the helpers")
    wanted = Wanted(Connection("redis://h:1"), "s3cret", secrets={CIPHER_KEY: "k" * 32})
    found = gather(wanted, None)
    assert found.secrets == {PASSWORD: "s3cret", CIPHER_KEY: "k" * 32, HELPER_SECRET: "of the helpers"}
    assert "s3cret" not in repr(found)
    assert "k" * 32 not in repr(wanted)
    options = session_options(found, WIRE, ())
    assert (options.password, options.cipher_key) == ("s3cret", "k" * 32)
