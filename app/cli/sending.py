"""What `emit` and `broadcast` share: who will receive is shown before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from app.cli.acting import Actor, Sitting
from app.cli.answers import exit_code, print_report, report_document
from app.cli.output import print_json
from app.cli.sitting import run
from broker.mesh.receivers import Receivers, receivers
from broker.operate.commands import Broadcast, Emit, Report

KNOWN_WITHIN_S: Final = 3.0
SETTLED_S: Final = 0.4
STEP_S: Final = 0.05


def send(actor: Actor, command: Emit | Broadcast, *, json_output: bool) -> int:
    """Show who will receive, ask where it is to be asked, send, print.

    Returns:
        The exit code.
    """
    actor.check(command)
    found: list[tuple[Receivers, str, Report]] = []

    async def work() -> None:
        async with actor.sit() as sitting:
            there = replace(command, namespace=await sitting.namespace())
            await sitting.ready(there.namespace)
            who = await known_receivers(sitting, there)
            confirmation = await actor.confirm(there, about=who_lines(there, who))
            found.append((who, there.namespace, await sitting.do(there, confirmation)))

    run(work())
    ((who, namespace, report),) = found
    if json_output:
        groups = [group._asdict() for group in who.groups]
        print_json({**report_document(report), "event": command.event, "namespace": namespace, "receivers": groups})
    else:
        print_report(report)
    return exit_code(report)


async def known_receivers(sitting: Sitting, command: Emit | Broadcast) -> Receivers:
    """Who will receive, as soon as that does not change any more: nodes are being asked who they are."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + KNOWN_WITHIN_S
    found, since_s = Receivers((), ()), loop.time()
    while loop.time() < end_s:
        now = receivers(sitting.snapshot, command.namespace, command.event, command.groups)
        if now != found:
            found, since_s = now, loop.time()
        elif found.groups and loop.time() - since_s > SETTLED_S:
            break
        await asyncio.sleep(STEP_S)
    return found


def who_lines(command: Emit | Broadcast, who: Receivers) -> Sequence[str]:
    """Who will receive, a line each."""
    if not who.groups:
        return [f"Nobody is known to listen to {command.event}."]
    is_broadcast = isinstance(command, Broadcast)
    nodes = f"{len(who.node_ids)} node{'' if len(who.node_ids) == 1 else 's'}"
    groups = f"{len(who.groups)} group{'' if len(who.groups) == 1 else 's'}"
    head = f"{command.event} goes to {nodes}:" if is_broadcast else f"{command.event} goes to one node of {groups}:"
    return [
        head,
        *(
            f"  {group.group or '-'}  ({', '.join(group.services)}, by {group.pattern})  on {', '.join(group.node_ids)}"
            for group in who.groups
        ),
    ]
