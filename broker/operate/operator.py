"""The one way to act, for window and command line: judged, confirmed, written down, sent, written down again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from broker.clock import SECOND, Clock
from broker.operate.acts import tell
from broker.operate.audit import After, Audit, AuditError, Before, new_id, who
from broker.operate.breaking.answers import Said, said_by
from broker.operate.commands import (
    HELPER_COMMAND,
    AskBreakers,
    Call,
    Cancel,
    Command,
    Hide,
    Lock,
    Record,
    Report,
    StopRecording,
    TargetReport,
)
from broker.operate.masks import Masks
from broker.operate.permissions import Permission
from broker.operate.profiles import Profile
from broker.operate.rules import UNLOCK_S, Verdict, may_now, verdict

log = logging.getLogger(__name__)

_UNWRITTEN: Final = (AskBreakers, Cancel, Hide, Record, StopRecording)
"""Change nothing in the mesh; asking for breakers is repeated by itself."""

UNKNOWN_MESSAGE: Final = "It was sent and no answer came: it may have been done. It is not sent again by itself."


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The second step of an operator.

    Attributes:
        given: Whether it was taken.
        typed: The name that was typed; empty where nothing was.
    """

    given: bool = False
    typed: str = ""


NOT_CONFIRMED: Final = Confirmation()


@dataclass(frozen=True, slots=True)
class Act:
    """An act that was begun: it may be sent now, once.

    Attributes:
        id: In the audit; empty for what is not written down.
        command: What is sent.
    """

    id: str
    command: Command


