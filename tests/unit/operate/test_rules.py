"""Who may do what, and what has to be confirmed: every permission by every profile by every command."""

from __future__ import annotations

import itertools
import json

import pytest

from broker.operate.acts import act_name
from broker.operate.commands import (
    COMMANDS,
    HELPER_BREAKERS,
    HELPER_COMMAND,
    AskBreakers,
    AskOnce,
    Bench,
    Broadcast,
    Call,
    Cancel,
    Command,
    Emit,
    Hide,
    Lock,
    Record,
    StopRecording,
    Unlock,
)
from broker.operate.permissions import PERMISSIONS, Permission
from broker.operate.profiles import Profile
from broker.operate.rules import Verdict, may_now, start_permission, verdict

PRODUCTION = Profile("shop-production", "redis://prod.example:6379", is_production=True)
STAGING = Profile("staging", "redis://staging.example:6379", may="call")
SIGNED = json.dumps(
    {
        "command": json.dumps({"verb": "hold", "endpoint": {"node": "bank-1", "action": "bank.transfer"}}),
        "signature": "x",
    }
)
CASES: dict[str, tuple[Command, Permission, str]] = {
    "ask once": (AskOnce(), "ask", ""),
    "ask breakers": (AskBreakers("prod"), "ask", ""),
    "ask a node": (Call("prod", "$node.options", node_id="shop-1"), "ask", "$node.options"),
    "ask a helper": (Call("prod", HELPER_BREAKERS), "ask", HELPER_BREAKERS),
    "record": (Record("a.mcap"), "see", ""),
    "stop recording": (StopRecording(), "see", ""),
    "cancel": (Cancel(3), "see", ""),
    "unlock": (Unlock("act"), "see", ""),
    "lock": (Lock(), "see", ""),
    "hide": (Hide(("s3cret",)), "see", ""),
    "call": (Call("prod", "v2.orders.get"), "call", "v2.orders.get"),
    "emit": (Emit("prod", "order.created"), "call", "order.created"),
    "broadcast": (Broadcast("prod", "cache.clean"), "act", "cache.clean"),
    "bench": (Bench(Call("prod", "math.add"), count=3), "act", "math.add"),
    "set a breaker": (Call("prod", HELPER_COMMAND, params=SIGNED), "act", "bank.transfer"),
}
SAYS_ITSELF = {
    "ask once",
    "ask breakers",
    "ask a node",
    "ask a helper",
    "record",
    "stop recording",
    "cancel",
    "lock",
    "hide",
}


def test_every_command_there_is_is_judged_here() -> None:
    assert {type(command) for command, _, _ in CASES.values()} == set(COMMANDS.values())


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("profile", [None, STAGING, PRODUCTION], ids=["bare", "staging", "production"])
def test_what_is_allowed_and_how_it_is_confirmed(profile: Profile | None, case: str) -> None:
    for base, unlocked, in_window in itertools.product(PERMISSIONS, (None, *PERMISSIONS), (True, False)):
        command, needs, name = CASES[case]
        found = verdict(profile, base, unlocked, command, in_window=in_window)
        may = max(PERMISSIONS.index(base), PERMISSIONS.index(unlocked) if unlocked else 0)
        assert found.name == (profile.name if case == "unlock" and profile is not None else name)
        assert found.allowed == (may >= PERMISSIONS.index(needs))
        assert bool(found.why) != found.allowed
        if not found.allowed:
            assert found.confirm == ""
            assert f"may only {PERMISSIONS[may]}" in found.why
            assert ("nlock it" in found.why) == (profile is not None)
        else:
            assert found.confirm == expected_step(profile, case, needs, in_window=in_window)


def expected_step(profile: Profile | None, case: str, needs: Permission, *, in_window: bool) -> str:
    """As the issue says it."""
    if case in SAYS_ITSELF:
        return ""
    if case == "unlock":
        return "type" if profile is PRODUCTION else "ask"
    if profile is PRODUCTION:
        return "type" if needs == "act" else "ask"
    if needs == "act":
        return "ask" if profile or in_window else ""
    return ""


def test_a_name_that_people_know_goes_before_what_is_sent_to() -> None:
    command = CASES["set a breaker"][0]
    assert verdict(PRODUCTION, "see", "act", command, name="bank").name == "bank"


def test_what_is_unlocked_is_the_profile_and_no_caller_can_say_otherwise() -> None:
    for in_window in (True, False):
        found = verdict(PRODUCTION, "see", None, Unlock("act"), in_window=in_window, name="something else")
        assert found == Verdict(True, "", "type", "shop-production")


def test_a_refusal_says_what_to_do() -> None:
    call = CASES["call"][0]
    assert verdict(PRODUCTION, "see", None, call) == Verdict(
        False,
        "'shop-production' is production and locked: it may only see, and this needs call. "
        "Unlock it first: the lock in the bar, or --unlock on the command line.",
        "",
        "v2.orders.get",
    )
    assert verdict(None, "ask", None, call).why == (
        "This session may only ask, and this needs call. Connect again with the permission to call."
    )


@pytest.mark.parametrize("wanted", PERMISSIONS)
def test_a_session_never_starts_with_more_than_its_profile_says(wanted: Permission) -> None:
    assert start_permission(None, wanted) == wanted
    assert start_permission(PRODUCTION, wanted) == "see"
    assert start_permission(STAGING, wanted) == ("call" if wanted == "act" else wanted)


def test_unlocking_never_takes_away() -> None:
    assert may_now("call", "ask") == "call"
    assert may_now("see", None) == "see"


@pytest.mark.parametrize("params", ["", "{", "[]", '{"command": 3}', '{"command": "[1]"}', '{"command": "{}"}'])
def test_a_breakers_command_that_cannot_be_read_is_named_by_its_node(params: str) -> None:
    assert act_name(Call("prod", HELPER_COMMAND, params=params, node_id="shop-1")) == "shop-1"
