"""A locked profile unlocked for one command that listens: written down, and not for longer than unlocking lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from app.cli.asking import ask_name, can_ask, told_typed
from app.cli.errors import SaidNo
from app.cli.targets import Target
from broker.clock import SystemClock
from broker.operate.audit import Audit
from broker.operate.commands import Report, Unlock
from broker.operate.operator import Confirmation, Operator, RefusedError
from broker.operate.permissions import allows
from broker.operate.rules import UNLOCK_S


def operator_of(target: Target) -> Operator:
    """Whoever acts on a target from the command line."""
    return Operator(
        Audit(),
        SystemClock(),
        url=target.connection().redacted,
        base=target.base,
        profile=target.profile,
        masks=target.masks(),
        source="command line",
    )


def is_unlocking(target: Target) -> bool:
    """Whether a command does more than the profile allows while it is locked."""
    return target.profile is not None and target.unlocks and not allows(target.base, target.may)


def expect_name(target: Target) -> None:
    """Before anything is connected: production is unlocked by who writes its name. Raises SaidNo."""
    profile = target.profile
    if profile is None or not is_unlocking(target) or not profile.is_production:
        return
    if target.named != profile.name and not can_ask():
        raise SaidNo(
            f"To unlock '{profile.name}', which is PRODUCTION, its name is typed, and a URL was. Nothing was sent.",
            f"Say {profile.name} instead of the URL, or run this on a terminal.",
        )


async def unlock_step(target: Target) -> Confirmation:
    """The second step of unlocking: --unlock, and in production the profile's name, on the command line or asked for.

    Raises:
        SaidNo: Another name was typed.
    """
    profile = target.profile
    if profile is None or not profile.is_production or target.named == profile.name:
        return Confirmation(given=True, typed=target.named)
    typed = await ask_name(profile.name, f"'{profile.name}', which is PRODUCTION", "unlocks", "do so")
    if typed != profile.name:
        raise SaidNo(f"{told_typed(typed)}, and this unlocks '{profile.name}'. Nothing was sent.")
    return Confirmation(given=True, typed=typed)


@contextmanager
def unlocked(target: Target, duration_s: float | None) -> Iterator[None]:
    """Let a command that listens do what it needs, from the moment its session opens to its end.

    Args:
        target: What it listens to.
        duration_s: How long; None for until Ctrl+C, or not at all.

    Raises:
        SaidNo: It would last too long, or cannot be written down.
    """
    if not is_unlocking(target):
        yield
        return
    if duration_s is None or duration_s > UNLOCK_S:
        raise SaidNo(
            f"Unlocking lasts {UNLOCK_S:g} s, and this command would go on for longer.",
            f"Give it a --duration of at most {UNLOCK_S:g}, or leave --unlock out: it then only listens.",
        )
    expect_name(target)
    operator = operator_of(target)
    try:
        act = operator.begin(Unlock(target.may, duration_s), asyncio.run(unlock_step(target)))
    except RefusedError as refused:
        raise SaidNo(refused.report.message, refused.report.advice) from refused
    try:
        yield
    finally:
        operator.end(act, Report("done", "the command ended; locked again"))
