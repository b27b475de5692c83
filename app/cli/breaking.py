"""Breakers set from the command line: looked at, planned, shown, confirmed, carried out, reported."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace
from typing import Any, Final

import click

from app.cli.acting import Actor, Sitting
from app.cli.answers import exit_code, print_report, report_document
from app.cli.asking import ask_yes, can_ask
from app.cli.errors import SaidNo
from app.cli.output import print_json, printable
from app.cli.sitting import run
from broker.clock import SystemClock
from broker.mesh.breaker_states import coverage
from broker.operate.breaking.carrying import Carrying, carry_out
from broker.operate.breaking.plan import Plan
from broker.operate.breaking.planning import plan, release_mine
from broker.operate.breaking.signing import Signer
from broker.operate.breaking.snapshot import known_of
from broker.operate.breaking.undo import undo
from broker.operate.breaking.wish import Scope, Wish
from broker.operate.commands import HELPER_COMMAND, AskBreakers, Call, Report
from broker.operate.masks import Masks
from broker.operate.operator import Confirmation

KNOWN_WITHIN_S: Final = 3.0
"""So long nodes may take to say who they are, and helpers to tell their lists."""
STEP_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Wanted:
    """What stands on the command line.

    Attributes:
        actor: Who acts on what.
        scope: Whose breakers, of what.
        reason: For people.
        listen_s: How long calls are counted first.
        undoes: Whether what was done is taken back if not all of it was.
        json_output: One JSON document instead of words.
    """

    actor: Actor
    scope: Scope
    reason: str
    listen_s: float
    undoes: bool = False
    json_output: bool = False


def set_breakers(wanted: Wanted, wish: Wish, *, mine: bool = False) -> int:
    """Do what is wanted, and print what came of it.

    Args:
        wanted: What stands on the command line.
        wish: The same as a wish, without its namespace.
        mine: Whether all holds of ours are meant.

    Returns:
        The exit code.

    Raises:
        SaidNo: It is not allowed or possible, or was not confirmed. Nothing was sent.
    """
    actor = wanted.actor
    actor.check(Call("", HELPER_COMMAND), wish.scope.name or wish.verb)
    secret = actor.target.helper_secret()
    if not secret:
        raise SaidNo(
            "There is no secret to sign commands with.",
            "Set MESHSCOPE_SECRET to that of the nodes' helpers, or keep it with the profile.",
        )
    codes: list[int] = []

    async def work() -> None:
        async with actor.sit() as sitting:
            there = replace(wish, namespace=await sitting.namespace())
            await _look(sitting, there.namespace, wanted.listen_s)
            known = known_of(sitting.snapshot, there.namespace)
            made = release_mine(known, wish.by) if mine else plan(there, known)
            if made.refused:
                raise SaidNo(made.refused, _advice(made))
            confirmation = await _confirmed(actor, made)
            signer = Signer(secret, there.namespace, wish.by, lambda: secrets.token_hex(16))
            setting = _Setting(sitting, signer, confirmation, actor.target.masks())
            codes.append(await setting.carry(made, wanted))

    run(work())
    return codes[0]


async def _look(sitting: Sitting, namespace: str, listen_s: float) -> None:
    """Learn who is there, how breakers stand, and what is called."""
    loop = asyncio.get_running_loop()
    begin_s = loop.time()
    await sitting.ready(namespace)
    nodes, since_s = 0, loop.time()
    while loop.time() - since_s < 5 * STEP_S and loop.time() - begin_s < KNOWN_WITHIN_S:
        snapshot = sitting.snapshot
        there = coverage(snapshot, snapshot.through_ns, namespace=namespace).nodes
        if there != nodes or not there:
            nodes, since_s = there, loop.time()
        await asyncio.sleep(STEP_S)
    await sitting.do(AskBreakers(namespace))
    end_s = max(begin_s + listen_s, loop.time() + 3 * STEP_S)  # what was answered becomes known a moment later
    await asyncio.sleep(end_s - loop.time())


async def _confirmed(actor: Actor, made: Plan) -> Confirmation:
    """Show what a plan will hit, and take the second step; and a third where everybody is stopped."""
    command = Call(made.wish.namespace, HELPER_COMMAND)
    notes = [f"  Note: {text}" for text in (*made.warnings, made.second_warning) if text]
    lines = [f"{made.wish.verb} {made.wish.state}".strip() + ":", *(f"  {text}" for text in made.preview), *notes]
    confirmation = await actor.confirm(command, made.name, [printable(line) for line in lines])
    if made.second_warning and can_ask() and not actor.is_confirmed:
        name = ", ".join(sorted({str(step.endpoint) for step in made.steps if step.is_own}))
        if not await ask_yes(f"It turns away every caller of {name}. Send it all the same?"):
            raise SaidNo("It was not confirmed. Nothing was sent.", "Leave --include-callee out to spare it.")
    return confirmation


def _advice(made: Plan) -> str:
    if made.instead is not None:
        return f"meshscope breakers URL hold --state open --for {made.instead.for_s:g} …"
    return "".join(f"{each.node_id}: {each.why}. " for each in made.untouched[:5]).strip()


class _Setting:
    """One sitting in which plans are carried out."""

    def __init__(self, sitting: Sitting, signer: Signer, confirmation: Confirmation, masks: Masks) -> None:
        self._sitting = sitting
        self._masks = masks
        self._signer = signer
        self._confirmation = confirmation
        self._clock = SystemClock()

    async def carry(self, made: Plan, wanted: Wanted) -> int:
        """Carry a plan out, take it back where that is wanted, and print all of it. Gives the exit code."""
        carrying, report = await self._send(made)
        document: dict[str, Any] = {**report_document(report), **_plan_document(made)}
        if not wanted.json_output:
            print_report(report)
        is_half = report.outcome != "done" and any(each.outcome in ("done", "unknown") for each in carrying.results())
        if is_half and report.outcome != "cancelled":
            back = undo(made, carrying.results(), self._clock.now_ns())
            undoes = wanted.undoes or (not wanted.json_output and can_ask() and await _wants_undo(back))
            if undoes and back.steps:
                _, taken = await self._send(back)
                document["undo"] = report_document(taken)
                if not wanted.json_output:
                    click.echo("Taking it back:", err=True)
                    print_report(taken)
            elif not undoes and not wanted.json_output:
                click.echo("  The same command with --undo takes back what was done.", err=True)
        if wanted.json_output:
            print_json(document)
        return exit_code(report)

    async def _send(self, made: Plan) -> tuple[Carrying, Report]:
        carrying = Carrying(made, self._signer)

        async def send(call: Call) -> Report:
            return await self._sitting.do(call, self._confirmation, made.name)

        report = await carry_out(carrying, send, self._clock.now_ns)
        rows = tuple(replace(row, message=self._masks.text(row.message)) for row in report.targets)
        return carrying, replace(report, targets=rows)


async def _wants_undo(back: Plan) -> bool:
    if not back.steps:
        return False
    for line in (*back.preview, *back.warnings):
        click.echo(printable(f"  {line}"), err=True)
    count = len(back.steps)
    return await ask_yes(f"Take back what was done on {count} target{'' if count == 1 else 's'}?")


def _plan_document(made: Plan) -> dict[str, Any]:
    """What was planned, as plain data."""
    return {
        "verb": made.wish.verb,
        "state": made.wish.state,
        "namespace": made.wish.namespace,
        "calls_per_min": made.calls_per_min,
        "untouched": list(made.untouched),
        "warnings": [*made.warnings, *([made.second_warning] if made.second_warning else [])],
    }
