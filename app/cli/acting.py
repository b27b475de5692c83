"""What commands that act share: their options, the second step, a session for as long as they take, the audit."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, BinaryIO, Final, TypeVar

import click

from app.cli.asking import ask_name, ask_yes, can_ask, told_typed
from app.cli.errors import SaidNo
from app.cli.options import target
from app.cli.sitting import options_of
from app.cli.targets import Target
from app.cli.unlocking import expect_name, is_unlocking, operator_of, unlock_step
from app.cli.variables import expect_variables, with_variables
from broker.mesh.timeline import Snapshot, Timeline
from broker.operate.commands import Command, Progress, Report, Unlock
from broker.operate.operator import NOT_CONFIRMED, Confirmation, Operator
from broker.operate.permissions import Permission, allows
from broker.operate.rules import UNLOCK_S, Verdict, refusal, verdict
from broker.probe.acting import READY_WITHIN_S, AnySession, act, only_namespace, sitting

MOMENT_S: Final = 1.0
T = TypeVar("T")


def _ignore(_: Progress) -> None:
    """Nobody wants to know."""


def acting(*, may: Permission) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command its first argument URL|PROFILE and the options of everything that acts; it gets an ``actor``.

    Args:
        may: What it needs, for the help. What it may do is judged by what it is about to send.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @target(may=may, file_allowed=False, acts=True)
        @click.option(
            "--confirm",
            "confirm",
            default="",
            metavar="NAME",
            help="The second step without a terminal: the name of what it is about, of an action, event, node.",
        )
        @functools.wraps(command)
        def with_actor(target: Target, confirm: str, **rest: Any) -> None:
            command(actor=Actor(target, confirm), **rest)

        return with_actor

    return decorate


class Actor:
    """Whoever acts on one target from the command line.

    Attributes:
        target: What on.
    """

    def __init__(self, target: Target, confirm: str) -> None:
        """
        Args:
            target: What on.
            confirm: The name behind --confirm; empty for none.
        """
        self.target = target
        self._confirm = confirm

    @property
    def is_confirmed(self) -> bool:
        """Whether the second step stands on the command line."""
        return bool(self._confirm)

    def check(self, command: Command, name: str = "") -> Verdict:
        """Whether a command may be sent by this command line, and confirmed; before anything is connected.

        Args:
            command: What is wanted.
            name: What an operator knows the target as, if it is not what the command is sent to.

        Raises:
            SaidNo: It may not; the message says what to do.
        """
        self._let(command.needs)
        expect_name(self.target)
        target = self.target
        expect_variables(target, command)
        found = verdict(target.profile, target.may, None, command, in_window=False, name=name)
        if not found.allowed:
            raise SaidNo(found.why)
        if found.confirm and self._confirm and self._confirm != found.name:
            raise SaidNo(f"--confirm is '{self._confirm}', and this is about '{found.name}'. Nothing was sent.")
        if found.confirm and not self._confirm and not can_ask():
            raise SaidNo(
                "This needs to be confirmed, and there is no terminal to ask on. Nothing was sent.",
                f"Say --confirm {found.name}",
            )
        return found

    def _let(self, needs: Permission) -> None:
        """Open the session with what is needed and no more. Raises SaidNo."""
        target = self.target
        if not target.is_may_given:
            self.target = target = replace(target, may=needs)
        if not allows(target.may, needs):
            raise SaidNo(f"--may is {target.may}, and this needs {needs}.", f"Say --may {needs}, or leave it out.")
        if target.profile is not None and not allows(target.profile.may, target.may) and not target.unlocks:
            raise SaidNo(refusal(target.profile, target.profile.may, target.may))

    async def confirm(self, command: Command, name: str = "", about: Sequence[str] = ()) -> Confirmation:
        """The second step: --confirm, or a question on the terminal.

        Args:
            command: What is wanted.
            name: As in `check`.
            about: What it will do, a line each; shown before the question, and where there is none.

        Raises:
            SaidNo: It was not confirmed.
        """
        found = self.check(command, name)
        for line in about:
            click.echo(line, err=True)
        if not found.confirm:
            return NOT_CONFIRMED
        if self._confirm:
            return Confirmation(given=True, typed=self._confirm)
        where = self._where()
        if found.confirm == "type":
            typed = await ask_name(found.name, where)
            if typed != found.name:
                raise SaidNo(f"{told_typed(typed)}, and this is about '{found.name}'. Nothing was sent.")
            return Confirmation(given=True, typed=typed)
        if not await ask_yes(f"Send it to {found.name} on {where}?"):
            raise SaidNo("It was not confirmed. Nothing was sent.")
        return Confirmation(given=True)

    def _where(self) -> str:
        profile = self.target.profile
        if profile is None:
            return self.target.connection().redacted
        return f"'{profile.name}', which is PRODUCTION" if profile.is_production else f"'{profile.name}'"

    @asynccontextmanager
    async def sit(self) -> AsyncIterator[Sitting]:
        """A session for as long as the block takes; unlocked first, where the profile is locked and --unlock was given.

        Raises:
            TransportError: The bus said no.
            SaidNo: It could not be unlocked.
        """
        timeline = Timeline()
        options = options_of(replace(self.target, may=self.target.base))
        step = await unlock_step(self.target) if is_unlocking(self.target) else None
        async with sitting(options, deliver=timeline.take, machine=self.target.machine) as session:
            made = Sitting(self.target, session, operator_of(self.target), timeline)
            if step is not None:
                await made.unlock(step)
            yield made


class Sitting:
    """A session in which something is done.

    Attributes:
        session: Runs.
    """

    def __init__(self, target: Target, session: AnySession, operator: Operator, timeline: Timeline) -> None:
        """
        Args:
            target: What is acted on.
            session: Runs.
            operator: Judges, and writes down.
            timeline: Takes what the session hears.
        """
        self.session = session
        self._target, self._operator, self._timeline = target, operator, timeline

    @property
    def snapshot(self) -> Snapshot:
        """What was heard so far."""
        return self._timeline.snapshot()

    async def unlock(self, step: Confirmation) -> None:
        """Let the session do what the command needs, after that step was taken. Raises SaidNo."""
        report = await self.do(Unlock(self._target.may, UNLOCK_S), step)
        if report.outcome != "done":
            raise SaidNo(report.message, report.advice)

    async def ready(self, namespace: str) -> None:
        """Wait until nodes can be asked who they are, as far as that is allowed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_WITHIN_S):
                await _patiently(self.session.can_speak(namespace))

    async def namespace(self) -> str:
        """The one that is meant: given, the profile's, or the only one that is heard.

        Raises:
            TransportError: Nothing is heard, or several are.
            SaidNo: Several were given.
        """
        names = self._target.namespaces
        if len(names) > 1:
            raise SaidNo(f"Several namespaces are named: {', '.join(names)}.", "Choose one with --namespace.")
        return names[0] if names else await _patiently(only_namespace(self.session))

    async def do(
        self,
        command: Command,
        confirmation: Confirmation = NOT_CONFIRMED,
        name: str = "",
        told: Callable[[Progress], None] = _ignore,
        upload: BinaryIO | None = None,
        download: BinaryIO | None = None,
    ) -> Report:
        """Act once: judged, written down, sent, written down again.

        Args:
            command: What is wanted.
            confirmation: The second step, as `Actor.confirm` gave it.
            name: As in `Actor.check`.
            told: Told how far it is.
            upload: Sent along with a call as a stream.
            download: Filled with a streamed answer.
        """

        async def send(command: Command) -> Report:
            try:
                command = await with_variables(self._target, command)  # not before: the audit holds their names
            except LookupError as error:
                return Report("refused", f"{error.args[0]}. Nothing was sent.")
            return await act(self.session, command, told, upload=upload, download=download)

        status = self.session.status()
        self._operator.learn(status.may_now, status.unlocked_until_ns)
        return await self._operator.act(command, send, confirmation, name)


async def _patiently(waiting: Coroutine[Any, Any, T]) -> T:
    """Wait for something; what takes longer than a moment is explained."""
    task = asyncio.create_task(waiting, name="waiting for the mesh")
    try:
        done, _ = await asyncio.wait([task], timeout=MOMENT_S)
        if not done:
            click.echo("waiting for the first packet: nodes beat every ten seconds, if not set up otherwise", err=True)
        return await task
    finally:
        task.cancel()
