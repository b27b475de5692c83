"""A locked profile unlocked for one command that listens: written down, and not for longer than unlocking lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
    operator = operator_of(target)
    try:
        act = operator.begin(Unlock(target.may, duration_s), Confirmation(given=True))
    except RefusedError as refused:
        raise SaidNo(refused.report.message, refused.report.advice) from refused
    try:
        yield
    finally:
        operator.end(act, Report("done", "the command ended; locked again"))
