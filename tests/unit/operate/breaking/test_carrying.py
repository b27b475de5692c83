"""A plan carried out: each target once, signed when it is sent, one row each, and what takes it back."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from broker.agent.signature import BreakerCommand, Endpoint, Verifier
from broker.clock import MILLISECOND, SECOND
from broker.operate.breaking.carrying import AT_ONCE, Carrying, carry_out
from broker.operate.breaking.known import BreakerFact, HelperFact, HoldFact
from broker.operate.breaking.plan import Plan, Step
from broker.operate.breaking.signing import Signer
from broker.operate.breaking.undo import undo
from broker.operate.breaking.wish import Scope, Wish
from broker.operate.commands import Answer, Call, Report
from tests.timers import settle

NOW_NS = 1_730_000_000 * SECOND
PAY = Endpoint("pay-1", "payments.charge")
WISH = Wish("hold", "prod", Scope(node_id="pay-1", action="payments.charge"), "open", 300.0, "slow", "ann@desk")


def step(node_id: str, **changes: Any) -> Step:
    made = Step(HelperFact(node_id, f"run of {node_id}", skew_ms=0.0), PAY, "hold", "open", 300.0, reason="slow")
    return replace(made, **changes)


def carrying(*steps: Step) -> Carrying:
    nonces = (f"{number:032x}" for number in itertools.count())
    return Carrying(Plan(WISH, steps), Signer("sesame", "prod", "ann@desk", lambda: next(nonces)))


def answered(outcome: str, cause: str = "", message: str = "", hold: str = "") -> Report:
    said = {"outcome": outcome, "cause": cause, "message": message, "breaker": {"hold": {"id": hold}} if hold else None}
    return Report("done", answer=Answer("shop-1", data=json.dumps(said)))


def failed_with(name: str) -> Report:
    return Report("failed", answer=Answer("shop-1", error={"name": name, "message": "no such node"}))


ANSWERS = {
    "shop-1": answered("done", message="held open for 300 s", hold="h1"),
    "shop-2": answered("refused", "signature", "the signature is not that of this command"),
    "shop-3": failed_with("ServiceNotFoundError"),
    "shop-4": Report("unknown"),
}


def test_every_step_is_signed_for_its_helper_by_its_clock_at_the_moment_it_is_sent() -> None:
    made = carrying(step("shop-1", helper=HelperFact("shop-1", "run-7", skew_ms=-45_000.0)))
    numbered = made.next_call(NOW_NS)
    assert numbered is not None
    call = numbered[1]
    assert (call.action, call.node_id, call.namespace, call.retries) == ("$meshscope.command", "shop-1", "prod", 0)
    assert (call.needs, "sesame" in repr(call) + call.params) == ("act", False)
    there = Verifier("sesame", "prod", "shop-1", "run-7")
    command = there.verify(json.loads(call.params), NOW_NS // MILLISECOND - 45_000)
    assert isinstance(command, BreakerCommand)
    assert command == BreakerCommand(
        "hold", "prod", "shop-1", "run-7", PAY, "0" * 32, NOW_NS // MILLISECOND - 45_000, "open", 300_000, "slow",
        "ann@desk",
    )  # fmt: skip


def test_the_report_has_a_row_for_each_target_and_says_what_of_it_is_not_known() -> None:
    made = carrying(*map(step, ANSWERS))

    async def send(call: Call) -> Report:
        return ANSWERS[call.node_id]

    told: list[tuple[int, int]] = []
    report = asyncio.run(carry_out(made, send, lambda: NOW_NS, lambda done, of: told.append((done, of))))
    assert (report.outcome, report.message) == ("partly", "1 done, 1 refused, 1 failed, 1 unknown.")
    assert [(row.target, row.outcome, row.message) for row in report.targets] == [
        ("shop-1 → pay-1:payments.charge", "done", "held open for 300 s."),
        (
            "shop-2 → pay-1:payments.charge",
            "refused",
            "signature: the signature is not that of this command. The secret there is another one than ours.",
        ),
        ("shop-3 → pay-1:payments.charge", "failed", "ServiceNotFoundError: no such node"),
        ("shop-4 → pay-1:payments.charge", "unknown", "no answer: it may have been done"),
    ]
    assert "not sent again by itself" in report.advice
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        (["shop-1"], "done"),
        (["shop-2"], "refused"),
        (["shop-3"], "failed"),
        (["shop-4"], "unknown"),
        (["shop-2", "shop-3"], "failed"),
        (["shop-3", "shop-4"], "unknown"),
    ],
)
def test_all_answers_together_have_one_outcome(answers: list[str], outcome: str) -> None:
    made = carrying(*map(step, answers))
    for number, name in enumerate(answers):
        made.next_call(NOW_NS)
        made.take(number, ANSWERS[name])
    assert (made.is_over, made.report().outcome) == (True, outcome)


@pytest.mark.parametrize("data", ["", "{", "[]", "null", '{"outcome":"perhaps"}', '{"outcome":["done"]}', "[" * 9999])
def test_an_answer_that_cannot_be_read_is_unknown(data: str) -> None:
    made = carrying(step("shop-1"))
    made.next_call(NOW_NS)
    made.take(0, Report("done", answer=Answer("shop-1", data=data)))
    assert made.report().outcome == "unknown"


def test_no_more_than_a_few_are_in_flight_and_what_was_not_sent_can_be_given_up() -> None:
    made = carrying(*(step(f"shop-{number}") for number in range(AT_ONCE + 5)))
    sent = [made.next_call(NOW_NS) for _ in range(AT_ONCE)]
    assert (None in sent, made.next_call(NOW_NS)) == (False, None)
    made.take(0, ANSWERS["shop-1"])
    assert made.next_call(NOW_NS) is not None
    made.stop()
    assert (made.next_call(NOW_NS), made.in_flight, made.is_over) == (None, AT_ONCE, False)
    for number in range(1, AT_ONCE + 1):
        made.take(number, Report("unknown"))
    assert made.report().message == f"1 done, {AT_ONCE} unknown, 4 cancelled."


def test_given_up_it_sends_no_more_and_reports_what_is_not_known() -> None:
    made = carrying(*(step(f"shop-{number}") for number in range(AT_ONCE + 2)))
    sent: list[str] = []

    async def send(call: Call) -> Report:
        sent.append(call.node_id)
        if call.node_id == "shop-0":
            return ANSWERS["shop-1"]
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    async def story() -> Report:
        task = asyncio.create_task(carry_out(made, send, lambda: NOW_NS))
        await settle()
        task.cancel()
        return await task

    report = asyncio.run(story())
    assert (len(sent), report.message) == (AT_ONCE + 1, f"1 done, {AT_ONCE} unknown, 1 cancelled.")


def test_no_step_can_be_sent_without_a_secret() -> None:
    with pytest.raises(ValueError, match="MESHSCOPE_SECRET"):
        Signer("", "prod", "ann@desk", lambda: "0" * 32)


def test_an_undo_takes_back_what_was_done_and_what_may_have_been_done() -> None:
    made = carrying(*map(step, ANSWERS))
    for number, name in enumerate(ANSWERS):
        made.next_call(NOW_NS)
        made.take(number, ANSWERS[name])
    back = undo(made.plan, made.results(), NOW_NS)
    assert [(each.helper.node_id, each.verb, each.hold) for each in back.steps] == [
        ("shop-1", "release", "h1"),
        ("shop-4", "release", ""),
    ]
    assert back.warnings == (
        "Whether it was done is not known, taken back all the same: shop-4 → pay-1:payments.charge.",
    )


HELD = BreakerFact("shop-1", PAY, "open", True, hold=HoldFact("h0", "closed", "bob@desk", "test", NOW_NS + 60 * SECOND))
OPEN = BreakerFact("shop-1", PAY, "open", True)


@pytest.mark.parametrize(
    ("verb", "before", "expected"),
    [
        ("trip", None, [("reset", "", 0.0)]),
        ("trip", HELD, [("reset", "", 0.0)]),
        ("hold", OPEN, [("release", "", 0.0)]),
        ("hold", HELD, [("hold", "closed", 50.0)]),
        ("release", HELD, [("hold", "closed", 50.0)]),
        ("release", OPEN, []),
        ("reset", OPEN, [("trip", "", 0.0)]),
        ("reset", HELD, [("hold", "closed", 50.0), ("trip", "", 0.0)]),
        ("reset", BreakerFact("shop-1", PAY, "closed", True, 7), []),
    ],
)
def test_what_was_before_is_put_back_as_well_as_it_can_be(
    verb: Any, before: BreakerFact | None, expected: list[tuple[str, str, float]]
) -> None:
    made = carrying(step("shop-1", verb=verb, before=before, state="", for_s=0.0))
    made.next_call(NOW_NS)
    made.take(0, answered("done"))
    back = undo(made.plan, made.results(), NOW_NS + 10 * SECOND)
    assert [(each.verb, each.state, each.for_s) for each in back.steps] == expected
    assert bool(back.refused) is not bool(expected)
