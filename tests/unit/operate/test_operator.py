"""The one way to act: two steps, two lines, sent once, and nothing sent that is not written down."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from broker.clock import SECOND, ManualClock
from broker.operate.audit import Audit, Entry
from broker.operate.commands import (
    HELPER_COMMAND,
    Answer,
    AskBreakers,
    Broadcast,
    Call,
    Command,
    Emit,
    Lock,
    Report,
    TargetReport,
    Unlock,
)
from broker.operate.operator import NOT_CONFIRMED, UNKNOWN_MESSAGE, Act, Confirmation, Operator, RefusedError
from broker.operate.profiles import Profile

PRODUCTION = Profile("shop-production", "redis://ops@h:1", is_production=True)
STAGING = Profile("staging", "redis://h:2", may="act")
CALL = Call("prod", "orders.get", params='{"id": 5, "password": "hunter2"}', node_id="shop-1", retries=2)
YES = Confirmation(given=True)


class Bench:
    """An operator with its audit, and a bus that notes what was sent."""

    def __init__(self, folder: Path, profile: Profile | None, *, is_window: bool = True) -> None:
        self.clock = ManualClock(1000 * SECOND)
        self.audit = Audit(folder / "audit.jsonl")
        self.operator = Operator(
            self.audit,
            self.clock,
            url="redis://h:1",
            base=profile.may if profile else "act",
            profile=profile,
            source="window" if is_window else "command line",
        )
        self.sent: list[Command] = []
        self.answer = Report("done", answer=Answer("shop-1", 12.34, 56))

    def act(self, command: Command, confirmation: Confirmation = NOT_CONFIRMED, name: str = "") -> Report:
        async def do(sent: Command) -> Report:
            self.sent.append(sent)
            return self.answer

        return asyncio.run(self.operator.act(command, do, confirmation, name))

    def entries(self) -> list[Entry]:
        return list(self.audit.read().entries)


def test_an_act_is_sent_once_between_two_lines(tmp_path: Path) -> None:
    bench = Bench(tmp_path, STAGING)
    assert bench.act(CALL).outcome == "done"
    assert bench.sent == [CALL]
    (entry,) = bench.entries()
    assert entry.before
    assert entry.after
    assert (entry.before.profile, entry.before.command, entry.before.target) == (
        "staging",
        "call",
        "orders.get on shop-1",
    )
    assert (entry.before.at_ns, entry.before.url, entry.before.may) == (1000 * SECOND, "redis://h:1", "act")
    assert (entry.before.confirm, entry.before.source) == ("none", "window")
    assert "@" in entry.before.who
    assert entry.before.details == 'params {"id": 5, "password": "***"} · 2 retries'
    assert entry.after.message == "shop-1 answered in 12.3 ms, 56 bytes"
    assert b"hunter2" not in bench.audit.path.read_bytes()


def test_where_payloads_are_not_kept_they_are_not_written_down_either(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Profile("x", "redis://h:1", may="call", policy="headers"))
    bench.act(CALL)
    (entry,) = bench.entries()
    assert entry.before
    assert entry.before.details == "2 retries"


def test_a_locked_profile_sends_nothing_and_writes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, PRODUCTION)
    report = bench.act(CALL, Confirmation(given=True, typed="orders.get"))
    assert report.outcome == "refused"
    assert "'shop-production' is production and locked" in report.message
    assert bench.sent == bench.entries() == []


def test_unlocking_ends_at_its_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, PRODUCTION)
    bench.operator.learn("act", bench.clock.now_ns() + 600 * SECOND)
    assert bench.operator.may == "act"
    assert bench.act(CALL, YES).outcome == "done"
    bench.clock.at_ns += 600 * SECOND
    assert bench.operator.may == "see"
    assert bench.act(CALL, YES).outcome == "refused"
    assert len(bench.sent) == 1


def test_locking_again_ends_it_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, PRODUCTION)
    bench.operator.learn("act", bench.clock.now_ns() + 600 * SECOND)
    bench.operator.learn("see", 0)
    assert bench.operator.unlocked is None
    assert not bench.operator.check(CALL).allowed


@pytest.mark.parametrize(
    ("confirmation", "outcome"),
    [
        (Confirmation(), "refused"),
        (Confirmation(given=True), "refused"),
        (Confirmation(given=True, typed="cache.Clean"), "refused"),
        (Confirmation(typed="cache.clean"), "refused"),
        (Confirmation(given=True, typed="cache.clean"), "done"),
    ],
)
def test_in_production_what_is_dangerous_wants_its_name_typed(
    tmp_path: Path, confirmation: Confirmation, outcome: str
) -> None:
    bench = Bench(tmp_path, PRODUCTION)
    bench.operator.learn("act", bench.clock.now_ns() + SECOND)
    assert bench.act(Broadcast("prod", "cache.clean"), confirmation).outcome == outcome
    assert len(bench.sent) == len(bench.entries()) == (outcome == "done")


@pytest.mark.parametrize("confirmation", [Confirmation(), YES])
def test_elsewhere_what_is_dangerous_wants_a_second_step(tmp_path: Path, confirmation: Confirmation) -> None:
    bench = Bench(tmp_path, STAGING)
    assert (bench.act(Broadcast("", "x"), confirmation).outcome == "done") == confirmation.given


def test_a_bare_url_on_the_command_line_wants_none(tmp_path: Path) -> None:
    assert Bench(tmp_path, None, is_window=False).act(Broadcast("", "x")).outcome == "done"
    assert Bench(tmp_path, None).act(Broadcast("", "x")).outcome == "refused"


def test_a_name_that_people_know_is_typed_for_what_it_stands_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, PRODUCTION)
    bench.operator.learn("act", bench.clock.now_ns() + SECOND)
    command = Call("prod", HELPER_COMMAND, params='{"command": "{}"}', node_id="shop-1")
    assert bench.act(command, Confirmation(given=True, typed="shop-1"), "bank").outcome == "refused"
    assert bench.act(command, Confirmation(given=True, typed="bank"), "bank").outcome == "done"


def test_a_breakers_command_is_written_down_without_its_signature(tmp_path: Path) -> None:
    inside = {
        "verb": "hold",
        "node": "shop-1",
        "endpoint": {"node": "bank-1", "action": "bank.transfer"},
        "state": "open",
        "for_ms": 300_000,
        "reason": "bank is down, token=abc",
        "nonce": "beef",
    }
    bench = Bench(tmp_path, STAGING)
    params = json.dumps({"command": json.dumps(inside), "signature": "feed"})
    bench.act(Call("prod", HELPER_COMMAND, params=params, node_id="shop-1"), YES)
    (entry,) = bench.entries()
    assert entry.before
    assert (entry.before.command, entry.before.target) == ("hold", "bank-1:bank.transfer seen by shop-1")
    assert entry.before.details == "open · for 300 s · reason: bank is down, token=***"
    assert not {b"feed", b"beef"} & set(bench.audit.path.read_bytes().split(b'"'))


def test_what_a_helper_refused_is_not_written_down_as_done(tmp_path: Path) -> None:
    bench = Bench(tmp_path, STAGING)
    said = {"outcome": "refused", "cause": "signature", "message": "not that of this command"}
    bench.answer = Report("done", "shop-1 answered in 1 ms.", answer=Answer("shop-1", 1.0, 56, data=json.dumps(said)))
    inside = {"verb": "reset", "endpoint": {"node": "bank-1", "action": "bank.transfer"}, "for_ms": 0}
    params = json.dumps({"command": json.dumps(inside), "signature": "feed"})
    bench.act(Call("prod", HELPER_COMMAND, params=params, node_id="shop-1"), YES)
    (entry,) = bench.entries()
    assert entry.before
    assert entry.after
    assert entry.before.details == ""
    assert (entry.after.outcome, entry.after.message) == (
        "refused",
        "signature: not that of this command. The secret there is another one than ours.",
    )


def test_without_its_line_nothing_is_sent(tmp_path: Path) -> None:
    bench = Bench(tmp_path, STAGING)
    bench.audit.path.mkdir()
    report = bench.act(CALL)
    assert report.outcome == "refused"
    assert "cannot be written" in report.message
    assert "free some space" in report.message
    assert bench.sent == []


def test_one_may_always_lock(tmp_path: Path) -> None:
    bench = Bench(tmp_path, PRODUCTION)
    bench.audit.path.mkdir()
    assert bench.act(Lock()).outcome == "done"
    assert bench.act(Unlock("act"), Confirmation(given=True, typed=PRODUCTION.name)).outcome == "refused"
    assert bench.sent == [Lock()]


@pytest.mark.parametrize("is_window", [True, False], ids=["window", "command line"])
def test_production_is_not_unlocked_by_whoever_forgets_to_ask_for_its_name(tmp_path: Path, *, is_window: bool) -> None:
    bench = Bench(tmp_path, PRODUCTION, is_window=is_window)
    for step in (NOT_CONFIRMED, YES, Confirmation(given=True, typed="shop"), Confirmation(typed=PRODUCTION.name)):
        report = bench.act(Unlock("act"), step)
        assert report.outcome == "refused"
        assert f"This needs the name '{PRODUCTION.name}' typed to confirm it" in report.message
    assert bench.sent == []
    assert bench.act(Unlock("act"), Confirmation(given=True, typed=PRODUCTION.name)).outcome == "done"
    assert bench.sent == [Unlock("act")]


def test_a_lost_second_line_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, STAGING)
    begun = bench.operator.begin(CALL)
    bench.audit.path.unlink()
    bench.audit.path.mkdir()
    report = bench.operator.end(begun, Report("done"))
    assert report.outcome == "done"
    assert report.advice == "The outcome could not be written into the audit log."


def test_what_breaks_off_is_unknown_and_written_down(tmp_path: Path) -> None:
    bench = Bench(tmp_path, STAGING)

    async def breaks_off(_: Command) -> Report:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(bench.operator.act(Emit("", "x"), breaks_off))
    (entry,) = bench.entries()
    assert (entry.outcome, entry.message) == ("unknown", UNKNOWN_MESSAGE)


def test_an_act_ends_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, STAGING)
    begun = bench.operator.begin(CALL)
    bench.operator.end(begun, Report("unknown"))
    bench.operator.end(begun, Report("done"))
    (entry,) = bench.entries()
    assert entry.outcome == "unknown"


def test_asking_for_breakers_again_and_again_is_not_written_down(tmp_path: Path) -> None:
    bench = Bench(tmp_path, STAGING)
    assert bench.operator.begin(AskBreakers("prod")) == Act("", AskBreakers("prod"))
    assert bench.act(AskBreakers("prod")).outcome == "done"
    assert bench.entries() == []


def test_what_a_report_says_is_masked_there_and_in_the_audit(tmp_path: Path) -> None:
    bench = Bench(tmp_path, STAGING)
    bench.answer = Report(
        "failed", "redis://u:hunter2@h said no", targets=(TargetReport("a", "failed", "token=hunter2"),)
    )
    report = bench.act(CALL)
    assert "hunter2" not in repr(report)
    assert b"hunter2" not in bench.audit.path.read_bytes()
    (entry,) = bench.entries()
    assert entry.after
    assert entry.after.targets == ({"target": "a", "outcome": "failed", "message": "token=***"},)


def test_a_refusal_carries_its_report(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as raised:
        Bench(tmp_path, PRODUCTION).operator.begin(CALL)
    assert raised.value.report.outcome == "refused"