class RefusedError(Exception):
    """A command was not sent; its report says why."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.message)
        self.report = report


class Operator:
    """Somebody who acts on one mesh. Methods may be called from any thread, and wait for the disk.

    Attributes:
        profile: Whose rules hold; None for a bare URL.
        masks: What is secret.
    """

    def __init__(
        self,
        audit: Audit,
        clock: Clock,
        *,
        url: str,
        base: Permission,
        profile: Profile | None = None,
        masks: Masks | None = None,
        source: Literal["window", "command line"] = "window",
    ) -> None:
        """
        Args:
            audit: Where acts are written down.
            clock: Stamps them, and tells when unlocking ends.
            url: Without secrets.
            base: What the session was opened with.
            profile: Whose rules hold.
            masks: What is secret; the usual names if it is left out.
            source: Who asks.
        """
        self.profile = profile
        self.masks = masks or Masks(profile.mask_names if profile else ())
        self._audit, self._clock, self._url, self._base, self._source = audit, clock, url, base, source
        self._unlocked: Permission | None = None
        self._unlocking = self._unlocked_until_ns = 0
        self._who = who()
        self._open: set[str] = set()
        self._lock = threading.Lock()

    def learn(self, may: Permission, unlocked_until_ns: int) -> None:
        """What the session says that it may do now.

        Args:
            may: With unlocking.
            unlocked_until_ns: When that ends, by the session's clock; 0 while it is locked. That clock may be another
                machine's, so it only tells one unlocking from the next: this one counts its own time.
        """
        with self._lock:
            if unlocked_until_ns != self._unlocking:
                self._unlocking = unlocked_until_ns
                self._unlocked_until_ns = self._clock.now_ns() + round(UNLOCK_S * SECOND)
            self._unlocked = may if unlocked_until_ns else None

    @property
    def unlocked(self) -> Permission | None:
        """What it was unlocked to; None when it is locked, or time is up."""
        with self._lock:
            return self._unlocked if self._clock.now_ns() < self._unlocked_until_ns else None

    @property
    def may(self) -> Permission:
        """What may be done now."""
        return may_now(self._base, self.unlocked)

    def check(self, command: Command, name: str = "") -> Verdict:
        """Whether a command may be sent now, and the second step that it takes.

        Args:
            command: What is wanted.
            name: What an operator knows the target as, if it is not what the command is sent to.
        """
        is_window = self._source == "window"
        return verdict(self.profile, self._base, self.unlocked, command, in_window=is_window, name=name)

    def begin(self, command: Command, confirmation: Confirmation = NOT_CONFIRMED, name: str = "") -> Act:
        """Judge a command and write down that it is about to be sent.

        Args:
            command: What is wanted.
            confirmation: The second step.
            name: As in `check`.

        Raises:
            RefusedError: It is not allowed, not confirmed, or cannot be written down. It must not be sent.
        """
        found = self.check(command, name)
        if not found.allowed:
            raise RefusedError(Report("refused", found.why))
        missing = _missing(found, confirmation)
        if missing:
            raise RefusedError(Report("refused", missing))
        if isinstance(command, _UNWRITTEN):
            return Act("", command)
        act = Act(new_id(), command)
        try:
            self._audit.write(self._before(act, found))
        except AuditError as error:
            if not isinstance(command, Lock):  # whatever the disk says, one may always do less
                raise RefusedError(Report("refused", str(error))) from error
            log.warning("%s", error)
        with self._lock:
            self._open.add(act.id)
        return act

    def end(self, act: Act, report: Report) -> Report:
        """Write down what became of an act.

        Returns:
            The report, fit to be shown: what is secret in its words is masked, and a loss of the second line is told.
        """
        report = self.masked(report)
        with self._lock:
            if act.id not in self._open:
                return report
            self._open.discard(act.id)
        try:
            self._audit.write(self._after(act, report))
        except AuditError as error:
            log.warning("%s", error)
            advice = f"{report.advice} The outcome could not be written into the audit log.".strip()
            return replace(report, advice=advice)
        return report

    async def act(
        self,
        command: Command,
        do: Callable[[Command], Awaitable[Report]],
        confirmation: Confirmation = NOT_CONFIRMED,
        name: str = "",
    ) -> Report:
        """Begin, send once, end. For who has the session in the own process.

        Args:
            command: What is wanted.
            do: Sends it and waits for what becomes of it.
            confirmation: The second step.
            name: As in `check`.

        Returns:
            What became of it; *refused* where it was not sent.
        """
        try:
            begun = self.begin(command, confirmation, name)
        except RefusedError as refused:
            return refused.report
        report = Report("unknown", UNKNOWN_MESSAGE)
        try:
            report = await do(command)
        finally:
            report = self.end(begun, report)
        return report

    def masked(self, report: Report) -> Report:
        """A report whose words hold nothing secret. Its answer stays: what is done with it masks it."""
        targets = tuple(replace(each, message=self.masks.text(each.message)) for each in report.targets)
        text = self.masks.text
        return replace(report, message=text(report.message), advice=text(report.advice), targets=targets)

    def _before(self, act: Act, found: Verdict) -> Before:
        shows = self.profile is None or self.profile.policy != "headers"
        told = tell(act.command, self.masks, shows_payload=shows)
        return Before(
            id=act.id,
            at_ns=self._clock.now_ns(),
            who=self._who,
            profile=self.profile.name if self.profile else "",
            url=self._url,
            command=told.word,
            namespace=told.namespace,
            target=told.target,
            details=told.details,
            confirm=found.confirm or "none",
            may=self.may,
            source=self._source,
        )

    def _after(self, act: Act, report: Report) -> After:
        outcome, message = report.outcome, _told(report)
        if isinstance(act.command, Call) and act.command.action == HELPER_COMMAND:
            said = said_by(report)
            outcome, message = said.outcome, self.masks.text(_of_helper(said))
        return After(act.id, self._clock.now_ns(), outcome, message, tuple(map(_target, report.targets)))


def _told(report: Report) -> str:
    """What is written down of a report: its message, and of an answer only how it came."""
    answer = report.answer
    if report.message or answer is None:
        return report.message
    return f"{answer.node_id} answered in {answer.duration_ms:.1f} ms, {answer.size_bytes} bytes"


def _of_helper(said: Said) -> str:
    return f"{said.cause}: {said.message}" if said.cause else said.message


def _target(target: TargetReport) -> dict[str, str]:
    return {"target": target.target, "outcome": target.outcome, "message": target.message}


def _missing(found: Verdict, confirmation: Confirmation) -> str:
    """What of the second step was not taken; empty when it was."""
    if found.confirm == "ask" and not confirmation.given:
        return "This needs to be confirmed, and was not: nothing was sent."
    if found.confirm == "type" and not (confirmation.given and confirmation.typed == found.name):
        typed = f"'{confirmation.typed}' was typed" if confirmation.typed else "nothing was typed"
        return f"This needs the name '{found.name}' typed to confirm it, and {typed}: nothing was sent."
    return ""
