"""Signed commands: taken once, by the one run of a node that they name, while they are fresh."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.agent.signature import (
    MOST_NONCES,
    BreakerCommand,
    Endpoint,
    Nonces,
    Refusal,
    Signed,
    Verifier,
    sign,
    signature_of,
)

SECRET = "sesame"
NOW_MS = 1_730_000_000_000
HOLD = BreakerCommand(
    verb="hold",
    namespace="prod",
    node="shop-1",
    instance="run-7",
    endpoint=Endpoint("bank-1", "bank.transfer"),
    nonce="ab" * 16,
    time_ms=NOW_MS,
    state="open",
    for_ms=300_000,
    reason="die Bank hängt \ud83d",
    by="ann@desk",
)


def verifier(secret: str = SECRET) -> Verifier:
    return Verifier(secret, "prod", "shop-1", "run-7")


def cause(result: BreakerCommand | Refusal) -> str:
    return result.cause if isinstance(result, Refusal) else "taken"


def signed_text(text: str, secret: str = SECRET) -> dict[str, str]:
    return {"command": text, "signature": signature_of(secret, text)}


def test_a_command_is_taken_as_it_was_meant() -> None:
    assert verifier().verify(sign("sesame", HOLD).params(), NOW_MS) == HOLD


def test_the_signature_is_the_hmac_of_the_bytes_that_are_sent() -> None:
    signed = sign("sesame", HOLD)
    assert signed.signature == hmac.new(b"sesame", signed.command.encode(), hashlib.sha256).hexdigest()
    assert json.loads(signed.command)["endpoint"] == {"node": "bank-1", "action": "bank.transfer"}
    assert signed.command.isascii()


def test_nothing_can_be_signed_without_a_secret() -> None:
    with pytest.raises(ValueError, match="set MESHSCOPE_SECRET"):
        sign("", HOLD)


def test_a_command_is_taken_once() -> None:
    here, params = verifier(), sign("sesame", HOLD).params()
    assert [cause(here.verify(params, NOW_MS + late)) for late in (0, 1, 29_999)] == ["taken", "replayed", "replayed"]


@pytest.mark.parametrize(
    ("off_ms", "expected"), [(-30_001, "late"), (-30_000, "taken"), (30_000, "taken"), (30_001, "late")]
)
def test_a_command_is_taken_within_thirty_seconds(off_ms: int, expected: str) -> None:
    assert cause(verifier().verify(sign("sesame", HOLD).params(), NOW_MS + off_ms)) == expected


@given(st.lists(st.integers(0, 40_000), min_size=2, max_size=8), st.integers(-30_000, 30_000))
def test_no_command_is_taken_twice_whenever_it_is_repeated(steps_ms: list[int], off_ms: int) -> None:
    here, now_ms = verifier(), NOW_MS
    params = sign("sesame", replace(HOLD, time_ms=NOW_MS + off_ms)).params()
    causes = [cause(here.verify(params, now_ms))]
    for step_ms in steps_ms:
        now_ms += step_ms
        causes.append(cause(here.verify(params, now_ms)))
    assert causes[0] == "taken"
    assert set(causes[1:]) <= {"replayed", "late"}


@pytest.mark.parametrize("field", ["namespace", "node", "instance"])
def test_a_command_for_somebody_else_is_not_taken(field: str) -> None:
    other = replace(HOLD, **{field: "another"})
    assert cause(verifier().verify(sign("sesame", other).params(), NOW_MS)) == "elsewhere"


def test_a_command_signed_with_another_secret_is_refused() -> None:
    assert cause(verifier().verify(sign("open", HOLD).params(), NOW_MS)) == "signature"


@given(st.data())
def test_every_altered_byte_of_a_command_is_noticed(data: st.DataObject) -> None:
    signed = sign("sesame", HOLD)
    at = data.draw(st.integers(0, len(signed.command) - 1))
    letter = data.draw(st.characters().filter(lambda each: each != signed.command[at]))
    altered = Signed(signed.command[:at] + letter + signed.command[at + 1 :], signed.signature)
    assert cause(verifier().verify(altered.params(), NOW_MS)) == "signature"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (None, "malformed"),
        ([], "malformed"),
        ({}, "malformed"),
        ({"command": {"verb": "trip"}, "signature": "00"}, "malformed"),
        ({"command": "{}"}, "unsigned"),
        ({"command": "{}", "signature": ""}, "unsigned"),
        ({"command": "{}", "signature": 7}, "unsigned"),
        ({"command": "{}", "signature": "ä"}, "signature"),
        ({"command": "x" * 20_000, "signature": "00"}, "malformed"),
        (signed_text("{"), "malformed"),
        (signed_text("[]"), "malformed"),
        (signed_text("[" * 10_000), "malformed"),
        (signed_text("{}"), "malformed"),
    ],
)
def test_what_is_no_command_says_so(params: object, expected: str) -> None:
    assert cause(verifier().verify(params, NOW_MS)) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"verb": "explode"},
        {"verb": ["hold"]},
        {"endpoint": "bank-1:bank.transfer"},
        {"endpoint": {"node": "bank-1"}},
        {"state": "ajar"},
        {"for_ms": True},
        {"for_ms": "300000"},
        {"for_ms": 10**400},
        {"time": float("nan")},
        {"time": None},
        {"nonce": "short"},
        {"nonce": "n" * 1000},
        {"reason": 7},
    ],
)
def test_a_signed_command_with_an_odd_field_is_malformed(change: dict[str, Any]) -> None:
    fields = json.loads(sign("sesame", HOLD).command) | change
    assert cause(verifier().verify(signed_text(json.dumps(fields)), NOW_MS)) == "malformed"


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda each: st.dictionaries(st.text(), each)))
def test_anything_signed_gives_an_answer(value: object) -> None:
    assert cause(verifier().verify(signed_text(json.dumps(value)), NOW_MS)) == "malformed"


def test_a_full_memory_takes_no_more_commands_until_it_forgets() -> None:
    nonces = Nonces({f"{number:032}": NOW_MS for number in range(MOST_NONCES)})
    here = Verifier("sesame", "prod", "shop-1", "run-7", nonces)
    assert cause(here.verify(sign("sesame", HOLD).params(), NOW_MS)) == "late"
    later = replace(HOLD, time_ms=NOW_MS + 60_001)
    assert cause(here.verify(sign("sesame", later).params(), NOW_MS + 60_001)) == "taken"
    assert len(nonces.taken_ms) == 1
